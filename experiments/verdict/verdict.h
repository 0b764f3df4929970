// From what was counted to what is to be said: is the experiment valid, what happened, how sure is
// that, who wins. A broken experiment gets its reasons and no numbers.

#ifndef VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_
#define VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/statistics/metric_sums.h"
#include "experiments/verdict/comparison.h"
#include "experiments/verdict/validity.h"

namespace vitrine::experiments {

struct ArmSums {
  std::string name;
  std::vector<MetricSums> metrics;  // in the order of their definitions
  // Of a treatment, by metric: the least p of looks before, as a verdict gave it (sequential only).
  // Empty: this is the first.
  std::vector<double> least_p = {};
};

enum class Decision {
  kInvalid,          // numbers are withheld: see validity.objections
  kTooEarly,         // fewer than kSequentialUnitsPerArmMin units in an arm
  kNotEnded,         // a fixed test before its end: numbers are withheld
  kUndecided,        // nothing is shown so far, or, if it has ended, at all
  kTreatmentWins,    // `winner`
  kControlWins,      // each treatment is worse in the primary metric
  kGuardrailHarmed,  // a treatment is better, and each such harms a guardrail
};

absl::string_view DecisionName(Decision decision);

struct Verdict {
  Decision decision = Decision::kUndecided;
  size_t winner =
      0;  // of kTreatmentWins: the arm with the best primary metric among those that win
  Validity validity;
  std::vector<std::string> warnings;
  // By metric and arm; empty where numbers are withheld. Over all comparisons of a role (primary,
  // secondary), intervals hold together at alpha (Bonferroni), and p-values are adjusted for their
  // number.
  std::vector<MetricVerdict> comparisons;
};

// arms[0] is the control. InvalidArgument: not exactly one primary metric, fewer than two arms,
// arms whose metrics are not those defined, a plan that is none, counts that do not fit. O(arms x
// metrics), whatever the number of units. Thread-safe.
absl::StatusOr<Verdict> Judge(const TestPlan& plan, std::span<const MetricDefinition> metrics,
                              std::span<const ArmSums> arms, const Health& health, bool ended);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_
