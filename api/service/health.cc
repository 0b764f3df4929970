#include "api/service/health.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace vitrine {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

constexpr int64_t kRefusedLatelyMs = 5 * kMinuteMs;
constexpr int64_t kEventsStoppedMs = kHourMs;
// A shop whose customers sleep is silent for a while; one that was never heard of for a day is not.
constexpr int64_t kNeverHeardMs = kDayMs;
constexpr int64_t kModelAgeMsMax = 30 * kDayMs;  // where nobody asked for a schedule
constexpr int64_t kBackupAgeMsMax = 7 * kDayMs;
constexpr int64_t kKeyExpiresSoonMs = 14 * kDayMs;
constexpr int64_t kClockAheadMs = 10 * kMinuteMs;
// Shares say nothing of fewer events.
constexpr int64_t kEventsMin = 100;
constexpr double kRejectedShareMax = 0.05;
constexpr double kFutureShareMax = 0.01;
constexpr double kRobotShareMax = 0.5;
// Of the room below which nothing is written.
constexpr int64_t kDiskLowFactor = 2;

std::string Megabytes(int64_t bytes) { return absl::StrCat(bytes / 1'000'000, " MB"); }

// "45 min", "7 h", "12 days".
std::string Age(int64_t ms) {
  if (ms < 2 * kHourMs) return absl::StrCat(ms / kMinuteMs, " min");
  if (ms < 2 * kDayMs) return absl::StrCat(ms / kHourMs, " h");
  return absl::StrCat(ms / kDayMs, " days");
}

std::string Percent(int64_t part, int64_t all) {
  return absl::StrFormat("%.0f %%", 100.0 * static_cast<double>(part) / static_cast<double>(all));
}

// Collects them; `--site` and the site's name follow each command.
class Finder {
 public:
  explicit Finder(const SiteFacts& facts) : f_(facts) {}

  std::vector<HealthProblem> Find() && {
    LookAtModel();
    LookAtStore();
    LookAtLoad();
    LookAtEvents();
    LookAtTraining();
    LookAtKeys();
    LookAtBackups();
    return std::move(problems_);
  }

 private:
  void Add(absl::string_view kind, std::string what, std::string advice) {
    HealthProblem& problem = problems_.emplace_back();
    problem.kind = std::string(kind);
    problem.what = std::move(what);
    problem.advice = std::move(advice);
  }
  std::string Site() const { return absl::StrCat(" --site ", f_.site); }

  void LookAtModel() {
    if (f_.model_trained_at_ms.has_value()) return;
    Add("no_model", "there is no model: recommend answers Unavailable",
        f_.totals.events == 0 ? absl::StrCat("bring events in, then train: vitrine ingest", Site())
                              : absl::StrCat("vitrine train", Site()));
  }

  void LookAtStore() {
    const StoreFigures& store = f_.store;
    if (!store.broken.ok()) {
      Add("store_failed",
          absl::StrCat("the store takes no writes: ", std::string(store.broken.message())),
          "look at the disk (dmesg, smartctl); it opens itself again with the next write that it can");
    }
    if (store.writes_stopped || store.writes_delayed) {
      Add("store_stalled",
          absl::StrCat("writes are ", store.writes_stopped ? "stopped" : "slowed down",
                       " until compaction has caught up with ",
                       Megabytes(store.pending_compaction_bytes)),
          "the disk is too slow for this many events: wait, or import at another time of the day");
    }
    if (store.disk.total_bytes == 0) return;
    const std::string free = absl::StrCat(Megabytes(store.disk.free_bytes), " are free");
    if (store.disk.free_bytes < store.disk_bytes_reserved) {
      Add("disk_full",
          absl::StrCat("the disk is full: ", free, ", and nothing is written any more"),
          absl::StrCat("make room or a larger disk; below ", Megabytes(store.disk_bytes_reserved),
                       " events are refused"));
    } else if (store.disk.free_bytes < kDiskLowFactor * store.disk_bytes_reserved) {
      Add("disk_low", absl::StrCat("the disk is nearly full: ", free),
          absl::StrCat("make room; below ", Megabytes(store.disk_bytes_reserved),
                       " events are refused"));
    }
  }

  void LookAtLoad() {
    const ProcessFacts& process = f_.process;
    if (process.refused_ago_ms < 0 || process.refused_ago_ms > kRefusedLatelyMs) return;
    Add("overloaded",
        absl::StrCat("requests are refused for want of time: ", process.refused,
                     " since the start, the last one ", process.refused_ago_ms / 1000, " s ago"),
        "spread the load over another server, or ask with longer deadlines; key quotas hold floods off");
  }

