#include "recommender/segments/segment_index.h"

#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "store/segment_book.h"
#include "tests/recommender/segments_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::Number;
using testing::SegmentOf;
using testing::TempDir;
using testing::Value;
using testing::Words;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kNow = 19'802 * kDayMs;

SegmentSetVersion VersionOf(std::vector<Segment> segments) {
  SegmentSetVersion version;
  version.version = 1;
  version.content.segments = std::move(segments);
  return version;
}

class SegmentIndexTest : public ::testing::Test {
 protected:
  void SetUp() override { house_ = Value(WebHouse::Open({.directory = folder_.File("site")})); }

  void Do(const std::string& person, int64_t time_ms, EventKind kind, int64_t price_minor = 500) {
    Event event = MakeEvent(absl::StrCat("e", ++events_), person, time_ms, kind, "mug");
    event.items[0].__set_price_minor(price_minor);
    event.__set_currency("EUR");
    Keep(event);
  }
  void Keep(const Event& event) { ASSERT_OK(house_->Track({event}, {}, Ack::kApplied).status()); }
  void Know(const std::string& customer, const std::string& country) {
    EventBatch batch;
    batch.source = "file";
    const SourceState at = Value(house_->GetSource("file"));
    batch.from_bytes = at.bytes;
    batch.from_lines = at.lines;
    batch.to_bytes = at.bytes + 1;
    batch.to_lines = at.lines + 1;
    CustomerFacts& facts = batch.customers.emplace_back();
    facts.id = customer;
    facts.__set_country(country);
    facts.facts_time_ms = kNow;
    ASSERT_OK(house_->Commit(batch, Ack::kApplied).status());
  }

  static std::vector<Segment> Plain() {
    return {
        SegmentOf("zz-buyers", {Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1)}),
        SegmentOf("fresh", {Number(SegmentMeasure::DAYS_SINCE_LAST_SEEN, Relation::AT_MOST, 7)}),
        SegmentOf("french", {Words(SegmentMeasure::COUNTRY_IS, Relation::ONE_OF, {"FR"})})};
  }

  TempDir folder_;
  std::unique_ptr<WebHouse> house_;
  int64_t events_ = 0;
};

TEST_F(SegmentIndexTest, KnowsEverybodyWhoIsAnybody) {
  Do("anna", kNow - kDayMs, EventKind::PURCHASE);
  Do("bert", kNow - 30 * kDayMs, EventKind::VIEW_ITEM);
  Do("v:cookie", kNow - kDayMs, EventKind::PURCHASE);
  Know("anna", "DE");
  Know("aaron", "FR");  // the file knows them, the shop never saw them
  Know("zoe", "FR");
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  EXPECT_EQ(index.customers(), 4);
  EXPECT_THAT(*index.Of("anna"), ElementsAre("fresh", "zz-buyers"));
  EXPECT_THAT(*index.Of("bert"), IsEmpty());
  EXPECT_THAT(*index.Of("nobody"), IsEmpty());
  EXPECT_THAT(index.Sizes(), ElementsAre(1, 1, 2));
  EXPECT_THAT(Value(index.Members("french", "", 10)), ElementsAre("aaron", "zoe"));
  EXPECT_THAT(Value(index.Members("french", "", 1)), ElementsAre("aaron"));
  EXPECT_THAT(Value(index.Members("french", "aaron", 10)), ElementsAre("zoe"));
  EXPECT_TRUE(absl::IsNotFound(index.Members("german", "", 10).status()));
}

TEST_F(SegmentIndexTest, FollowsWhatACustomerDoes) {
  Do("anna", kNow - 30 * kDayMs, EventKind::VIEW_ITEM);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  EXPECT_THAT(*index.Of("anna"), IsEmpty());
  Do("anna", kNow, EventKind::PURCHASE);
  ASSERT_OK(index.Update(*house_, "anna", kNow));
  EXPECT_THAT(*index.Of("anna"), ElementsAre("fresh", "zz-buyers"));
  ASSERT_OK(index.Update(*house_, "nobody", kNow));
  EXPECT_EQ(index.customers(), 1);
}

