#include "store/web_house.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "store/codec.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeEvent;
using ::testing::Pair;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;

EventBatch BatchOf(std::vector<Event> events, const SourceState& from) {
  EventBatch batch;
  batch.source = from.name;
  batch.from_bytes = from.bytes;
  batch.from_lines = from.lines;
  batch.to_lines = from.lines + static_cast<int64_t>(events.size());
  batch.to_bytes = from.bytes + 100 * static_cast<int64_t>(events.size());
  batch.events = std::move(events);
  return batch;
}

class WebHouseTest : public ::testing::Test {
 protected:
  WebHouseTest() { Reopen(); }

  void Reopen() {
    house_.reset();
    house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  }

  CommitResult Commit(std::vector<Event> events, const std::string& source = "file") {
    const SourceState from = Value(house_->GetSource(source));
    return Value(house_->Commit(BatchOf(std::move(events), from), Ack::kDurable));
  }

  std::vector<std::string> HistoryOf(const Person& person) {
    std::vector<std::string> ids;
    EventCursor cursor = house_->History(person);
    for (; cursor.Valid(); cursor.Next()) ids.push_back(cursor.value().id);
    EXPECT_OK(cursor.Finish());
    return ids;
  }

  std::vector<std::string> DirtyIds() {
    std::vector<std::string> ids;
    for (const DirtyPerson& d : Value(house_->Dirty(1000))) ids.push_back(d.person.id);
    return ids;
  }

  // Changes one row behind the web house's back.
  void WriteRaw(const std::string& family, const std::string& key, const std::string& value) {
    house_.reset();
    testing::RawStore(dir_.File("db")).Put(family, key, value);
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_;
};

TEST_F(WebHouseTest, AHistoryIsNewestFirstAndOnlyThePersons) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM, "p1"),
          MakeEvent("b", "c1", kDay + 2, EventKind::VIEW_ITEM, "p2"),
          MakeEvent("c", "c1", kDay + 1, EventKind::PURCHASE, "p3"),
          MakeEvent("d", "c10", kDay, EventKind::PURCHASE, "p3"),
          MakeEvent("e", "v:c1", kDay, EventKind::PURCHASE, "p3")});
  EXPECT_THAT(HistoryOf(Person::Customer("c1")), ElementsAre("b", "c", "a"));
  EXPECT_THAT(HistoryOf(Person::Visitor("c1")), ElementsAre("e"));
  EXPECT_THAT(HistoryOf(Person::Customer("nobody")), ElementsAre());
}

TEST_F(WebHouseTest, AnEventIdCountsOnceInABatchAndAcrossBatches) {
  const Event event = MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM, "p1");
  const CommitResult first = Commit({event, event});
  EXPECT_EQ(first.accepted, 1);
  EXPECT_EQ(first.duplicate, 1);
  const CommitResult again = Commit({event}, "another file");
  EXPECT_EQ(again.accepted, 0);
  EXPECT_EQ(again.duplicate, 1);
  EXPECT_EQ(house_->GetTotals().events, 1);
}

