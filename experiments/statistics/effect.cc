#include "experiments/statistics/effect.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/check.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

// A metric of an arm is a smooth function of the means of its units' values; the gradient there
// gives its variance.
struct Linear {
  double value = 0;
  Gradient gradient = {};
};

// A mean, or a ratio of means, of the values or of those before (`part` is the numerator's).
Linear Observed(const MetricSums& sums, MetricKind kind, int part) {
  Linear metric;
  if (kind == MetricKind::kRatio) {
    const double denominator = sums.Mean(part + 1);
    metric.value = sums.Mean(part) / denominator;
    metric.gradient[part] = 1 / denominator;
    metric.gradient[part + 1] = -metric.value / denominator;
  } else {
    metric.value = sums.Mean(part);
    metric.gradient[part] = 1;
  }
  return metric;
}

Gradient Sum(const Gradient& a, double times_a, const Gradient& b, double times_b) {
  Gradient sum;
  for (size_t i = 0; i < sum.size(); ++i) sum[i] = times_a * a[i] + times_b * b[i];
  return sum;
}

double CovarianceOf(const MetricSums& sums, const Gradient& a, const Gradient& b) {
  double covariance = 0;
  for (int i = 0; i < MetricSums::kParts; ++i) {
    for (int j = 0; j < MetricSums::kParts; ++j) {
      if (a[i] != 0 && b[j] != 0) covariance += a[i] * b[j] * sums.Covariance(i, j);
    }
  }
  return covariance;
}

struct ArmMetric {
  double units = 0;
  double observed = 0;
  Gradient observed_gradient = {};
  double adjusted = 0;
  Gradient adjusted_gradient = {};
  // The factor from the sample's variance to that which is used.
  double variance_factor = 1;

  double Variance(const MetricSums& sums, const Gradient& gradient) const {
    return variance_factor * sums.Variance(gradient) / units;
  }
};

ArmMetric Metric(const MetricSums& sums, const EffectOptions& options) {
  const Cuped& cuped = options.cuped;
  ArmMetric metric;
  metric.units = static_cast<double>(sums.units);
  const Linear observed = Observed(sums, options.kind, kValue);
  metric.observed = metric.adjusted = observed.value;
  metric.observed_gradient = metric.adjusted_gradient = observed.gradient;
  if (options.kind == MetricKind::kProportion && cuped.theta == 0) {
    metric.variance_factor = (metric.units - 1) / metric.units;  // p(1 - p)
  }
  if (cuped.theta != 0) {
    const Linear before = Observed(sums, options.kind, kValueBefore);
    metric.adjusted -= cuped.theta * (before.value - cuped.before);
    metric.adjusted_gradient = Sum(observed.gradient, 1, before.gradient, -cuped.theta);
  }
  return metric;
}

absl::Status CheckSums(const MetricSums& sums, MetricKind kind, absl::string_view arm) {
  const auto finite = [](double number) { return std::isfinite(number); };
  if (!std::all_of(sums.sums.begin(), sums.sums.end(), finite) ||
      !std::all_of(sums.products.begin(), sums.products.end(), finite)) {
    return absl::InvalidArgumentError(absl::StrCat("the ", arm, "'s sums are not finite"));
  }
  if (sums.units < 2) {
    return absl::FailedPreconditionError(absl::StrCat("fewer than two units in the ", arm));
  }
  if (kind == MetricKind::kProportion &&
      (sums.sums[kValue] != sums.Product(kValue, kValue) || sums.sums[kValue] < 0 ||
       sums.sums[kValue] > static_cast<double>(sums.units))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", arm, "'s values are not all 0 or 1, as a proportion's are"));
  }
  if (kind == MetricKind::kRatio && !(sums.sums[kDenominator] > 0)) {
    return absl::FailedPreconditionError(absl::StrCat("the ", arm, " has no denominators"));
  }
  return absl::OkStatus();
}

// Welch and Satterthwaite's degrees of freedom of a difference.
double WelchDf(double variance_a, double n_a, double variance_b, double n_b) {
  const double sum = variance_a + variance_b;
  return sum * sum / (variance_a * variance_a / (n_a - 1) + variance_b * variance_b / (n_b - 1));
}

std::optional<Estimate> Relative(const MetricSums& control, const ArmMetric& a,
                                 double treatment_variance, const Estimate& absolute) {
  constexpr double kStandardErrorsFromZero = 3;
  const double control_se = std::sqrt(a.Variance(control, a.observed_gradient));
  if (!(std::abs(a.observed) > kStandardErrorsFromZero * control_se)) return std::nullopt;
  const double size = std::abs(a.observed);
  const double lift = absolute.value / a.observed;  // signed, for the gradient of D / A
  const Gradient gradient =
      Sum(a.adjusted_gradient, -1 / a.observed, a.observed_gradient, -lift / a.observed);
  Estimate relative;
  relative.value = absolute.value / size;
  relative.se = std::sqrt(treatment_variance / (size * size) + a.Variance(control, gradient));
  relative.df = absolute.df;
  return relative;
}

}  // namespace