TEST_F(SegmentIndexTest, WhatWasDoneBeforeALoginCounts) {
  Do("v:cookie", kNow - kDayMs, EventKind::PURCHASE);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  Event login = MakeEvent("login", "anna", kNow, EventKind::LOGIN);
  login.__set_visitor_id("cookie");
  Keep(login);
  ASSERT_OK(index.Update(*house_, "anna", kNow));
  EXPECT_THAT(*index.Of("anna"), ElementsAre("fresh", "zz-buyers"));
}

TEST_F(SegmentIndexTest, TimeMovesPeopleByItself) {
  Do("anna", kNow - 2 * kDayMs, EventKind::VIEW_ITEM);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  EXPECT_EQ(index.next_due_ms(), kNow + 5 * kDayMs + 1);
  EXPECT_EQ(Value(index.UpdateDue(*house_, kNow + 5 * kDayMs, 10)), 0u);
  EXPECT_THAT(*index.Of("anna"), ElementsAre("fresh"));
  EXPECT_EQ(Value(index.UpdateDue(*house_, kNow + 5 * kDayMs + 1, 10)), 1u);
  EXPECT_THAT(*index.Of("anna"), IsEmpty());
  EXPECT_EQ(index.next_due_ms(), kNeverMs);
}

TEST_F(SegmentIndexTest, RobotsAreInNothing) {
  Do("anna", kNow, EventKind::PURCHASE);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  const Person anna = Person::Customer("anna");
  Derived derived;
  derived.person = anna;
  derived.mark = Value(house_->MarkOf(anna));
  derived.robot = {"behaviour:rate"};
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  ASSERT_OK(index.Update(*house_, "anna", kNow));
  EXPECT_EQ(index.customers(), 0);
  EXPECT_THAT(index.Sizes(), ElementsAre(0, 0, 0));
  SegmentIndex again(VersionOf(Plain()), nullptr);
  ASSERT_OK(again.Build(*house_, kNow));
  EXPECT_EQ(again.customers(), 0);
}

TEST_F(SegmentIndexTest, ABuildThatIsStoppedSaysSo) {
  Do("anna", kNow, EventKind::PURCHASE);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  EXPECT_TRUE(absl::IsCancelled(index.Build(*house_, kNow, [] { return false; })));
}

// Kept one by one, over weeks of a small shop, the memberships are those that looking at everybody
// would give at any moment.
TEST_F(SegmentIndexTest, IsWhatLookingAtEverybodyWouldGive) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 rng(seed);
  const auto below = [&rng](int n) { return static_cast<int>(rng() % static_cast<uint64_t>(n)); };
  SegmentTest spent = Number(SegmentMeasure::BOUGHT_MINOR, Relation::AT_LEAST, 2000, 10);
  spent.currency = "EUR";
  std::vector<Segment> segments = Plain();
  segments.push_back(SegmentOf("spenders", {spent}));
  segments.push_back(
      SegmentOf("visitors", {Number(SegmentMeasure::VISIT_COUNT, Relation::AT_LEAST, 3, 5)}));
  segments.push_back(
      SegmentOf("gone", {Number(SegmentMeasure::DAYS_SINCE_LAST_SEEN, Relation::AT_LEAST, 6.5),
                         Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1)}));
  segments.push_back(segments.back());
  segments.back().id = "not-gone";
  segments.back().conditions[0].negated = true;
  const SegmentSetVersion version = VersionOf(segments);
  SegmentIndex kept(version, nullptr);
  int64_t now_ms = kNow;
  ASSERT_OK(kept.Build(*house_, now_ms));
  int compared = 0;
  for (int step = 0; step < 400; ++step) {
    now_ms += below(12) * kHourMs + below(1000);
    const std::string customer = absl::StrCat("c", below(12));
    static constexpr EventKind kKinds[] = {EventKind::VIEW_ITEM, EventKind::PURCHASE,
                                           EventKind::REFUND};
    // Some come late, and some from a clock that is ahead.
    const int64_t time_ms = now_ms - below(3) * below(9) * kHourMs + (below(9) == 0 ? 300'000 : 0);
    Do(customer, time_ms, kKinds[below(3)], 100 * (1 + below(20)));
    ASSERT_OK(kept.Update(*house_, customer, now_ms));
    if (below(5) != 0) continue;
    now_ms += below(48) * kHourMs;
    while (Value(kept.UpdateDue(*house_, now_ms, 5)) > 0) {
    }
    SegmentIndex anew(version, nullptr);
    ASSERT_OK(anew.Build(*house_, now_ms));
    ASSERT_EQ(kept.Sizes(), anew.Sizes());
    for (int c = 0; c < 12; ++c) {
      const std::string id = absl::StrCat("c", c);
      ASSERT_EQ(*kept.Of(id), *anew.Of(id)) << id << " at step " << step;
      ++compared;
    }
  }
  EXPECT_GT(compared, 300);
}