  void LookAtEvents() {
    LookAtSilence();
    const EventCounts& counts = f_.process.serves ? f_.lately : f_.ever;
    const std::string when = f_.process.serves ? " of the last hour's events" : " of all lines";
    const auto is_many = [&](int64_t part, double share) {
      return counts.all() >= kEventsMin &&
             static_cast<double>(part) > share * static_cast<double>(counts.all());
    };
    const bool back =
        f_.model_trained_at_ms.value_or(0) > f_.now_ms + kClockAheadMs ||
        (f_.backup.has_value() && f_.backup->backup.at_ms > f_.now_ms + kClockAheadMs);
    if (is_many(counts.future, kFutureShareMax) || back) {
      Add("clock_skew",
          back ? "the model or the backup is of a later time than this machine's clock shows"
               : absl::StrCat(Percent(counts.future, counts.all()), when,
                              " are refused: they say that they are of the future"),
          "set the clocks: timedatectl here, and on the shop's servers; let pages send sent_ms");
    }
    if (is_many(counts.rejected, kRejectedShareMax)) {
      Add("rejects_many",
          absl::StrCat(Percent(counts.rejected, counts.all()), when, " are rejected"),
          absl::StrCat("see why: vitrine rejects", Site()));
    }
    if (is_many(counts.robot, kRobotShareMax)) {
      Add("robots_many", absl::StrCat(Percent(counts.robot, counts.all()), when, " are of robots"),
          absl::StrCat("see who: vitrine robots list", Site(), "; keep them off with the proxy"));
    }
  }

  void LookAtSilence() {
    if (!f_.process.serves) return;
    const bool stopped =
        f_.last_event_ago_ms.has_value() && *f_.last_event_ago_ms > kEventsStoppedMs;
    const bool never =
        !f_.last_event_ago_ms.has_value() && f_.tracked_before && f_.up_ms > kNeverHeardMs;
    if (!stopped && !never) return;
    Add("events_stopped",
        absl::StrCat("no event has come for ", Age(stopped ? *f_.last_event_ago_ms : f_.up_ms)),
        "look at the shop's tracker and its key (the browser's console), and at the proxy's log");
  }

  void LookAtTraining() {
    const TrainingRecord& last = f_.training;
    if (last.outcome == "failed") {
      Add("training_failed", absl::StrCat("the last training failed: ", last.problem),
          absl::StrCat("put that right, then vitrine train", Site()));
    } else if (last.outcome == "worse") {
      Add("training_refused",
          absl::StrFormat("the last training's model is worse than the one that is served and was "
                          "not published: NDCG@20 %.4f, not %.4f, on %d visits",
                          last.gate_ndcg, last.gate_served_ndcg, last.gate_visits),
          absl::StrCat("if that is as it should be: vitrine train", Site(),
                       " --force; else look for what changed in the events"));
    }
    if (!f_.model_trained_at_ms.has_value()) return;
    const int64_t age_ms = f_.now_ms - *f_.model_trained_at_ms;
    const int64_t hours = f_.settings.train_every_hours;
    // A scheduled training leaves a model as it is where nothing is new.
    const bool is_new = f_.totals.events != last.events;
    if (hours > 0 ? is_new && age_ms > 2 * hours * kHourMs : age_ms > kModelAgeMsMax) {
      Add("model_old", absl::StrCat("the model is ", Age(age_ms), " old"),
          absl::StrCat("vitrine train", Site()));
    }
    if (hours == 0) {
      Add("no_schedule", "models are trained by hand only",
          absl::StrCat("vitrine settings set", Site(), " train_every_hours=24"));
    }
  }

