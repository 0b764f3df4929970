#include "api/service/training_schedule.h"

#include <algorithm>
#include <string>

#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "store/base/thread.h"

namespace vitrine {
namespace {

constexpr absl::Duration kLook = absl::Minutes(1);
constexpr int64_t kHourMs = 3'600'000;

struct Stopped {};  // thrown out of a training that is given up

}  // namespace

int64_t NextTrainingMs(const SiteSettings& settings, const TrainingRecord& last,
                       const Model* served) {
  if (settings.train_every_hours == 0) return 0;
  const int64_t made_ms = served == nullptr ? 0 : served->trained_at_ms;
  // 1: at once, where there was none.
  return std::max(std::max(last.started_ms, made_ms) + settings.train_every_hours * kHourMs,
                  int64_t{1});
}

void TrainingSchedule::Start() {
  thread_ = std::thread([this] {
    NameThread("schedule");
    while (!stopping()) {
      RunDue();
      absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kLook);
    }
  });
}

void TrainingSchedule::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

bool TrainingSchedule::stopping() {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

int TrainingSchedule::RunDue() {
  int trained = 0;
  for (const std::string& name : sites_->Names()) {
    if (stopping()) break;
    const absl::StatusOr<Site*> site = sites_->Find(name);
    if (site.ok() && RunIfDue(*site)) ++trained;
  }
  return trained;
}

bool TrainingSchedule::RunIfDue(Site* site) {
  const std::shared_ptr<const Model> served = site->model();
  const TrainingRecord last = site->last_training();
  const int64_t due_ms = NextTrainingMs(site->house().GetSettings(), last, served.get());
  if (due_ms == 0 || clock_->NowMs() < due_ms) return false;
  // Events, not versions: what is derived from them is written later, and says nothing new.
  const bool nothing_new = last.events == site->house().GetTotals().events;
  if (last.started_ms != 0 && last.outcome != "failed" && nothing_new) return false;
  TrainOptions options;
  TrainWishes wishes = {.warm = true};
  options.now_ms = clock_->NowMs();
  if (served != nullptr) {
    options.als = served->als;
    options.weights = served->weights;
    wishes.learn_lists = served->learn_lists;
  }
  options.on_progress = [this](const TrainProgress&) {
    if (stopping()) throw Stopped();
  };
  spdlog::info("site {}: a training begins, as scheduled", site->name());
  try {
    const absl::StatusOr<TrainOutcome> outcome = site->Train(options, wishes);
    if (!outcome.ok()) {
      spdlog::error("site {}: the training failed: {}", site->name(), outcome.status().ToString());
      return false;
    }
    spdlog::info("site {}: model {} {}: NDCG@20 {:.4f}, of the one served before {:.4f}, {} visits",
                 site->name(), outcome->model->id,
                 outcome->published ? "is published" : "is worse and not published",
                 outcome->verdict.ndcg, outcome->verdict.served_ndcg, outcome->verdict.visits);
    return true;
  } catch (const Stopped&) {
    spdlog::info("site {}: the training is given up, the server stops", site->name());
    return false;
  }
}

}  // namespace vitrine
