// How many units a sequential test is planned for.

#ifndef VITRINE_EXPERIMENTS_SEQUENTIAL_PLANNING_H_
#define VITRINE_EXPERIMENTS_SEQUENTIAL_PLANNING_H_

#include "absl/status/statusor.h"

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/statistics/power.h"

namespace vitrine::experiments {

// Power of one look of the confidence sequence after so many units an arm, at the plan's alpha.
// Whoever looks before too has a little more.
absl::StatusOr<double> SequentialPowerForLift(const MetricPlan& plan, double lift,
                                              double units_per_arm, double planned_units);

// Units an arm that find the lift with the plan's power in one look; N* is twice that. About 1.9
// times those of the fixed test at 5 % and 80 %: the price of looking, most of which comes back
// where the effect is larger than planned. InvalidArgument as UnitsForLift.
absl::StatusOr<double> SequentialUnitsForLift(const MetricPlan& plan, double lift);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_SEQUENTIAL_PLANNING_H_
