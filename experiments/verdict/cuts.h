// One metric cut by a dimension: channel, device, segment. A cut explains; it never decides.

#ifndef VITRINE_EXPERIMENTS_VERDICT_CUTS_H_
#define VITRINE_EXPERIMENTS_VERDICT_CUTS_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/statistics/metric_sums.h"
#include "experiments/statistics/sample_ratio.h"
#include "experiments/verdict/comparison.h"

namespace vitrine::experiments {

struct Cut {
  std::string value;             // "mobile"
  std::vector<MetricSums> arms;  // of its units; the control first
};

struct CutVerdict {
  std::string value;
  SampleRatioResult sample_ratio;  // of its units
  // Its counts do not fit, at the level divided by the number of cuts: numbers are withheld.
  bool invalid = false;
  // By arm from 1; empty if invalid, or with fewer than kSequentialUnitsPerArmMin units in an arm.
  std::vector<MetricVerdict> comparisons;
};

// A cut is a thing the unit had before its first exposure: one that an arm can change (what was
// bought) compares different people. The dimension's values are disjoint.
//
// Over all cuts and arms, p-values are adjusted by Benjamini-Hochberg and intervals hold together
// (Bonferroni). N* of a cut is its part of the plan's so far, and p is of this look alone. Numbers
// of a fixed test before its end are the caller's to withhold, as are those of a broken experiment.
// InvalidArgument: a plan that is none, cuts of other numbers of arms than `shares`.
absl::StatusOr<std::vector<CutVerdict>> JudgeCuts(const TestPlan& plan,
                                                  const MetricDefinition& metric,
                                                  std::span<const double> shares,
                                                  std::span<const Cut> cuts);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_VERDICT_CUTS_H_
