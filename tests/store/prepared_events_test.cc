// What is worked out ahead of a commit, beside a plain twin and beside commits without it.

#include "store/prepared_events.h"

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>
#include <xxhash.h>

#include "store/audit_verify.h"
#include "store/codec.h"
#include "store/privacy.h"
#include "store/web_house.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::IsEmpty;
using testing::MakeEvent;
using testing::RawStore;
using testing::TempDir;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;
constexpr int64_t kDayMs = 86'400'000;

// Few ids and few persons: duplicates, conflicts, logins and losers among them.
std::vector<Event> SomeEvents(std::mt19937* random) {
  std::vector<Event> events(1 + (*random)() % 60);
  for (Event& event : events) {
    const auto person = (*random)() % 8;
    event = MakeEvent(absl::StrCat((*random)() % 2 ? "a long beginning " : "", (*random)() % 150),
                      absl::StrCat(person % 2 == 0 ? "v:" : "", "p", person),
                      kDay + static_cast<int64_t>((*random)() % 3), EventKind::VIEW_ITEM,
                      absl::StrCat("product", (*random)() % 5));
    if ((*random)() % 2 == 0) event.items[0].__set_name(absl::StrCat("name", (*random)() % 3));
    if (person % 2 == 1 && (*random)() % 3 == 0) event.__set_visitor_id("p0");
  }
  return events;
}

EventBatch BatchOf(const std::vector<Event>& events, const SourceState& from) {
  EventBatch batch;
  batch.source = from.name;
  batch.from_bytes = from.bytes;
  batch.from_lines = from.lines;
  batch.to_bytes = from.bytes + 1;
  batch.to_lines = from.lines + static_cast<int64_t>(events.size());
  batch.events = events;
  for (size_t i = 0; i < events.size(); i += 3) batch.robots.push_back(static_cast<int32_t>(i));
  return batch;
}

// The rule by itself: of all contents of an id the one with the lowest digest stands.
struct Twin {
  CommitResult result;
  std::map<std::string, std::pair<uint64_t, std::string>> by_id;

  void Take(const EventBatch& batch) {
    for (size_t i = 0; i < batch.events.size(); ++i) {
      Event event = batch.events[i];
      for (Item& item : event.items) item.__isset.name = false;
      const std::string bytes = EncodeRecord(event);
      const uint64_t digest = XXH3_64bits(bytes.data(), bytes.size());
      const auto [it, is_new] = by_id.try_emplace(event.id, digest, bytes);
      if (is_new) {
        ++(i % 3 == 0 ? result.robot : result.accepted);
      } else if (it->second.first == digest) {
        ++result.duplicate;
      } else {
        ++result.conflicting_duplicate;
        if (digest < it->second.first) it->second = {digest, bytes};
      }
    }
  }
};

TEST(PreparedEvents, ACommitThatWasPreparedWritesTheSameBytesAsOneThatWasNot) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  TempDir dir;
  SimClock clock(kDay);
  Twin twin;
  CommitResult sum;
  {
    const WebHouse::Options options = {
        .directory = dir.File("plain"), .audit_key_path = dir.File("key"), .clock = &clock};
    WebHouse::Options other = options;
    other.directory = dir.File("ahead");
    const auto plain = Value(WebHouse::Open(options));
    const auto ahead = Value(WebHouse::Open(other));
    for (int i = 0; i < 30; ++i) {
      const EventBatch batch = BatchOf(SomeEvents(&random), Value(plain->GetSource("file")));
      twin.Take(batch);
      const CommitResult result = Value(plain->Commit(batch, Ack::kApplied));
      const auto prepared = Value(ahead->Prepare(batch));
      EXPECT_EQ(Value(ahead->Commit(batch, Ack::kApplied, prepared.get())), result);
      sum.accepted += result.accepted;
      sum.robot += result.robot;
      sum.duplicate += result.duplicate;
      sum.conflicting_duplicate += result.conflicting_duplicate;
    }
  }
  EXPECT_EQ(sum, twin.result);
  EXPECT_GT(sum.conflicting_duplicate, 10);
  for (const std::string name : {"plain", "ahead"}) {
    EXPECT_THAT(Value(VerifyAudit({dir.File(name), dir.File("key")})).problems, IsEmpty()) << name;
  }
  RawStore plain(dir.File("plain"));
  RawStore ahead(dir.File("ahead"));
  for (const std::string table :
       {"default", "events", "event_ids", "products", "dirty", "links", "conflicts", "audit"}) {
    EXPECT_EQ(ahead.All(table), plain.All(table)) << table;
  }
  std::multiset<std::string> stored, wanted;
  for (const auto& [key, value] : plain.All("events")) stored.insert(value);
  for (const auto& [id, content] : twin.by_id) wanted.insert(content.second);
  EXPECT_EQ(stored, wanted);
}

TEST(PreparedEvents, WhatExpiresAfterItWasPreparedIsNotWritten) {
  TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  const EventBatch batch =
      BatchOf({MakeEvent("old", "ann", kDay - 11 * kDayMs, EventKind::PAGE_VIEW),
               MakeEvent("new", "ann", kDay, EventKind::PAGE_VIEW)},
              Value(house->GetSource("file")));
  const auto prepared = Value(house->Prepare(batch));
  SiteSettings settings = house->GetSettings();
  settings.retention_days[EventKind::PAGE_VIEW] = 10;
  ASSERT_OK(house->SetSettings(settings));
  ASSERT_OK(Privacy(house.get()).ApplyRetention(kDay).status());
  const CommitResult result = Value(house->Commit(batch, Ack::kApplied, prepared.get()));
  EXPECT_EQ(result.ignored, 1);
  EXPECT_EQ(house->GetTotals().events, 1);
}

TEST(PreparedEvents, AnEventThatIsNotValidIsRefusedAhead) {
  TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  Event nobodys;
  nobodys.id = "e";
  const EventBatch batch = BatchOf({nobodys}, Value(house->GetSource("file")));
  EXPECT_TRUE(absl::IsInvalidArgument(house->Prepare(batch).status()));
}

TEST(PreparedEvents, OrdersAreThoseOfTheKeys) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::vector<Event> events = SomeEvents(&random);
  const PreparedEvents prepared(events, {}, nullptr);
  ASSERT_EQ(prepared.by_id().size(), events.size());
  ASSERT_EQ(prepared.by_key().size(), events.size());
  for (size_t i = 1; i < events.size(); ++i) {
    const uint32_t a = prepared.by_id()[i - 1], b = prepared.by_id()[i];
    EXPECT_LE(prepared.id_key(a), prepared.id_key(b));
    EXPECT_TRUE(prepared.id_key(a) != prepared.id_key(b) || a < b);
    EXPECT_LE(prepared.event_key(prepared.by_key()[i - 1]),
              prepared.event_key(prepared.by_key()[i]));
  }
}

}  // namespace
}  // namespace vitrine
