// Metrics by name, as they come together. Internal to api/metrics.

#ifndef VITRINE_API_METRICS_FAMILIES_H_
#define VITRINE_API_METRICS_FAMILIES_H_

#include <cstdint>
#include <initializer_list>
#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "api/metrics/call_counts.h"
#include "api/service/site.h"

namespace vitrine {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class Families {
 public:
  void Counter(absl::string_view name, absl::string_view help, Labels labels, double value) {
    Add(name, help, prometheus::MetricType::Counter, std::move(labels)).counter.value = value;
  }
  void Gauge(absl::string_view name, absl::string_view help, Labels labels, double value) {
    Add(name, help, prometheus::MetricType::Gauge, std::move(labels)).gauge.value = value;
  }
  void Histogram(absl::string_view name, absl::string_view help, Labels labels,
                 const Durations& durations);

  const std::vector<prometheus::MetricFamily>& all() const { return families_; }

 private:
  prometheus::ClientMetric& Add(absl::string_view name, absl::string_view help,
                                prometheus::MetricType type, Labels labels);

  std::vector<prometheus::MetricFamily> families_;
  absl::flat_hash_map<std::string, size_t> by_name_;
};

// What a site has to tell.
void AddSiteMetrics(Site* site, const Clock& clock, Families* families);

}  // namespace vitrine

#endif  // VITRINE_API_METRICS_FAMILIES_H_