// The three contents of one id arrive in every order, in one batch or in three.
TEST_F(WebHouseTest, OfConflictingContentsTheSameOneStandsWhateverCameFirst) {
  std::vector<Event> contents = {MakeEvent("same", "c1", kDay, EventKind::VIEW_ITEM, "p1"),
                                 MakeEvent("same", "c2", kDay + 5, EventKind::VIEW_ITEM, "p2"),
                                 MakeEvent("same", "c1", kDay, EventKind::PURCHASE, "p3")};
  std::vector<size_t> order = {0, 1, 2};
  std::string winner;
  do {
    for (const bool one_batch : {true, false}) {
      TempDir dir;
      auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
      CommitResult sum;
      std::vector<Event> batch;
      for (const size_t i : order) {
        batch.push_back(contents[i]);
        if (one_batch && batch.size() < contents.size()) continue;
        const CommitResult r = Value(house->Track(batch, {}, Ack::kApplied));
        sum.accepted += r.accepted;
        sum.conflicting_duplicate += r.conflicting_duplicate;
        batch.clear();
      }
      EXPECT_EQ(sum.accepted, 1);
      EXPECT_EQ(sum.conflicting_duplicate, 2);
      std::string rows;
      EventCursor cursor = house->Events();
      for (; cursor.Valid(); cursor.Next()) rows += EncodeRecord(cursor.value());
      ASSERT_OK(cursor.Finish());
      if (winner.empty()) winner = rows;
      EXPECT_EQ(rows, winner);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(WebHouseTest, BothOwnersOfAReplacedEventAreDirty) {
  const Event one = MakeEvent("same", "c1", kDay, EventKind::VIEW_ITEM, "p1");
  const Event two = MakeEvent("same", "c2", kDay, EventKind::VIEW_ITEM, "p1");
  Commit({one});
  Commit({two});
  Commit({one});
  const bool second_won = HistoryOf(Person::Customer("c1")).empty();
  if (second_won) {
    EXPECT_THAT(DirtyIds(), ElementsAre("c1", "c2"));
  } else {
    EXPECT_THAT(DirtyIds(), ElementsAre("c1"));
  }
}

TEST_F(WebHouseTest, EveryOutcomeIsCountedWithTheData) {
  EventBatch batch =
      BatchOf({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)}, Value(house_->GetSource("file")));
  Reject reject;
  reject.line = 2;
  reject.reason = "bad_time";
  reject.raw = "x,y";
  batch.rejects.push_back(reject);
  batch.ignored["not_a_product"] = 3;
  batch.to_lines = 5;
  ASSERT_OK(house_->Commit(batch, Ack::kDurable).status());
  Reopen();
  const SourceState state = Value(house_->GetSource("file"));
  EXPECT_THAT(state.outcomes, ElementsAre(Pair("accepted", 1), Pair("ignored:not_a_product", 3),
                                          Pair("rejected:bad_time", 1)));
  EXPECT_EQ(state.lines, 5);
  RejectCursor rejects = house_->Rejects("file");
  ASSERT_TRUE(rejects.Valid());
  EXPECT_EQ(rejects.value().raw, "x,y");
  EXPECT_OK(rejects.Finish());
}

TEST_F(WebHouseTest, RefusesABatchWhoseCountsDoNotAddUp) {
  EventBatch batch =
      BatchOf({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)}, Value(house_->GetSource("file")));
  batch.to_lines += 1;
  EXPECT_TRUE(absl::IsInvalidArgument(house_->Commit(batch, Ack::kApplied).status()));
}

Reject RejectAt(int64_t line, const std::string& reason) {
  Reject reject;
  reject.line = line;
  reject.reason = reason;
  return reject;
}

RejectPlace PlaceAt(int32_t generation, int64_t line) {
  RejectPlace place;
  place.generation = generation;
  place.line = line;
  return place;
}

TEST_F(WebHouseTest, ASourceThatStartsAgainKeepsItsRejects) {
  for (int reading = 0; reading < 2; ++reading) {
    EventBatch batch = BatchOf({}, Value(house_->GetSource("file")));
    batch.rejects = {RejectAt(1, "bad_time"), RejectAt(2, "bad_price")};
    batch.to_lines += 2;
    ASSERT_OK(house_->Commit(batch, Ack::kApplied).status());
    ASSERT_OK(house_->RestartSource("file"));
  }
  const std::vector<RejectSummary> sums = Value(house_->SummarizeRejects());
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0].reason, "bad_price");
  EXPECT_EQ(sums[0].lines, 2);
  EXPECT_EQ(sums[0].first, PlaceAt(0, 2));
  EXPECT_EQ(sums[0].last, PlaceAt(1, 2));
  Reopen();  // which checks the sums
}

