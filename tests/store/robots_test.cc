// Robots in the web house: how they are counted, what is kept of a verdict, and what the settings
// and lists that verdicts and sessions depend on make old.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

Event View(const std::string& id, const std::string& person) {
  return MakeEvent(id, person, kDay, EventKind::VIEW_ITEM, "p");
}

class RobotsTest : public ::testing::Test {
 protected:
  RobotsTest() { Reopen(); }

  void Reopen() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  }

  absl::StatusOr<CommitResult> Commit(std::vector<Event> events, std::vector<int32_t> robots) {
    const SourceState from = Value(house_->GetSource("log"));
    EventBatch batch;
    batch.source = "log";
    batch.from_lines = from.lines;
    batch.to_lines = from.lines + static_cast<int64_t>(events.size());
    batch.events = std::move(events);
    batch.robots = std::move(robots);
    return house_->Commit(batch, Ack::kApplied);
  }

  // Writes verdicts for all who are dirty: `sources` for everybody.
  void DeriveAs(const std::vector<std::string>& sources) {
    std::vector<Derived> rows;
    for (const DirtyPerson& d : Value(house_->Dirty(1000))) {
      Derived& row = rows.emplace_back();
      row.person = d.person;
      row.mark = d.mark;
      row.robot = sources;
      row.sessions.resize(1);
      row.sessions[0].start_ms = kDay;
    }
    ASSERT_OK(house_->ReplaceDerived(rows));
  }

  std::vector<std::string> Robots() {
    std::vector<std::string> shown;
    RobotCursor cursor = house_->Robots();
    for (; cursor.Valid(); cursor.Next()) {
      std::string text = cursor.person().id + ":";
      for (const std::string& source : cursor.value().sources) text += " " + source;
      if (cursor.value().__isset.decided) text += cursor.value().decided ? " (yes)" : " (no)";
      shown.push_back(text);
    }
    EXPECT_OK(cursor.Finish());
    EXPECT_EQ(house_->GetTotals().robots, static_cast<int64_t>(shown.size()));
    return shown;
  }

  std::vector<std::string> DirtyIds() {
    std::vector<std::string> ids;
    for (const DirtyPerson& d : Value(house_->Dirty(1000))) ids.push_back(d.person.id);
    return ids;
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_;
};

TEST_F(RobotsTest, ARobotsEventIsKeptAndCountedApartAndADuplicateStaysOne) {
  const CommitResult first =
      Value(Commit({View("a", "v:x"), View("b", "v:x"), View("a", "v:x")}, {1, 2}));
  EXPECT_EQ(first.accepted, 1);
  EXPECT_EQ(first.robot, 1);
  EXPECT_EQ(first.duplicate, 1);
  const CommitResult again = Value(Commit({View("b", "v:x"), View("c", "v:x")}, {0, 1}));
  EXPECT_EQ(again.robot, 1);
  EXPECT_EQ(again.duplicate, 1);
  const CommitResult live = Value(house_->Track({View("d", "v:y")}, {}, Ack::kApplied, {0}));
  EXPECT_EQ(live.robot, 1);
  EXPECT_EQ(house_->GetTotals().events, 4);
  EXPECT_EQ(Value(house_->GetSource("log")).outcomes.at("robot"), 2);
  Reopen();  // the sums are checked
  EXPECT_EQ(house_->GetTotals().events, 4);
}

TEST_F(RobotsTest, PositionsThatAreNoneAreRefused) {
  for (const std::vector<int32_t>& robots :
       std::vector<std::vector<int32_t>>{{1}, {-1}, {0, 0}, {0, 1}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Commit({View("a", "v:x")}, robots).status()));
  }
  EXPECT_EQ(house_->GetTotals().events, 0);
}

TEST_F(RobotsTest, AVerdictComesAndGoesWithWhatItIsDerivedFrom) {
  ASSERT_OK(Commit({View("a", "v:x"), View("b", "ann")}, {}).status());
  DeriveAs({"list:one", "list:two"});
  EXPECT_THAT(Robots(), ElementsAre("ann: list:one list:two", "x: list:one list:two"));
  Reopen();
  ASSERT_OK(Commit({View("c", "v:x")}, {}).status());
  DeriveAs({});
  EXPECT_THAT(Robots(), ElementsAre("ann: list:one list:two"));
}

TEST_F(RobotsTest, WhatAnOperatorDecidedOutlastsEveryDerivation) {
  ASSERT_OK(Commit({View("a", "v:x")}, {}).status());
  DeriveAs({"list:one"});
  ASSERT_OK(house_->DecideRobot(Person::Visitor("x"), false));
  const std::vector<DirtyPerson> dirty = Value(house_->Dirty(10));
  ASSERT_EQ(dirty.size(), 1u);
  EXPECT_EQ(dirty[0].decided, std::optional<bool>(false));
  DeriveAs({});
  EXPECT_THAT(Robots(), ElementsAre("x: (no)"));

  ASSERT_OK(house_->DecideRobot(Person::Visitor("x"), true));
  DeriveAs({"operator"});
  EXPECT_THAT(Robots(), ElementsAre("x: operator (yes)"));
  ASSERT_OK(house_->DecideRobot(Person::Visitor("x"), std::nullopt));
  EXPECT_EQ(Value(house_->Dirty(10))[0].decided, std::nullopt);
  DeriveAs({});
  EXPECT_THAT(Robots(), IsEmpty());
  EXPECT_FALSE(house_->DecideRobot(Person::Visitor(""), true).ok());
}

