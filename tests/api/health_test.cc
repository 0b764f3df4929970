// What an operator is told, and when.

#include "api/service/health.h"

#include <functional>
#include <string>
#include <vector>

#include "tests/api/service_testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kDayMs;
using testing::kNow;

constexpr int64_t kHourMs = kDayMs / 24;

// A site of which nothing is to be said.
SiteFacts Well() {
  SiteFacts facts;
  facts.site = "shop";
  facts.now_ms = kNow;
  facts.up_ms = 3 * kDayMs;
  facts.model_trained_at_ms = kNow - kHourMs;
  facts.training.outcome = "published";
  facts.training.events = facts.totals.events = 1000;
  facts.settings.train_every_hours = 24;
  facts.store.disk = {100'000'000'000, 200'000'000'000};
  facts.store.disk_bytes_reserved = 1'000'000'000;
  facts.lately = {.accepted = 960, .robot = 0, .rejected = 40, .future = 10};
  facts.ever = facts.lately;
  facts.last_event_ago_ms = 1000;
  facts.tracked_before = true;
  facts.backup = BackupState{"/backups/shop", {kNow - kDayMs, 1, 1}, {}, {}};
  facts.process = {.serves = true, .requests = 1'000'000};
  return facts;
}

ApiKey KeyThatEnds(int64_t at_ms) {
  ApiKey key;
  key.id = "0123456789abcdef";
  key.__set_expires_ms(at_ms);
  return key;
}

struct Case {
  const char* kind;
  std::function<void(SiteFacts*)> spoil;
  const char* what;
  const char* advice;
};

TEST(HealthTest, NothingIsSaidOfASiteThatIsWell) { EXPECT_THAT(ProblemsOf(Well()), IsEmpty()); }

TEST(HealthTest, EachThingThatIsWrongIsNamedAloneWithWhatToDo) {
  const Case cases[] = {
      {"no_model", [](SiteFacts* f) { f->model_trained_at_ms.reset(); }, "no model",
       "vitrine train --site shop"},
      {"model_old",
       [](SiteFacts* f) { *f->model_trained_at_ms -= 48 * kHourMs, f->totals.events++; },
       "2 days old", "vitrine train"},
      {"training_failed",
       [](SiteFacts* f) { f->training.outcome = "failed", f->training.problem = "no room"; },
       "no room", "vitrine train"},
      {"training_refused",
       [](SiteFacts* f) {
         f->training.outcome = "worse";
         f->training.gate_ndcg = 0.1, f->training.gate_served_ndcg = 0.2;
       },
       "NDCG@20 0.1000, not 0.2000", "--force"},
      {"disk_low", [](SiteFacts* f) { f->store.disk.free_bytes = 1'900'000'000; }, "1900 MB",
       "below 1000 MB"},
      {"disk_full", [](SiteFacts* f) { f->store.disk.free_bytes = 900'000'000; }, "900 MB",
       "make room"},
      {"store_failed", [](SiteFacts* f) { f->store.broken = absl::UnavailableError("EIO"); }, "EIO",
       "disk"},
      {"store_stalled", [](SiteFacts* f) { f->store.writes_stopped = true; }, "stopped", "slow"},
      {"rejects_many", [](SiteFacts* f) { f->lately.rejected = 60; }, "6 %", "vitrine rejects"},
      {"robots_many", [](SiteFacts* f) { f->lately.robot = 1100; }, "52 %", "vitrine robots"},
      {"clock_skew", [](SiteFacts* f) { f->lately.future = 11; }, "of the future", "timedatectl"},
      {"clock_skew", [](SiteFacts* f) { f->backup->backup.at_ms = kNow + kDayMs; }, "later time",
       "timedatectl"},
      {"events_stopped", [](SiteFacts* f) { f->last_event_ago_ms = 3 * kHourMs; }, "3 h",
       "tracker"},
      {"events_stopped", [](SiteFacts* f) { f->last_event_ago_ms.reset(); }, "3 days", "tracker"},
      {"no_schedule", [](SiteFacts* f) { f->settings.train_every_hours = 0; }, "by hand",
       "train_every_hours=24"},
      {"no_keys", [](SiteFacts* f) { f->process.keys_required = true; }, "none opens",
       "vitrine keys create"},
      {"key_expires", [](SiteFacts* f) { f->keys = {KeyThatEnds(kNow + kDayMs)}; }, "24 h",
       "vitrine keys rotate 0123456789abcdef --site shop"},
      {"no_backup", [](SiteFacts* f) { f->backup.reset(); }, "no backup", "vitrine backup"},
      {"backup_old", [](SiteFacts* f) { f->backup->backup.at_ms -= 8 * kDayMs; }, "9 days",
       "vitrine backup"},
      {"overloaded",
       [](SiteFacts* f) { f->process.refused = 7, f->process.refused_ago_ms = 299'000; },
       "7 since the start", "deadlines"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.kind);
    SiteFacts facts = Well();
    c.spoil(&facts);
    const std::vector<HealthProblem> problems = ProblemsOf(facts);
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].kind, c.kind);
    EXPECT_THAT(problems[0].what, HasSubstr(c.what));
    EXPECT_THAT(problems[0].advice, HasSubstr(c.advice));
  }
}

