// What is believed of two arms, or of many: the chance that an arm is the best one, and what
// choosing it would cost if it is not. Exact up to integration (about 1e-10). Thread-safe.

#ifndef VITRINE_EXPERIMENTS_BAYESIAN_POSTERIOR_H_
#define VITRINE_EXPERIMENTS_BAYESIAN_POSTERIOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/statistics/effect.h"

namespace vitrine::experiments {

// Of a proportion: Beta(a, b). The prior Beta(1, 1) takes every proportion for as likely.
struct BetaPosterior {
  double a = 1;
  double b = 1;

  double Mean() const { return a / (a + b); }
};

// InvalidArgument: counts that are none (0 <= successes <= units), a prior not above 0.
absl::StatusOr<BetaPosterior> UpdateBeta(const BetaPosterior& prior, int64_t successes,
                                         int64_t units);

// Of anything that is nearly normal: a mean, an effect. sd > 0.
struct NormalPosterior {
  double mean = 0;
  double sd = 1;
};

// An estimate with a prior N(mean, sd^2): precisions add.
NormalPosterior UpdateNormal(const NormalPosterior& prior, const Estimate& estimate);
// Without a prior.
inline NormalPosterior FlatPrior(const Estimate& estimate) { return {estimate.value, estimate.se}; }

struct Interval {
  double low = 0;
  double high = 0;
};

// The middle 1 - alpha. REQUIRES: 0 < alpha < 1.
Interval CredibleInterval(const BetaPosterior& posterior, double alpha);
Interval CredibleInterval(const NormalPosterior& posterior, double alpha);

struct Comparison {
  double chance_to_win = 0;  // of the treatment: P(treatment > control)
  // Expected loss of a choice: E max(0, what the other has more). Their difference is that of the
  // means. In the metric's unit, or of the effect given.
  double loss_of_control = 0;
  double loss_of_treatment = 0;
};

Comparison Compare(const BetaPosterior& control, const BetaPosterior& treatment);

// From the effect's posterior. Where smaller is better, hand in its negative.
Comparison Compare(const NormalPosterior& effect);

// The chance of each arm to be the best, which is that of Thompson sampling to play it; their sum
// is
// 1. O(n^2) a point of integration. REQUIRES: at least one arm.
std::vector<double> ChanceToBeBest(std::span<const BetaPosterior> arms);
std::vector<double> ChanceToBeBest(std::span<const NormalPosterior> arms);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_BAYESIAN_POSTERIOR_H_