Cuped PoolCuped(std::span<const MetricSums> arms, MetricKind kind) {
  MetricSums all;
  double covariance = 0, variance = 0;
  for (const MetricSums& arm : arms) {
    if (kind == MetricKind::kRatio && !(arm.sums[kDenominatorBefore] > 0)) return {};
    const Gradient now = Observed(arm, kind, kValue).gradient;
    const Gradient before = Observed(arm, kind, kValueBefore).gradient;
    const double weight = static_cast<double>(arm.units - 1);
    covariance += weight * CovarianceOf(arm, now, before);
    variance += weight * arm.Variance(before);
    all.Merge(arm);
  }
  if (!(variance > 0)) return {};
  return {covariance / variance, Observed(all, kind, kValueBefore).value};
}

absl::StatusOr<Effect> EstimateEffect(const MetricSums& control, const MetricSums& treatment,
                                      const EffectOptions& options) {
  RETURN_IF_ERROR(CheckSums(control, options.kind, "control"));
  RETURN_IF_ERROR(CheckSums(treatment, options.kind, "treatment"));
  const ArmMetric a = Metric(control, options);
  const ArmMetric b = Metric(treatment, options);
  const double variance_a = a.Variance(control, a.adjusted_gradient);
  const double variance_b = b.Variance(treatment, b.adjusted_gradient);
  if (!(variance_a + variance_b > 0)) {
    return absl::FailedPreconditionError("all units have the same value");
  }
  Effect effect;
  effect.theta = options.cuped.theta;
  effect.control = {control.units, a.adjusted, a.observed, std::sqrt(variance_a)};
  effect.treatment = {treatment.units, b.adjusted, b.observed, std::sqrt(variance_b)};
  effect.absolute.value = b.adjusted - a.adjusted;
  effect.absolute.se = std::sqrt(variance_a + variance_b);
  effect.absolute.df = WelchDf(variance_a, a.units, variance_b, b.units);
  effect.relative = Relative(control, a, variance_b, effect.absolute);
  const double without =
      a.Variance(control, a.observed_gradient) + b.Variance(treatment, b.observed_gradient);
  effect.variance_ratio = (variance_a + variance_b) / without;
  return effect;
}

TestResult FixedTest(const Estimate& estimate, double alpha, Alternative alternative) {
  CHECK(alpha > 0 && alpha < 1) << alpha;
  CHECK(estimate.se > 0) << estimate.se;
  TestResult result;
  const double t = result.statistic = estimate.value / estimate.se;
  const bool two_sided = alternative == Alternative::kTwoSided;
  const double half =
      estimate.se * StudentQuantile(1 - (two_sided ? alpha / 2 : alpha), estimate.df);
  if (alternative != Alternative::kLess) result.low = estimate.value - half;
  if (alternative != Alternative::kGreater) result.high = estimate.value + half;
  result.p = two_sided                              ? 2 * StudentCdf(-std::abs(t), estimate.df)
             : alternative == Alternative::kGreater ? StudentCdf(-t, estimate.df)
                                                    : StudentCdf(t, estimate.df);
  return result;
}

namespace {

// Wilson's interval of a proportion.
std::pair<double, double> Wilson(double p, double n, double z) {
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
  return {middle - half, middle + half};
}

}  // namespace

absl::StatusOr<TestResult> TwoProportionTest(int64_t control_successes, int64_t control_units,
                                             int64_t treatment_successes, int64_t treatment_units,
                                             double alpha) {
  CHECK(control_units > 0 && treatment_units > 0);
  CHECK(control_successes >= 0 && control_successes <= control_units);
  CHECK(treatment_successes >= 0 && treatment_successes <= treatment_units);
  const double n_a = static_cast<double>(control_units);
  const double n_b = static_cast<double>(treatment_units);
  const double a = static_cast<double>(control_successes) / n_a;
  const double b = static_cast<double>(treatment_successes) / n_b;
  const double pooled = static_cast<double>(control_successes + treatment_successes) / (n_a + n_b);
  if (pooled <= 0 || pooled >= 1) {
    return absl::FailedPreconditionError("both proportions are 0, or both are 1");
  }
  TestResult result;
  result.statistic = (b - a) / std::sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b));
  result.p = 2 * NormalCdf(-std::abs(result.statistic));
  const double z = NormalQuantile(1 - alpha / 2);
  const auto [low_a, high_a] = Wilson(a, n_a, z);
  const auto [low_b, high_b] = Wilson(b, n_b, z);
  result.low = b - a - std::hypot(b - low_b, high_a - a);
  result.high = b - a + std::hypot(high_b - b, a - low_a);
  return result;
}

}  // namespace vitrine::experiments
