// Before an experiment: how many units it takes, what it could find. Two-sided tests of normal
// estimates. The part of the variance that CUPED leaves is passed in as variance: s^2 (1 - rho^2).

#ifndef VITRINE_EXPERIMENTS_STATISTICS_POWER_H_
#define VITRINE_EXPERIMENTS_STATISTICS_POWER_H_

#include <optional>

#include "absl/status/statusor.h"

namespace vitrine::experiments {

// The chance that an estimate around `effect` with standard error `se` is farther from 0 than
// `half_width`, in one look. For a fixed test half_width is z(1 - alpha/2) se; for a sequential one
// that of its interval: the estimate's spread stays as it is. (Inflating the spread instead, as
// some calculators do, overstates power where it is below one half and understates it above.)
double PowerOfOneLook(double effect, double se, double half_width);

// A metric in an experiment of equal arms.
struct MetricPlan {
  double mean = 0;      // of the control, > 0; a proportion p
  double variance = 0;  // of a unit, > 0; p(1 - p), or a ratio's by the delta method
  double alpha = 0.05;  // in (0, 1)
  double power = 0.8;   // in (0, 1)
};

// Of an estimated lift (a part of the mean: 0.05 is 5 %) with so many units an arm, by the delta
// method: s^2 / (n mean^2) (1 + (1 + lift)^2), the variance the same in both arms.
double LiftSe(const MetricPlan& plan, double lift, double units_per_arm);

// Power of the fixed test for the lift.
double PowerForLift(const MetricPlan& plan, double lift, double units_per_arm);

// The least lift that is found with the plan's power. Nothing if units are so few that no lift is:
// the estimate's error then grows as fast as the lift.
std::optional<double> MinimumDetectableLift(const MetricPlan& plan, double units_per_arm);

// Units an arm that the fixed test needs for the lift. InvalidArgument for a plan or a lift (0, or
// not above -1) that is none.
absl::StatusOr<double> UnitsForLift(const MetricPlan& plan, double lift);

absl::Status CheckPlan(const MetricPlan& plan, double lift);

// Units an arm to tell two proportions apart, by Wald's variances. REQUIRES: both in (0, 1),
// different.
double UnitsForProportions(double control, double treatment, double alpha, double power);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_POWER_H_
