// The effect of an arm on a metric, from the sums of both arms, and the fixed-horizon tests of it.
// Whoever looks before the planned end reads experiments/sequential instead.

#ifndef VITRINE_EXPERIMENTS_STATISTICS_EFFECT_H_
#define VITRINE_EXPERIMENTS_STATISTICS_EFFECT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

#include "experiments/statistics/metric_sums.h"

namespace vitrine::experiments {

// An estimate that is normal around the truth, or Student's with `df` degrees of freedom.
struct Estimate {
  double value = 0;
  double se = 0;  // standard error, > 0
  double df = std::numeric_limits<double>::infinity();
};

struct ArmValue {
  int64_t units = 0;
  double value = 0;     // mean, proportion or ratio; adjusted where CUPED was asked for
  double observed = 0;  // the same, not adjusted
  double se = 0;        // of `value`
};

struct Effect {
  ArmValue control, treatment;
  Estimate absolute;  // treatment - control
  // (treatment - control) / |observed control|, by the delta method; the interval is symmetric, not
  // one on the scale of logarithms. Absent where the control's value is less than three standard
  // errors from 0: the ratio has no normal distribution there.
  std::optional<Estimate> relative;
  double theta = 0;           // CUPED's coefficient, 0 without
  double variance_ratio = 1;  // of the difference's variance with CUPED to that without: 1 - rho^2
};

// What CUPED takes off: theta (metric before - `before`), by arm.
struct Cuped {
  double theta = 0;
  double before = 0;  // of all units
};

// Deng, Xu, Kohavi, Walker (WSDM 2013): theta = cov(now, before) / var(before), within the arms and
// pooled over them, so that no arm's effect gets into it; of ratios, those of the linearised ones.
// Pass all arms, so that each comparison adjusts the control alike. Zeros where there is no before.
// REQUIRES: arms that EstimateEffect takes.
Cuped PoolCuped(std::span<const MetricSums> arms, MetricKind kind);

struct EffectOptions {
  MetricKind kind = MetricKind::kMean;
  Cuped cuped = {};  // by default, nothing is adjusted
};

// Means: Welch (1947). Ratios: delta method (Deng, Knoblich, Lu, KDD 2018), as units are randomised
// and denominators vary among them. With CUPED, the numerator of the relative effect is adjusted
// and the denominator is not, and the control's gradient holds both. A proportion's variance is p(1
// - p).
//
// InvalidArgument: a proportion whose values are not 0 or 1, sums that are not finite.
// FailedPrecondition: fewer than two units in an arm, a ratio without denominators, no variance.
// O(1), thread-safe.
absl::StatusOr<Effect> EstimateEffect(const MetricSums& control, const MetricSums& treatment,
                                      const EffectOptions& options);

enum class Alternative { kTwoSided, kGreater, kLess };

struct TestResult {
  double statistic = 0;
  double p = 1;
  double low = -std::numeric_limits<double>::infinity();  // of the interval at 1 - alpha
  double high = std::numeric_limits<double>::infinity();
};

// Valid for one look, at an end that was fixed before. REQUIRES: 0 < alpha < 1.
TestResult FixedTest(const Estimate& estimate, double alpha,
                     Alternative alternative = Alternative::kTwoSided);

// Two proportions: z with the pooled proportion, p for treatment != control, and Newcombe's (1998,
// method 10) interval of the difference, which holds its level where Wald's does not.
// FailedPrecondition if both are 0 or both are 1. REQUIRES: 0 <= successes <= units, units > 0.
absl::StatusOr<TestResult> TwoProportionTest(int64_t control_successes, int64_t control_units,
                                             int64_t treatment_successes, int64_t treatment_units,
                                             double alpha);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_EFFECT_H_
