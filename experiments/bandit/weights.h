// How much of a batch each arm of a bandit gets. Arms are opaque: recipes, offers, anything.

#ifndef VITRINE_EXPERIMENTS_BANDIT_WEIGHTS_H_
#define VITRINE_EXPERIMENTS_BANDIT_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/bayesian/posterior.h"

namespace vitrine::experiments {

struct BanditOptions {
  // Of each arm, always: no arm is given up, and logged propensities stay away from 0. Of K arms,
  // the weight is floor + (1 - K floor) times the chance to be the best.
  double floor = 0.01;
  // Until each arm has so many, all weigh the same: posteriors of a few units swing.
  int64_t units_per_arm_min = 100;
  bool smaller_is_better = false;
};

// Thompson sampling (Thompson 1933; Chapelle, Li 2011) for a whole batch: the chance that an arm
// would be drawn, computed, not sampled, so that it can be logged as the propensity. `units` are
// those each arm had. The weights' sum is 1. InvalidArgument: fewer than two arms, lists of
// different length, K floor above 1, a posterior without spread.
absl::StatusOr<std::vector<double>> ThompsonWeights(std::span<const BetaPosterior> arms,
                                                    std::span<const int64_t> units,
                                                    const BanditOptions& options);
absl::StatusOr<std::vector<double>> ThompsonWeights(std::span<const NormalPosterior> arms,
                                                    std::span<const int64_t> units,
                                                    const BanditOptions& options);

// Inverse gap weighting (Abe, Long 1999; FALCON: Simchi-Levi, Xu 2020), for arms that a model
// scores: p = max(1 / (K + gamma (best score - score)), floor / K), the best arm gets the rest.
// `floor` is that of all arms together, in [0, 1); gamma >= 0. InvalidArgument else, and for scores
// not finite.
absl::StatusOr<std::vector<double>> InverseGapWeights(std::span<const double> scores, double gamma,
                                                      double floor);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_BANDIT_WEIGHTS_H_