TEST_F(SegmentIndexTest, IsReadWhileItChanges) {
  for (int c = 0; c < 50; ++c) Do(absl::StrCat("c", c), kNow - kDayMs, EventKind::VIEW_ITEM);
  SegmentIndex index(VersionOf(Plain()), nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      for (const std::string& id : *index.Of("c7")) EXPECT_FALSE(id.empty());
      EXPECT_LE(Value(index.Members("fresh", "", 100)).size(), 50u);
    }
  });
  for (int round = 0; round < 20; ++round) {
    for (int c = 0; c < 50; ++c) {
      ASSERT_OK(index.Update(*house_, absl::StrCat("c", c), kNow + round * kDayMs));
    }
  }
  done = true;
  reader.join();
  EXPECT_EQ(index.Sizes()[1], 0);
}

TEST_F(SegmentIndexTest, WorthIsOfTheFittedModel) {
  // Two in three come back every ten days; the others came once.
  for (int c = 0; c < 90; ++c) {
    const std::string id = absl::StrCat("c", c);
    Do(id, kNow - (100 + c % 7) * kDayMs, EventKind::PURCHASE);
    for (int n = 1; c % 3 != 0 && n < 8 + c % 2; ++n) {
      Do(id, kNow - (100 - 10 * n + c % 7) * kDayMs, EventKind::PURCHASE);
    }
  }
  SegmentIndex index(
      VersionOf({SegmentOf("alive", {Number(SegmentMeasure::ALIVE, Relation::AT_LEAST, 0.5)}),
                 SegmentOf("loyal",
                           {Words(SegmentMeasure::LIFE_STAGE_IS, Relation::ONE_OF, {"loyal"})})}),
      nullptr);
  ASSERT_OK(index.Build(*house_, kNow));
  ASSERT_NE(index.worth(), nullptr);
  EXPECT_EQ(index.worth()->options.currency, "EUR");
  const auto value = Value(WorthOf(*house_, *index.worth(), "c1", kNow));
  ASSERT_TRUE(value);
  EXPECT_EQ(index.Of("c1")->empty(), value->alive < 0.5 && value->stage != LifeStage::kLoyal);
  for (int c = 0; c < 90; ++c) {
    const std::string id = absl::StrCat("c", c);
    const std::vector<std::string> before = *index.Of(id);
    ASSERT_OK(index.Update(*house_, id, kNow));
    EXPECT_EQ(*index.Of(id), before) << id;
  }
}

TEST_F(SegmentIndexTest, TheBookKeepsEveryVersion) {
  SegmentBook book(house_.get());
  EXPECT_EQ(Value(book.Segments()).version, 0);
  SegmentSet set;
  set.segments = Plain();
  EXPECT_EQ(Value(book.SetSegments(set, 0, "anna", "first")).version, 1);
  set.segments.pop_back();
  EXPECT_TRUE(absl::IsAborted(book.SetSegments(set, 0, "bert", "too late").status()));
  EXPECT_EQ(Value(book.SetSegments(set, 1, "bert", "second")).version, 2);
  house_.reset();
  house_ = Value(WebHouse::Open({.directory = folder_.File("site")}));
  SegmentBook again(house_.get());
  const SegmentSetVersion now = Value(again.Segments());
  EXPECT_EQ(now.content, set);
  EXPECT_EQ(now.who, "bert");
  const std::vector<SegmentSetVersion> history = Value(again.History(10));
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[1].comment, "first");
  EXPECT_EQ(history[1].content.segments.size(), 3u);
}

}  // namespace
}  // namespace vitrine
