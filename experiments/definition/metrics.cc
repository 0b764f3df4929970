#include "experiments/definition/metrics.h"

#include "store/event_names.h"

namespace vitrine::experiments {

bool MeasuredMetric::IsMoney() const {
  return IsCapped() || IsBuiltIn(ExperimentMetric::ORDER_VALUE);
}

bool MeasuredMetric::IsCapped() const {
  return IsBuiltIn(ExperimentMetric::REVENUE) || IsBuiltIn(ExperimentMetric::MARGIN);
}

std::vector<MeasuredMetric> MetricsOf(const Experiment& experiment) {
  std::vector<MeasuredMetric> metrics;
  const auto add = [&](ExperimentMetric metric, MetricUse use, double margin) {
    MeasuredMetric& measured = metrics.emplace_back();
    if (_ExperimentMetric_VALUES_TO_NAMES.count(metric) > 0) {
      measured.name = std::string(ExperimentMetricName(metric));
    }
    measured.use = use;
    measured.margin = margin;
    measured.built_in = metric;
  };
  const auto add_events = [&](MetricUse use) {
    for (const EventMetric& event : experiment.events) {
      if (event.role == use) metrics.push_back({event.name, use, event.margin, &event});
    }
  };
  add_events(MetricUse::DECIDES);
  if (metrics.empty()) add(experiment.primary, MetricUse::DECIDES, 0);
  for (const ExperimentMetric metric : experiment.secondary) add(metric, MetricUse::EXPLAINS, 0);
  add_events(MetricUse::EXPLAINS);
  for (const Guardrail& rail : experiment.guardrails) {
    add(rail.metric, MetricUse::GUARDS, rail.margin);
  }
  add_events(MetricUse::GUARDS);
  return metrics;
}

}  // namespace vitrine::experiments