TEST_F(WebHouseTest, RejectsComeInPages) {
  for (const char* source : {"a", "ab"}) {
    EventBatch batch = BatchOf({}, Value(house_->GetSource(source)));
    for (int line = 1; line <= 300; ++line) {
      batch.rejects.push_back(RejectAt(line, line % 3 == 0 ? "bad_time" : "bad_price"));
    }
    batch.to_lines = 300;
    ASSERT_OK(house_->Commit(batch, Ack::kApplied).status());
  }
  RejectQuery query;
  query.source = "a";
  query.reason = "bad_time";
  query.limit = 7;
  std::vector<int64_t> lines;
  do {
    const RejectPage page = Value(house_->FindRejects(query));
    EXPECT_LE(page.rejects.size(), 7u);
    for (const SourceReject& found : page.rejects) {
      EXPECT_EQ(found.source, "a");
      EXPECT_EQ(found.reject.reason, "bad_time");
      lines.push_back(found.reject.line);
    }
    query.after = page.resume;
  } while (!query.after.empty());
  ASSERT_EQ(lines.size(), 100u);
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], 3 * (static_cast<int64_t>(i) + 1));
  query.limit = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(house_->FindRejects(query).status()));
}

TEST_F(WebHouseTest, AReplayTakesOnlyRejectsThatAreThereAndEachOnce) {
  EventBatch batch = BatchOf({}, Value(house_->GetSource("file")));
  batch.rejects = {RejectAt(1, "bad_time"), RejectAt(2, "bad_time")};
  batch.to_lines = 2;
  ASSERT_OK(house_->Commit(batch, Ack::kApplied).status());

  EventBatch replay;
  replay.source = "file";
  replay.replays = {PlaceAt(0, 1), PlaceAt(0, 2)};
  replay.events = {MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)};
  replay.rejects = {RejectAt(3, "bad_price")};
  EXPECT_TRUE(absl::IsInvalidArgument(house_->Commit(replay, Ack::kApplied).status()));
  std::swap(replay.replays[0], replay.replays[1]);
  EXPECT_TRUE(absl::IsInvalidArgument(house_->Commit(replay, Ack::kApplied).status()));
  std::swap(replay.replays[0], replay.replays[1]);
  replay.rejects = {RejectAt(2, "bad_price")};
  ASSERT_OK(house_->Commit(replay, Ack::kApplied).status());
  EXPECT_TRUE(absl::IsAborted(house_->Commit(replay, Ack::kApplied).status()));
  Reopen();
  const SourceState state = Value(house_->GetSource("file"));
  EXPECT_THAT(state.outcomes, ElementsAre(Pair("accepted", 1), Pair("rejected:bad_price", 1)));
  EXPECT_EQ(state.lines, 2);
  EXPECT_EQ(state.bytes, batch.to_bytes);
}

TEST_F(WebHouseTest, ABatchSentTwiceCountsOnce) {
  const EventBatch batch =
      BatchOf({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)}, Value(house_->GetSource("file")));
  ASSERT_OK(house_->Commit(batch, Ack::kDurable).status());
  EXPECT_TRUE(absl::IsAborted(house_->Commit(batch, Ack::kDurable).status()));
  EXPECT_EQ(Value(house_->GetSource("file")).lines, 1);
}

TEST_F(WebHouseTest, ARestartedSourceKeepsItsCounts) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  ASSERT_OK(house_->RestartSource("file"));
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM),
          MakeEvent("b", "c1", kDay, EventKind::VIEW_ITEM)});
  Reopen();  // the sums are checked here
  const SourceState state = Value(house_->GetSource("file"));
  EXPECT_EQ(state.restarts, 1);
  EXPECT_THAT(state.outcomes, ElementsAre(Pair("accepted", 2), Pair("duplicate", 1)));
}

TEST_F(WebHouseTest, DoesNotOpenAStoreWhoseAccountingWasChanged) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  SourceState state = Value(house_->GetSource("file"));
  state.outcomes["accepted"] = 2;
  WriteRaw("default", "source/file", EncodeRecord(state));
  const absl::Status status = WebHouse::Open({.directory = dir_.File("db")}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("file"));
}

