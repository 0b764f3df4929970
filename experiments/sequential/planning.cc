#include "experiments/sequential/planning.h"

#include "experiments/statistics/distributions.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {

absl::StatusOr<double> SequentialPowerForLift(const MetricPlan& plan, double lift,
                                              double units_per_arm, double planned_units) {
  RETURN_IF_ERROR(CheckPlan(plan, lift));
  ASSIGN_OR_RETURN(const ConfidenceSequence sequence,
                   ConfidenceSequence::Create(plan.alpha, planned_units));
  const double se = LiftSe(plan, lift, units_per_arm);
  return PowerOfOneLook(lift, se, se * sequence.WidthFactor(2 * units_per_arm));
}

absl::StatusOr<double> SequentialUnitsForLift(const MetricPlan& plan, double lift) {
  RETURN_IF_ERROR(CheckPlan(plan, lift));
  // At N = N* the width does not depend on N*: only alpha is in N* rho^2.
  ASSIGN_OR_RETURN(const ConfidenceSequence sequence, ConfidenceSequence::Create(plan.alpha, 1));
  const double distances =
      (sequence.WidthFactor(1) + NormalQuantile(plan.power)) * LiftSe(plan, lift, 1) / lift;
  return distances * distances;
}

}  // namespace vitrine::experiments
