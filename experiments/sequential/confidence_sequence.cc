#include "experiments/sequential/confidence_sequence.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

absl::StatusOr<ConfidenceSequence> ConfidenceSequence::Create(double alpha, double planned_units,
                                                              Alternative alternative) {
  if (!(alpha > 0 && alpha < 0.5)) {
    return absl::InvalidArgumentError(absl::StrCat("alpha ", alpha, " is not in (0, 0.5)"));
  }
  if (!(planned_units >= 1 && planned_units < kInfinity)) {
    return absl::InvalidArgumentError(absl::StrCat("planned for ", planned_units, " units"));
  }
  // Eq. 155: narrowest at N*. A one-sided interval is one side of a wider two-sided one.
  const double tail = alternative == Alternative::kTwoSided ? alpha : 2 * alpha;
  const double length = -2 * std::log(tail);
  const double rho = std::sqrt((length + std::log(length + 1)) / planned_units);
  return ConfidenceSequence(alpha, rho, alternative);
}

double ConfidenceSequence::WidthFactor(double units) const {
  const double r = units * rho_ * rho_;
  const double log = alternative_ == Alternative::kTwoSided
                         ? std::log(std::sqrt(r + 1) / alpha_)
                         : std::log1p(std::sqrt(r + 1) / (2 * alpha_));
  return std::sqrt(2 * (r + 1) / r * log);
}

SequentialLook ConfidenceSequence::Look(const Estimate& estimate, int64_t units) const {
  CHECK(units > 0) << units;
  CHECK(estimate.se > 0) << estimate.se;
  const double half = estimate.se * WidthFactor(static_cast<double>(units));
  SequentialLook look = {-kInfinity, kInfinity};
  if (alternative_ != Alternative::kLess) look.low = estimate.value - half;
  if (alternative_ != Alternative::kGreater) look.high = estimate.value + half;
  const double z = estimate.value / estimate.se;
  const double r = static_cast<double>(units) * rho_ * rho_;
  const double exponent = r / (2 * (r + 1)) * z * z;
  if (alternative_ == Alternative::kTwoSided) {
    look.p = std::min(1.0, std::sqrt(r + 1) * std::exp(-exponent));
  } else if ((alternative_ == Alternative::kGreater) == (z > 0)) {
    // Where the interval's bound is 0, solved for alpha.
    look.p = std::min(1.0, std::sqrt(r + 1) / (2 * std::expm1(exponent)));
  }
  return look;
}

}  // namespace vitrine::experiments
