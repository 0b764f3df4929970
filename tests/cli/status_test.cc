// vitrine status: what an operator is told of a folder, and of a server that has it.

#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using testing::FileText;
using ::testing::HasSubstr;
using testing::MakeEvent;
using ::testing::Not;
using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using ::testing::StartsWith;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

class StatusTest : public ::testing::Test {
 protected:
  StatusTest() {
    const auto house = Value(WebHouse::Open({.directory = dir_.File("data/shop/db")}));
    std::vector<Event> events;
    for (int c = 0; c < 20; ++c) {
      for (int p = 0; p < 5; ++p) {
        events.push_back(MakeEvent(absl::StrCat("e", c, "-", p), absl::StrCat("c", c),
                                   1'750'000'000'000 + c * 1000 + p, EventKind::PURCHASE,
                                   absl::StrCat("p", (c + p) % 9)));
      }
    }
    EXPECT_OK(house->Track(events, {}, Ack::kDurable).status());
  }

  Outcome Do(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--data", dir_.File("data")});
    return RunProgram(Vitrine(arguments));
  }
  // Kinds of problems, in order.
  std::vector<std::string> Problems() const {
    const Outcome outcome = Do({"status", "--json"});
    std::vector<std::string> kinds;
    const auto document = nlohmann::json::parse(outcome.out);
    for (const auto& row : document["tables"]["problems"]) kinds.push_back(row["problem"]);
    EXPECT_EQ(outcome.exit_code, kinds.empty() ? 0 : 1) << outcome.err;
    return kinds;
  }
  void MakeWell() const {
    EXPECT_EQ(Do({"train", "--site", "shop", "--factors", "4"}).exit_code, 0);
    EXPECT_EQ(Do({"settings", "set", "--site", "shop", "train_every_hours=24"}).exit_code, 0);
    EXPECT_EQ(Do({"backup", "--site", "shop", "--to", dir_.File("backups")}).exit_code, 0);
  }

  const TempDir dir_;
};

TEST_F(StatusTest, NamesProblemsFirstUntilAllIsWell) {
  EXPECT_EQ(Problems(), (std::vector<std::string>{"no_model", "no_backup"}));
  const Outcome ill = Do({"status"});
  EXPECT_EQ(ill.exit_code, 1);
  EXPECT_THAT(ill.out, StartsWith("! shop: there is no model: recommend answers Unavailable\n"
                                  "    -> vitrine train --site shop\n"
                                  "! shop: there is no backup\n"));
  EXPECT_THAT(ill.err, HasSubstr("2 problems"));
  MakeWell();
  const Outcome well = Do({"status"});
  EXPECT_EQ(well.exit_code, 0) << well.out;
  EXPECT_THAT(well.out, StartsWith("all is well\n"));
  EXPECT_THAT(well.out, HasSubstr("published"));
  EXPECT_EQ(Problems(), std::vector<std::string>());
}

TEST_F(StatusTest, AsksTheServerThatHasTheSite) {
  MakeWell();
  Process server(
      Vitrine({"serve", "--data", dir_.File("data"), "--port", "0", "--admin-port", "0"}));
  while (server.OutSoFar().find('\n') == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(Problems(), std::vector<std::string>());
  EXPECT_EQ(Do({"track", "--site", "shop", "--customer", "c1", "p1"}).exit_code, 0);
  const auto tables = nlohmann::json::parse(Do({"status", "--json"}).out)["tables"];
  EXPECT_EQ(tables["now"][0]["events/h"], 1);
  EXPECT_GE(int64_t{tables["now"][0]["requests"]}, 1);
  EXPECT_GT(int64_t{tables["now"][0]["memory MB"]}, 1);
  // A key that is gone while calls want one.
  const std::string made = Do({"keys", "create", "--site", "shop", "--days", "3", "--json"}).out;
  EXPECT_EQ(Problems(), std::vector<std::string>{"key_expires"}) << made;
}

TEST_F(StatusTest, ASiteThatCannotBeReadHidesNoOther) {
  Value(WebHouse::Open({.directory = dir_.File("data/other/db")}));
  ASSERT_EQ(::truncate(dir_.File("data/other/db/CURRENT").c_str(), 0), 0);
  EXPECT_EQ(Problems(), (std::vector<std::string>{"unreadable", "no_model", "no_backup"}));
}

TEST_F(StatusTest, AnEmptyFolderSaysHowToBegin) {
  const TempDir empty;
  const Outcome outcome = RunProgram(Vitrine({"status", "--data", empty.path()}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("-> vitrine ingest"));
}

}  // namespace
}  // namespace vitrine
