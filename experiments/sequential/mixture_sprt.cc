#include "experiments/sequential/mixture_sprt.h"

#include <cmath>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/check.h"

namespace vitrine::experiments {

absl::StatusOr<MixtureSprt> MixtureSprt::Create(double alpha, double tau) {
  if (!(alpha > 0 && alpha < 1)) {
    return absl::InvalidArgumentError(absl::StrCat("alpha ", alpha, " is not in (0, 1)"));
  }
  if (!(tau > 0 && std::isfinite(tau))) {
    return absl::InvalidArgumentError(absl::StrCat("a mixture of variance ", tau));
  }
  return MixtureSprt(alpha, tau);
}

SequentialLook MixtureSprt::Look(const Estimate& estimate) const {
  CHECK(estimate.se > 0) << estimate.se;
  const double v = estimate.se * estimate.se;
  const double d = estimate.value;
  const double log_shrinkage = std::log(v / (v + tau_));
  const double half =
      estimate.se * std::sqrt((v + tau_) / tau_ * (-2 * std::log(alpha_) - log_shrinkage));
  const double log_ratio = log_shrinkage / 2 + tau_ * d * d / (2 * v * (v + tau_));
  return {d - half, d + half, std::min(1.0, std::exp(-log_ratio))};
}

double MixtureVariance(double alpha, double unit_variances, double planned_units) {
  const double z = NormalQuantile(1 - alpha / 2);
  return z * z * unit_variances / planned_units;
}

}  // namespace vitrine::experiments
