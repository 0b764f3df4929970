#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"

#include "store/audit_verify.h"
#include "store/web_house.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RawStore;
using testing::TempDir;
using testing::Value;

class ExperimentRowsTest : public ::testing::Test {
 protected:
  ExperimentRowsTest() { Open(); }

  void Open() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  }

  static Experiment Called(const std::string& id, double coverage = 1) {
    Experiment experiment;
    experiment.id = id;
    experiment.placement = "home";
    experiment.coverage = coverage;
    return experiment;
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_;
};

TEST_F(ExperimentRowsTest, EachCountsItsOwnVersionsAndKeepsThem) {
  EXPECT_THAT(Value(house_->Experiments()), IsEmpty());
  EXPECT_EQ(Value(house_->SetExperiment(Called("a"), 0, "ann", "first")).version, 1);
  EXPECT_EQ(Value(house_->SetExperiment(Called("a-b"), 0, "ann", "")).version, 1);
  for (int version = 1; version < 300; ++version) {
    EXPECT_EQ(Value(house_->SetExperiment(Called("a", 0.5), version, "bob", "")).version,
              version + 1);
  }
  Open();
  const std::vector<ExperimentVersion> newest = Value(house_->Experiments());
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].content.id, "a");
  EXPECT_EQ(newest[0].version, 300);
  EXPECT_EQ(newest[1].content.id, "a-b");
  EXPECT_EQ(newest[1].version, 1);
  EXPECT_EQ(Value(house_->ExperimentHistory("a", 2)).size(), 2u);
  const std::vector<ExperimentVersion> all = Value(house_->ExperimentHistory("a", 1000));
  ASSERT_EQ(all.size(), 300u);
  EXPECT_EQ(all.back().who, "ann");
  EXPECT_EQ(all.back().comment, "first");
  EXPECT_EQ(all.back().content.coverage, 1);
  EXPECT_THAT(Value(house_->ExperimentHistory("b", 10)), IsEmpty());
}

TEST_F(ExperimentRowsTest, OfTwoWhoChangeTheSameVersionOneIsTold) {
  ASSERT_OK(house_->SetExperiment(Called("a"), 0, "ann", "").status());
  const absl::Status second = house_->SetExperiment(Called("a"), 0, "bob", "").status();
  EXPECT_TRUE(absl::IsAborted(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr("somebody changed it meanwhile"));
}

TEST_F(ExperimentRowsTest, WhoChangesOneBehindTheStoresBackIsFound) {
  ASSERT_OK(house_->SetExperiment(Called("a"), 0, "ann", "").status());
  const auto verify = [this] {
    return Value(
               VerifyAudit({dir_.File("db"), dir_.File("audit.key"), {}, limits::kVerifyBytesMax}))
        .problems;
  };
  house_.reset();
  EXPECT_THAT(verify(), IsEmpty());
  {
    RawStore raw(dir_.File("db"));
    for (auto [key, value] : raw.All("default")) {
      if (!absl::StartsWith(key, "experiments/")) continue;
      value.back() ^= 1;
      raw.Put("default", key, value);
    }
  }
  const std::vector<AuditFinding> found = verify();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, AuditFinding::Kind::kRowChanged);
}

TEST_F(ExperimentRowsTest, DerivedKeysStayAndDifferByPurpose) {
  const std::string key = Value(house_->DerivedKey("links"));
  EXPECT_EQ(key.size(), 32u);
  EXPECT_NE(key, Value(house_->DerivedKey("other")));
  Open();
  EXPECT_EQ(key, Value(house_->DerivedKey("links")));
}

}  // namespace
}  // namespace vitrine
