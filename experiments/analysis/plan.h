// Before an experiment: how long it takes, from what a site has seen so far.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_PLAN_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_PLAN_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"

#include "store/web_house.h"

namespace vitrine::experiments {

struct PlanOptions {
  double lift = 0.05;  // of the primary metric, that is to be found: 0.05 is 5 %
  double power = 0.8;  // with this chance
  int32_t days = 28;   // of history
  int64_t now_ms = 0;
  std::function<void(int64_t persons)> on_progress = nullptr;  // may be empty
};

struct ExperimentPlan {
  // Of the history: units that would have been in it, a day; the primary metric of one, until the
  // end of the history.
  int64_t units = 0;
  double units_a_day = 0;
  double mean = 0;
  double variance = 0;
  // Those who were shown the placement so far say nothing yet: all are counted who did anything.
  bool of_visitors = false;
  // What it takes; `planned_units` is what the definition is to say.
  double units_per_arm = 0;
  int64_t planned_units = 0;
  double days = 0;
};

// By the experiment's test, its arms (as if their weights were equal), its coverage and its part of
// a layer. As many new units are expected each day as came so far, from the first day on. Robots
// are left out. FailedPrecondition if the history says nothing of the metric. Reads the whole
// store.
absl::StatusOr<ExperimentPlan> PlanExperiment(const WebHouse& house, const Experiment& experiment,
                                              const PlanOptions& options);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_PLAN_H_