TEST_F(WebHouseTest, DoesNotOpenAnotherFormat) {
  WriteRaw("default", "format", std::string(8, '\x7f'));
  EXPECT_TRUE(absl::IsFailedPrecondition(WebHouse::Open({.directory = dir_.File("db")}).status()));
}

TEST_F(WebHouseTest, ADamagedRowEndsAScanWithAnError) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  WriteRaw("events", keys::EventKey(Person::Customer("c1"), kDay + 1, "x"), "no event");
  Reopen();
  EventCursor cursor = house_->History(Person::Customer("c1"));
  EXPECT_FALSE(cursor.Valid());
  EXPECT_TRUE(absl::IsDataLoss(cursor.Finish()));
}

TEST_F(WebHouseTest, ACursorDroppedUnfinishedStopsTheProcess) {
  EXPECT_DEATH({ EventCursor cursor = house_->Events(); }, "without Finish");
}

TEST_F(WebHouseTest, NewestFactsAboutAProductStandInAnyOrder) {
  const auto with_name = [](const std::string& id, int64_t time_ms, const std::string& name) {
    Event event = MakeEvent(id, "c1", time_ms, EventKind::PURCHASE, "p1");
    event.items[0].__set_name(name);
    event.items[0].__set_price_minor(time_ms % 1000);
    event.__set_currency("GBP");
    return event;
  };
  std::vector<Event> events = {with_name("a", kDay + 1, "old"), with_name("b", kDay + 9, "new"),
                               with_name("c", kDay + 5, "middle"),
                               MakeEvent("d", "c1", kDay + 20, EventKind::VIEW_ITEM, "p1")};
  std::sort(events.begin(), events.end(), [](auto& x, auto& y) { return x.id < y.id; });
  do {
    TempDir dir;
    auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
    for (const Event& event : events) ASSERT_OK(house->Track({event}, {}, Ack::kApplied).status());
    const Product product = Value(house->GetProduct("p1"));
    EXPECT_EQ(product.name, "new");
    EXPECT_EQ(product.price_minor, 9);
    EXPECT_EQ(house->GetTotals().products, 1);
  } while (std::next_permutation(events.begin(), events.end(),
                                 [](auto& x, auto& y) { return x.id < y.id; }));
}

TEST_F(WebHouseTest, EventsAreKeptWithoutProductFacts) {
  Event event = MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM, "p1");
  event.items[0].__set_name("a very long name that would be kept a thousand times");
  Commit({event});
  EventCursor cursor = house_->History(Person::Customer("c1"));
  ASSERT_TRUE(cursor.Valid());
  EXPECT_FALSE(cursor.value().items[0].__isset.name);
  EXPECT_OK(cursor.Finish());
}

TEST_F(WebHouseTest, DerivedRowsAreReplacedWholeAndTheMarkCleared) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  std::vector<DirtyPerson> dirty = Value(house_->Dirty(10));
  ASSERT_EQ(dirty.size(), 1u);
  Derived derived{dirty[0].person, dirty[0].mark, {}, Customer()};
  derived.customer->id = "c1";
  derived.sessions.resize(2);
  derived.sessions[0].start_ms = kDay;
  derived.sessions[1].start_ms = kDay + 1;
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  EXPECT_EQ(house_->GetTotals().sessions, 2);
  EXPECT_TRUE(DirtyIds().empty());
  derived.sessions.erase(derived.sessions.begin());
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  EXPECT_EQ(house_->GetTotals().sessions, 1);
  EXPECT_EQ(house_->GetTotals().customers, 1);
  SessionCursor sessions = house_->SessionsOf(Person::Customer("c1"));
  ASSERT_TRUE(sessions.Valid());
  EXPECT_EQ(sessions.value().start_ms, kDay + 1);
  EXPECT_OK(sessions.Finish());
}

TEST_F(WebHouseTest, APersonStaysDirtyWhenEventsCameSinceTheMarkWasRead) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  const DirtyPerson before = Value(house_->Dirty(10))[0];
  Commit({MakeEvent("b", "c1", kDay + 1, EventKind::VIEW_ITEM)});
  const Derived derived{before.person, before.mark, {}, {}};
  ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  EXPECT_THAT(DirtyIds(), ElementsAre("c1"));
}

