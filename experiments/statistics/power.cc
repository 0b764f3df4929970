#include "experiments/statistics/power.h"

#include <cmath>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/check.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

// How many standard errors away an effect is found with the plan's power, the other tail forgotten.
double Distance(const MetricPlan& plan) {
  return NormalQuantile(1 - plan.alpha / 2) + NormalQuantile(plan.power);
}

}  // namespace

double PowerOfOneLook(double effect, double se, double half_width) {
  CHECK(se > 0 && half_width >= 0) << se << ", " << half_width;
  return NormalCdf((effect - half_width) / se) + NormalCdf(-(half_width + effect) / se);
}

double LiftSe(const MetricPlan& plan, double lift, double units_per_arm) {
  const double squared = plan.variance / (units_per_arm * plan.mean * plan.mean);
  return std::sqrt(squared * (1 + (1 + lift) * (1 + lift)));
}

double PowerForLift(const MetricPlan& plan, double lift, double units_per_arm) {
  const double se = LiftSe(plan, lift, units_per_arm);
  return PowerOfOneLook(lift, se, NormalQuantile(1 - plan.alpha / 2) * se);
}

std::optional<double> MinimumDetectableLift(const MetricPlan& plan, double units_per_arm) {
  const double k = Distance(plan);
  const double c = k * k * plan.variance / (units_per_arm * plan.mean * plan.mean);
  if (!(c < 1)) return std::nullopt;
  return (1 + std::sqrt(c * (2 - c))) / (1 - c) - 1;
}

absl::Status CheckPlan(const MetricPlan& plan, double lift) {
  if (!(plan.mean > 0 && plan.variance > 0 && std::isfinite(plan.variance))) {
    return absl::InvalidArgumentError(
        absl::StrCat("no plan with mean ", plan.mean, " and variance ", plan.variance));
  }
  if (!(plan.alpha > 0 && plan.alpha < 1 && plan.power > 0 && plan.power < 1)) {
    return absl::InvalidArgumentError("alpha and power are in (0, 1)");
  }
  if (!(lift > -1 && lift != 0 && std::isfinite(lift))) {
    return absl::InvalidArgumentError(absl::StrCat("a lift of ", lift, " cannot be planned for"));
  }
  return absl::OkStatus();
}

absl::StatusOr<double> UnitsForLift(const MetricPlan& plan, double lift) {
  RETURN_IF_ERROR(CheckPlan(plan, lift));
  const double distances = Distance(plan) * LiftSe(plan, lift, 1) / lift;
  return distances * distances;
}

double UnitsForProportions(double control, double treatment, double alpha, double power) {
  CHECK(control > 0 && control < 1 && treatment > 0 && treatment < 1 && control != treatment);
  const double k = NormalQuantile(1 - alpha / 2) + NormalQuantile(power);
  const double variance = control * (1 - control) + treatment * (1 - treatment);
  return k * k * variance / ((treatment - control) * (treatment - control));
}

}  // namespace vitrine::experiments