TEST_F(RobotsTest, ADecisionThatCameMeanwhileIsNotWrittenOver) {
  ASSERT_OK(Commit({View("a", "v:x")}, {}).status());
  const DirtyPerson before = Value(house_->Dirty(10))[0];
  ASSERT_OK(house_->DecideRobot(Person::Visitor("x"), false));
  Derived stale;
  stale.person = before.person;
  stale.mark = before.mark;
  stale.robot = {"list:one"};
  ASSERT_OK(house_->ReplaceDerived({&stale, 1}));
  EXPECT_THAT(DirtyIds(), ElementsAre("x"));
  EXPECT_EQ(Value(house_->Dirty(10))[0].decided, std::optional<bool>(false));
}

TEST_F(RobotsTest, AScanBesideTheEventsFindsEveryRobotAndNobodyElse) {
  ASSERT_OK(Commit({View("1", "ann"), View("2", "bob"), View("3", "v:x"), View("4", "v:y")}, {})
                .status());
  for (const Person& robot : {Person::Customer("bob"), Person::Customer("nobody"),
                              Person::Visitor("y"), Person::Visitor("z")}) {
    ASSERT_OK(house_->DecideRobot(robot, true));
  }
  RobotScan scan(house_->Robots());
  std::vector<std::string> found;
  EventCursor events = house_->Events();
  for (; events.Valid(); events.Next()) {
    const std::string key = keys::PersonPrefix(events.person());
    if (scan.Find(key) != nullptr) found.push_back(events.person().id);
    EXPECT_FALSE(scan.IsRobot(key));  // decided on, but not derived yet
  }
  EXPECT_OK(events.Finish());
  EXPECT_OK(scan.Finish());
  EXPECT_THAT(found, ElementsAre("bob", "y"));
}

TEST_F(RobotsTest, OtherListsMarkEverybodyDirtyTheSameOnesNobody) {
  ASSERT_OK(house_->UseRobotLists(7));
  ASSERT_OK(Commit({View("a", "ann"), View("b", "v:x")}, {}).status());
  DeriveAs({});
  ASSERT_OK(house_->UseRobotLists(7));
  EXPECT_THAT(DirtyIds(), IsEmpty());
  Reopen();
  ASSERT_OK(house_->UseRobotLists(8));
  EXPECT_THAT(DirtyIds(), ElementsAre("ann", "x"));
}

TEST_F(RobotsTest, APatchChangesWhatItNamesAndNothingElse) {
  SiteSettings before;
  before.session_gap_ms = 60'000;
  before.exclude_bought = false;
  before.hosts = {"shop.example"};
  ASSERT_OK(house_->SetSettings(before));
  SiteSettingsPatch patch;
  ASSERT_OK(house_->PatchSettings(patch));
  EXPECT_EQ(house_->GetSettings(), before);
  patch.__set_session_max_ms(7'200'000);
  ASSERT_OK(house_->PatchSettings(patch));
  SiteSettings after = before;
  after.session_max_ms = 7'200'000;
  EXPECT_EQ(house_->GetSettings(), after);
  Reopen();
  EXPECT_EQ(house_->GetSettings(), after);
}

TEST_F(RobotsTest, OnlySettingsThatSessionsDependOnMakeThemOld) {
  ASSERT_OK(Commit({View("a", "ann")}, {}).status());
  const auto makes_dirty = [&](void (*change)(SiteSettings*)) {
    DeriveAs({});
    SiteSettings settings = house_->GetSettings();
    change(&settings);
    EXPECT_OK(house_->SetSettings(settings));
    return !DirtyIds().empty();
  };
  EXPECT_TRUE(makes_dirty([](SiteSettings* s) { s->session_max_ms += 1; }));
  EXPECT_TRUE(makes_dirty([](SiteSettings* s) { s->session_gap_ms += 1; }));
  EXPECT_TRUE(makes_dirty([](SiteSettings* s) { s->cut_at_campaign = true; }));
  EXPECT_TRUE(makes_dirty([](SiteSettings* s) { s->hosts = {"shop.example"}; }));
  EXPECT_TRUE(makes_dirty([](SiteSettings* s) { s->customers_per_visitor_max = 9; }));
  EXPECT_FALSE(makes_dirty([](SiteSettings* s) { s->exclude_bought = !s->exclude_bought; }));
  EXPECT_FALSE(makes_dirty([](SiteSettings* s) { s->retention_days[EventKind::SEARCH] = 9; }));
}

TEST_F(RobotsTest, SettingsThatMakeNoSenseAreRefusedByName) {
  const auto refused = [&](void (*change)(SiteSettings*), const std::string& says) {
    SiteSettings settings;
    change(&settings);
    const absl::Status status = house_->SetSettings(settings);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << says;
    EXPECT_THAT(std::string(status.message()), HasSubstr(says));
  };
  refused([](SiteSettings* s) { s->session_gap_ms = 0; }, "session gap");
  refused([](SiteSettings* s) { s->session_max_ms = s->session_gap_ms - 1; }, "longest session");
  refused([](SiteSettings* s) { s->customers_per_visitor_max = 0; }, "customers_per_visitor_max");
  refused([](SiteSettings* s) { s->retention_days[EventKind::SEARCH] = 0; }, "retention");
  refused([](SiteSettings* s) { s->hosts = {""}; }, "hosts");
  refused([](SiteSettings* s) { s->hosts.resize(65, "h"); }, "hosts");
  EXPECT_EQ(house_->GetSettings(), SiteSettings());
}

}  // namespace
}  // namespace vitrine