TEST_F(WebHouseTest, AnotherSessionGapMarksEverybodyDirty) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM),
          MakeEvent("b", "v:x", kDay, EventKind::VIEW_ITEM)});
  for (const DirtyPerson& d : Value(house_->Dirty(10))) {
    const Derived derived{d.person, d.mark, {}, {}};
    ASSERT_OK(house_->ReplaceDerived({&derived, 1}));
  }
  ASSERT_TRUE(DirtyIds().empty());
  SiteSettings settings = house_->GetSettings();
  ASSERT_OK(house_->SetSettings(settings));
  EXPECT_TRUE(DirtyIds().empty());
  settings.session_gap_ms = 1000;
  ASSERT_OK(house_->SetSettings(settings));
  EXPECT_THAT(DirtyIds(), ElementsAre("c1", "x"));
  Reopen();
  EXPECT_EQ(house_->GetSettings().session_gap_ms, 1000);
}

TEST_F(WebHouseTest, ACheckpointIsACopyThatCannotBeWritten) {
  Commit({MakeEvent("a", "c1", kDay, EventKind::VIEW_ITEM)});
  ASSERT_OK(house_->Checkpoint(dir_.File("copy")));
  Commit({MakeEvent("b", "c1", kDay, EventKind::VIEW_ITEM)});
  auto copy = Value(WebHouse::OpenCheckpoint(dir_.File("copy")));
  EXPECT_EQ(copy->GetTotals().events, 1);
  const Event event = MakeEvent("c", "c1", kDay, EventKind::VIEW_ITEM);
  EXPECT_TRUE(absl::IsFailedPrecondition(copy->Track({event}, {}, Ack::kApplied).status()));
}

TEST_F(WebHouseTest, ConcurrentTrackersLoseAndDoubleNothing) {
  constexpr int kThreads = 4;
  constexpr int kEvents = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEvents; ++i) {
        // Every id is sent by two threads.
        const std::string id = std::to_string((t / 2) * kEvents + i);
        const Event event = MakeEvent(id, "c" + id, kDay + i, EventKind::VIEW_ITEM, "p");
        const Ack ack = i % 50 == 0 ? Ack::kDurable : Ack::kApplied;
        ASSERT_OK(house_->Track({event}, {}, ack).status());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Reopen();
  EXPECT_EQ(house_->GetTotals().events, kThreads / 2 * kEvents);
  EXPECT_EQ(Value(house_->GetSource("track")).lines, kThreads * kEvents);
}

TEST_F(WebHouseTest, RejectsOfLiveEventsAreKeptAtTheirPlaceInTheStream) {
  Reject reject;
  reject.line = 2;
  reject.reason = "bad_id";
  for (int call = 0; call < 2; ++call) {
    const Event event = MakeEvent(std::to_string(call), "c1", kDay, EventKind::VIEW_ITEM);
    ASSERT_OK(house_->Track({event}, {reject}, Ack::kApplied).status());
  }
  RejectCursor rejects = house_->Rejects("track");
  ASSERT_TRUE(rejects.Valid());
  EXPECT_EQ(rejects.value().line, 2);
  rejects.Next();
  ASSERT_TRUE(rejects.Valid());
  EXPECT_EQ(rejects.value().line, 4);
  EXPECT_OK(rejects.Finish());
}

TEST_F(WebHouseTest, ASecondOpenerIsTurnedAway) {
  EXPECT_TRUE(absl::IsFailedPrecondition(WebHouse::Open({.directory = dir_.File("db")}).status()));
}

TEST(WebHouse, SaysThatThereIsNoStore) {
  TempDir dir;
  EXPECT_TRUE(
      absl::IsNotFound(WebHouse::Open({.directory = dir.File("none"), .create = false}).status()));
  EXPECT_TRUE(absl::IsNotFound(WebHouse::OpenCheckpoint(dir.File("none")).status()));
}

}  // namespace
}  // namespace vitrine
