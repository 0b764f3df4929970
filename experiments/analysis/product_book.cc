#include "experiments/analysis/product_book.h"

#include <memory>

#include "absl/algorithm/container.h"

#include "store/base/limits.h"
#include "store/product_facts.h"

namespace vitrine::experiments {
namespace {

static_assert(limits::kExperimentEventMetricsMax <= 32, "KnownProduct::in_metrics");

bool IsAbout(const EventMetric& metric, const Product& product) {
  if (!metric.category.empty() && !IsInCategory(product.category, metric.category)) return false;
  return absl::c_all_of(metric.attributes, [&](const auto& wanted) {
    return AttributeOf(product, wanted.first) == absl::string_view(wanted.second);
  });
}

}  // namespace

const KnownProduct& ProductBook::Of(const WebHouse& house, const Experiment& experiment,
                                    const std::string& id) {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  return known_.emplace(id, Read(house, experiment, id)).first->second;
}

KnownProduct ProductBook::Read(const WebHouse& house, const Experiment& experiment,
                               const std::string& id) {
  KnownProduct known;
  known.number = static_cast<uint32_t>(known_.size());
  const auto rows = house.GetProducts({&id, 1});
  if (!rows.ok()) {
    status_.Update(rows.status());
    return known;
  }
  const Product& product = *rows->front();
  if (product.__isset.category) {
    const auto next = static_cast<uint32_t>(categories_.size() + 1);
    known.category = categories_.emplace(product.category, next).first->second;
  }
  if (product.__isset.margin_minor && product.currency == experiment.currency) {
    known.margin_minor = product.margin_minor;
  }
  for (size_t e = 0; e < experiment.events.size(); ++e) {
    if (IsAbout(experiment.events[e], product)) known.in_metrics |= uint32_t{1} << e;
  }
  return known;
}

}  // namespace vitrine::experiments
