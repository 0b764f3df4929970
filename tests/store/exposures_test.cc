#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "store/backup.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;

// `whose`: "ann" a customer, "v:cookie" a visitor, "" nobody.
Exposure Shelf(const std::string& id, const std::string& whose, int64_t time_ms) {
  Exposure shelf;
  shelf.id = id;
  shelf.time_ms = time_ms;
  shelf.placement = "home";
  if (whose.starts_with("v:")) {
    shelf.__set_visitor_id(whose.substr(2));
  } else if (!whose.empty()) {
    shelf.__set_customer_id(whose);
  }
  shelf.model_id = "m1";
  for (const char* const product : {"p1", "p2"}) {
    shelf.products.emplace_back().product_id = product;
    shelf.products.back().source = Source::TASTE;
  }
  return shelf;
}

class ExposuresTest : public ::testing::Test {
 protected:
  void Add(const std::vector<Exposure>& shelves) { ASSERT_OK(house_->AddExposures(shelves)); }

  std::vector<std::string> IdsOf(const Person& person, int64_t since_ms = INT64_MIN,
                                 size_t limit = SIZE_MAX) {
    std::vector<std::string> ids;
    EXPECT_OK(house_->ForEachExposureOf(
        person, since_ms, limit, [&ids](const Exposure& shelf) { ids.push_back(shelf.id); }));
    return ids;
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
};

TEST_F(ExposuresTest, ArePersonByPersonNewestFirstAndFoundByTheirId) {
  Add({Shelf("a", "ann", kDay), Shelf("c", "ann", kDay + 2), Shelf("b", "ann", kDay + 1)});
  Add({Shelf("d", "v:ann", kDay), Shelf("e", "", kDay), Shelf("f", "bob", kDay)});
  const Person ann = Person::Customer("ann");
  EXPECT_THAT(IdsOf(ann), ElementsAre("c", "b", "a"));
  EXPECT_THAT(IdsOf(ann, kDay + 1), ElementsAre("c", "b"));
  EXPECT_THAT(IdsOf(ann, kDay, 1), ElementsAre("c"));
  EXPECT_THAT(IdsOf(Person::Visitor("ann")), ElementsAre("d"));
  EXPECT_THAT(IdsOf(Person::Customer("an")), IsEmpty());
  EXPECT_EQ(Value(house_->GetExposure("f")), Shelf("f", "bob", kDay));
  EXPECT_TRUE(absl::IsNotFound(house_->GetExposure("g").status()));
  ExposureCursor nobody = house_->ExposuresOfNobody();
  ASSERT_TRUE(nobody.Valid());
  EXPECT_EQ(nobody.value(), Shelf("e", "", kDay));
  nobody.Next();
  EXPECT_FALSE(nobody.Valid());
  ASSERT_OK(nobody.Finish());
}

TEST_F(ExposuresTest, OfAVisitorAreTheCustomersOnceTheyLogIn) {
  Add({Shelf("before", "v:cookie", kDay - 1), Shelf("own", "ann", kDay + 1),
       Shelf("after", "v:cookie", kDay + 2)});
  EXPECT_THAT(IdsOf(Person::Visitor("cookie")), ElementsAre("after", "before"));
  Event login = MakeEvent("login", "ann", kDay, EventKind::LOGIN);
  login.__set_visitor_id("cookie");
  ASSERT_OK(house_->Track({login}, {}, Ack::kApplied).status());
  EXPECT_THAT(IdsOf(Person::Visitor("cookie")), IsEmpty());
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("after", "own", "before"));
  EXPECT_THAT(IdsOf(Person::Customer("ann"), kDay, 1), ElementsAre("after"));
  ASSERT_OK(house_->Unlink("ann", "cookie"));
  EXPECT_THAT(IdsOf(Person::Visitor("cookie")), ElementsAre("after", "before"));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("own"));
}

// Who goes on from here need not look for a device among customers' rows.
TEST_F(ExposuresTest, ThatNameACustomerAreKeptWithoutTheVisitor) {
  Exposure both = Shelf("both", "ann", kDay);
  both.__set_visitor_id("cookie");
  Add({both});
  EXPECT_EQ(Value(house_->GetExposure("both")), Shelf("both", "ann", kDay));
  EXPECT_THAT(IdsOf(Person::Visitor("cookie")), IsEmpty());
}

