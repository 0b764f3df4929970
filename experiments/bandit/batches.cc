#include "experiments/bandit/batches.h"

#include <cmath>

#include "experiments/statistics/distributions.h"

namespace vitrine::experiments {

absl::StatusOr<BatchedEffect> EstimateBatched(std::span<const std::vector<MetricSums>> batches,
                                              size_t control, size_t treatment, MetricKind kind) {
  BatchedEffect effect;
  double weight_sum = 0;
  for (const std::vector<MetricSums>& arms : batches) {
    if (arms.size() != batches.front().size() || control >= arms.size() ||
        treatment >= arms.size()) {
      return absl::InvalidArgumentError("arms that are not in every batch");
    }
    const absl::StatusOr<Effect> in_batch =
        EstimateEffect(arms[control], arms[treatment], {.kind = kind});
    if (absl::IsInvalidArgument(in_batch.status())) return in_batch.status();
    if (!in_batch.ok()) {
      ++effect.batches_left;
      continue;
    }
    double units = 0;
    for (const MetricSums& arm : arms) units += static_cast<double>(arm.units);
    effect.difference += units * in_batch->absolute.value;
    weight_sum += units;
    effect.z += in_batch->absolute.value / in_batch->absolute.se;
    ++effect.batches;
  }
  if (effect.batches == 0) return absl::FailedPreconditionError("no batch can be compared");
  effect.difference /= weight_sum;
  effect.z /= std::sqrt(effect.batches);
  effect.p = 2 * NormalCdf(-std::abs(effect.z));
  return effect;
}

}  // namespace vitrine::experiments
