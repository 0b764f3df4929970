// What an experiment measures, in the order in which everybody counts it.

#ifndef VITRINE_EXPERIMENTS_DEFINITION_METRICS_H_
#define VITRINE_EXPERIMENTS_DEFINITION_METRICS_H_

#include <string>
#include <vector>

#include "store/records_types.h"

namespace vitrine::experiments {

struct MeasuredMetric {
  std::string name;
  MetricUse use = MetricUse::EXPLAINS;
  double margin = 0;  // of one that guards
  // One of the shop's own, or else the built-in one.
  const EventMetric* event = nullptr;
  ExperimentMetric built_in = ExperimentMetric::CONVERSION;

  bool IsBuiltIn(ExperimentMetric metric) const { return event == nullptr && built_in == metric; }
  // In minor units of the experiment's currency.
  bool IsMoney() const;
  // Experiment.cap_quantile is for it.
  bool IsCapped() const;
};

// The one that decides, those that explain, those that guard; of each use the built-in ones first.
// Points into `experiment`.
std::vector<MeasuredMetric> MetricsOf(const Experiment& experiment);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_DEFINITION_METRICS_H_