TEST_F(ExposuresTest, WithEventsAndLoginsSayWhoThereIs) {
  Add({Shelf("1", "v:only shown", kDay), Shelf("2", "ann", kDay), Shelf("3", "", kDay),
       Shelf("4", "ann", kDay + 1)});
  Event login = MakeEvent("login", "ann b", kDay, EventKind::LOGIN);
  login.__set_visitor_id("only logged in");
  ASSERT_OK(house_
                ->Track({login, MakeEvent("6", "ann", kDay, EventKind::SEARCH),
                         MakeEvent("7", "v:ann", kDay, EventKind::SEARCH)},
                        {}, Ack::kApplied)
                .status());
  std::vector<std::string> persons;
  ASSERT_OK(house_->ForEachPerson([&persons](const Person& person) {
    persons.push_back(absl::StrCat(std::string(1, static_cast<char>(person.kind)), person.id));
    return absl::OkStatus();
  }));
  EXPECT_THAT(persons, ElementsAre("cann", "cann b", "vann", "vonly logged in", "vonly shown"));
  const absl::Status enough = house_->ForEachPerson(
      [](const Person&) -> absl::Status { return absl::CancelledError("enough"); });
  EXPECT_TRUE(absl::IsCancelled(enough)) << enough;
}

TEST_F(ExposuresTest, NeitherCountAsACommitNorReachTheTotals) {
  const uint64_t version = house_->Version();
  Add({Shelf("a", "ann", kDay)});
  Add({Shelf("a", "ann", kDay)});  // sent again: the same row
  EXPECT_EQ(house_->Version(), version);
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("a"));
  house_.reset();
  house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("a"));
}

TEST_F(ExposuresTest, OfWhichOneIsWrongNoneIsKept) {
  Exposure wrong = Shelf("b", "bob", kDay);
  wrong.products[1].product_id = "p\n";
  const absl::Status status =
      house_->AddExposures(std::vector<Exposure>{Shelf("a", "ann", kDay), wrong});
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), HasSubstr("product"));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), IsEmpty());
}

TEST_F(ExposuresTest, AreRefusedWhileTheDiskIsNearlyFull) {
  house_.reset();
  bool full = true;
  house_ = Value(WebHouse::Open({.directory = dir_.File("db"), .disk_space = [&](const auto&) {
                                   return DiskSpace{.free_bytes = full ? 1 : int64_t{1} << 39,
                                                    .total_bytes = int64_t{1} << 40};
                                 }}));
  const std::vector<Exposure> shelf = {Shelf("a", "ann", kDay)};
  EXPECT_TRUE(absl::IsResourceExhausted(house_->AddExposures(shelf)));
  full = false;
  EXPECT_OK(house_->AddExposures(shelf));
}

TEST_F(ExposuresTest, AreInCheckpointsWhichTakeNone) {
  Add({Shelf("a", "ann", kDay)});
  ASSERT_OK(house_->Checkpoint(dir_.File("copy")));
  house_ = Value(WebHouse::OpenCheckpoint(dir_.File("copy")));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("a"));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      house_->AddExposures(std::vector<Exposure>{Shelf("b", "ann", kDay)})));
}

TEST_F(ExposuresTest, AreInBackups) {
  Add({Shelf("a", "ann", kDay)});
  const SimClock clock(kDay);
  const BackupManifest made =
      Value(MakeBackup(*house_, "gifts", dir_.path(), {.directory = dir_.File("backups")}, clock));
  ASSERT_OK(RestoreBackup(dir_.File("backups"), made.id, dir_.File("back"), clock).status());
  house_ = Value(WebHouse::Open({.directory = dir_.File("back/db"), .create = false}));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("a"));
}

TEST_F(ExposuresTest, SurviveKill9) {
  const std::string folder = dir_.File("killed");
  const pid_t child = ::fork();
  if (child == 0) {
    auto house = WebHouse::Open({.directory = folder + "/db"});
    const std::vector<Exposure> shelf = {Shelf("a", "ann", kDay)};
    if (!house.ok() || !(*house)->AddExposures(shelf).ok()) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  house_ = Value(WebHouse::Open({.directory = folder + "/db", .create = false}));
  EXPECT_THAT(IdsOf(Person::Customer("ann")), ElementsAre("a"));
}

}  // namespace
}  // namespace vitrine