TEST(HealthTest, AKeyThatEndedIsNamedAndThatNoneIsLeft) {
  SiteFacts facts = Well();
  facts.keys = {KeyThatEnds(kNow - kDayMs)};
  const std::vector<HealthProblem> problems = ProblemsOf(facts);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].kind, "no_keys");
  EXPECT_EQ(problems[1].kind, "key_expired");
}

TEST(HealthTest, WhatIsAsItShouldBeIsNoProblem) {
  const std::vector<std::function<void(SiteFacts*)>> fine = {
      // Nothing new came since the last training: it has nothing to learn.
      [](SiteFacts* f) { *f->model_trained_at_ms -= 90 * kDayMs; },
      // Refusals are over.
      [](SiteFacts* f) { f->process.refused = 7, f->process.refused_ago_ms = 301'000; },
      // A handful says nothing about shares.
      [](SiteFacts* f) { f->lately = {.accepted = 10, .robot = 40, .rejected = 40}; },
      // A server that has just begun.
      [](SiteFacts* f) { f->last_event_ago_ms.reset(), f->up_ms = kHourMs; },
      // A shop that never sent live events.
      [](SiteFacts* f) { f->last_event_ago_ms.reset(), f->tracked_before = false; },
      // A folder that nobody serves.
      [](SiteFacts* f) { f->process = {}, f->last_event_ago_ms.reset(); },
  };
  for (size_t i = 0; i < fine.size(); ++i) {
    SiteFacts facts = Well();
    fine[i](&facts);
    EXPECT_THAT(ProblemsOf(facts), IsEmpty()) << i;
  }
}

TEST(EventTallyTest, RemembersAnHour) {
  EventTally tally;
  const int64_t minute_ns = EventTally::kHourNs / 60;
  for (int64_t m = 0; m < 180; ++m) tally.Add({.accepted = 1, .robot = 2}, m * minute_ns);
  const EventCounts hour = tally.LastHour(179 * minute_ns);
  EXPECT_GE(hour.accepted, 55);
  EXPECT_LE(hour.accepted, 65);
  EXPECT_EQ(hour.robot, 2 * hour.accepted);
  EXPECT_EQ(tally.last_ns(), 179 * minute_ns);
  EXPECT_EQ(tally.LastHour(300 * minute_ns).all(), 0);
}

class HealthOfASiteTest : public testing::ServiceTest {
 protected:
  std::vector<std::string> Kinds() {
    SiteHealth health;
    backoffice_->health(health, "shop");
    std::vector<std::string> kinds;
    for (const HealthProblem& problem : health.problems) kinds.push_back(problem.kind);
    return kinds;
  }
};

TEST_F(HealthOfASiteTest, IsReadFromTheSite) {
  EXPECT_THAT(Kinds(), ElementsAre("no_model", "no_backup"));
  Train();
  EXPECT_THAT(Kinds(), ElementsAre("no_schedule", "no_backup"));
}

}  // namespace
}  // namespace vitrine
