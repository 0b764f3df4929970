// What a bandit's batches say in the end. Its arms' plain means are biased (an arm that was unlucky
// early got few units to recover with) and mix different days in different proportions, so batches
// are compared each in itself.

#ifndef VITRINE_EXPERIMENTS_BANDIT_BATCHES_H_
#define VITRINE_EXPERIMENTS_BANDIT_BATCHES_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/statistics/effect.h"
#include "experiments/statistics/metric_sums.h"

namespace vitrine::experiments {

struct BatchedEffect {
  // Differences of the batches' means (or ratios), weighted by the batch's units of all arms:
  // unbiased, for weights within a batch depend on batches before only.
  double difference = 0;
  // Sum of the batches' own statistics by the root of their number: normal under "no effect in any
  // batch", however weights were chosen (Zhang, Janson, Murphy, NeurIPS 2020, BOLS). The weighted
  // difference by its standard error is not, where weights followed the data.
  double z = 0;
  double p = 1;
  int batches = 0;       // that could be compared
  int batches_left = 0;  // with too few units in an arm, or all units alike
};

// `batches` hold sums by arm. InvalidArgument: arms that are not there, or batches of different
// numbers of arms. FailedPrecondition: no batch can be compared.
absl::StatusOr<BatchedEffect> EstimateBatched(std::span<const std::vector<MetricSums>> batches,
                                              size_t control, size_t treatment, MetricKind kind);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_BANDIT_BATCHES_H_