  void LookAtKeys() {
    const auto ends = [&](const ApiKey& key) {
      return key.__isset.expires_ms ? key.expires_ms - f_.now_ms : INT64_MAX;
    };
    const bool any =
        std::any_of(f_.keys.begin(), f_.keys.end(), [&](const ApiKey& k) { return ends(k) > 0; });
    if (!any && (f_.process.keys_required || !f_.keys.empty())) {
      Add("no_keys", "calls want an API key, and none opens anything",
          absl::StrCat("vitrine keys create", Site(), " --role storefront"));
    }
    for (const ApiKey& key : f_.keys) {
      if (ends(key) > kKeyExpiresSoonMs) continue;
      const std::string rotate = absl::StrCat("vitrine keys rotate ", key.id, Site());
      if (ends(key) > 0) {
        Add("key_expires", absl::StrCat("key ", key.id, " ends in ", Age(ends(key))), rotate);
      } else {
        Add("key_expired", absl::StrCat("key ", key.id, " ended ", Age(-ends(key)), " ago"),
            absl::StrCat("vitrine keys revoke ", key.id, Site(), ", or: ", rotate));
      }
    }
  }

  void LookAtBackups() {
    const std::string advice =
        absl::StrCat("every day: vitrine backup", Site(), " --to FOLDER --keep 14");
    if (!f_.backup.has_value()) {
      Add("no_backup", "there is no backup", advice);
    } else if (f_.now_ms - f_.backup->backup.at_ms > kBackupAgeMsMax) {
      Add("backup_old",
          absl::StrCat("the newest backup is ", Age(f_.now_ms - f_.backup->backup.at_ms), " old"),
          advice);
    }
  }

  const SiteFacts& f_;
  std::vector<HealthProblem> problems_;
};

EventCounts CountsOf(const WebHouse& house) {
  EventCounts sum;
  SourceCursor cursor = house.Sources();
  for (; cursor.Valid(); cursor.Next()) {
    for (const auto& [outcome, n] : cursor.value().outcomes) {
      if (outcome == "accepted") sum.accepted += n;
      if (outcome == "robot") sum.robot += n;
      if (absl::StartsWith(outcome, "rejected:")) sum.rejected += n;
    }
  }
  // A source that cannot be read shows elsewhere: here it says nothing.
  return cursor.Finish().ok() ? sum : EventCounts();
}

}  // namespace

std::vector<HealthProblem> ProblemsOf(const SiteFacts& facts) { return Finder(facts).Find(); }

SiteFacts FactsOf(Site* site, const ProcessFacts& process, const Clock& clock) {
  SiteFacts facts;
  facts.site = site->name();
  facts.now_ms = clock.NowMs();
  facts.up_ms = (Clock::System().SteadyNs() - site->opened_ns()) / 1'000'000;
  if (const std::shared_ptr<const Model> model = site->model()) {
    facts.model_trained_at_ms = model->trained_at_ms;
  }
  facts.training = site->last_training();
  const WebHouse& house = site->house();
  facts.settings = house.GetSettings();
  facts.totals = house.GetTotals();
  facts.store = house.Figures();
  facts.lately = site->tally().LastHour(clock.SteadyNs());
  facts.ever = CountsOf(house);
  if (const int64_t last_ns = site->tally().last_ns(); last_ns != 0) {
    facts.last_event_ago_ms = (clock.SteadyNs() - last_ns) / 1'000'000;
  }
  const absl::StatusOr<SourceState> tracked = house.GetSource(kTrackSource);
  facts.tracked_before = tracked.ok() && tracked->lines > 0;
  facts.keys = site->keys().List();
  if (absl::StatusOr<BackupState> backup = ReadBackupState(site->directory()); backup.ok()) {
    facts.backup = *std::move(backup);
  }
  facts.process = process;
  return facts;
}

SiteHealth HealthOf(const SiteFacts& facts) {
  SiteHealth health;
  health.problems = ProblemsOf(facts);
  health.now_ms = facts.now_ms;
  health.up_seconds = facts.up_ms / 1000;
  health.accepted = facts.lately.accepted;
  health.robot = facts.lately.robot;
  health.rejected = facts.lately.rejected;
  if (facts.model_trained_at_ms.has_value()) {
    health.__set_model_age_seconds((facts.now_ms - *facts.model_trained_at_ms) / 1000);
  }
  health.last_training = facts.training.outcome;
  health.train_every_hours = facts.settings.train_every_hours;
  health.table_bytes = facts.store.table_bytes;
  health.disk_free_bytes = facts.store.disk.free_bytes;
  health.keys = static_cast<int32_t>(std::count_if(
      facts.keys.begin(), facts.keys.end(),
      [&](const ApiKey& key) { return !key.__isset.expires_ms || key.expires_ms > facts.now_ms; }));
  health.memory_bytes = facts.process.memory_bytes;
  health.requests = facts.process.requests;
  health.refused = facts.process.refused;
  return health;
}

}  // namespace vitrine
