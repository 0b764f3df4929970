// From what was counted to what is to be said: is the experiment valid, what happened, how sure is
// that, who wins. A broken experiment gets its reasons and no numbers.

#ifndef VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_
#define VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/bayesian/posterior.h"
#include "experiments/statistics/effect.h"
#include "experiments/statistics/metric_sums.h"
#include "experiments/verdict/validity.h"

namespace vitrine::experiments {

enum class MetricRole {
  kPrimary,    // exactly one: decides
  kSecondary,  // explains; corrected for their number
  kGuardrail,  // must not be harmed; not corrected, so that harm is not overlooked
};

struct MetricDefinition {
  std::string name;
  MetricKind kind = MetricKind::kMean;
  MetricRole role = MetricRole::kSecondary;
  bool smaller_is_better = false;
  bool cuped = false;  // the sums hold values before
  // Of a guardrail: a loss of this part of the control's value is still no harm (0.02: 2 %).
  double margin = 0;
};

enum class Correction { kHolm, kBenjaminiHochberg };

// Fixed at the start of the experiment, and never after a look.
struct TestPlan {
  bool sequential = true;                     // else one look, at the end that was registered
  double alpha = 0.05;                        // in (0, 0.5)
  double planned_units = 0;                   // N*: of all arms together, >= 1
  Correction correction = Correction::kHolm;  // of secondary metrics
  ValidityLimits limits = {};
};

struct ArmSums {
  std::string name;
  std::vector<MetricSums> metrics;  // in the order of their definitions
  // Of a treatment, by metric: the least p of looks before, as a verdict gave it (sequential only).
  // Empty: this is the first.
  std::vector<double> least_p = {};
};

enum class Direction { kUndecided, kBetter, kWorse };

// One metric of one treatment against the control.
struct MetricVerdict {
  size_t metric = 0;  // index of the definition
  size_t arm = 0;     // of the arm, >= 1
  // Absent where there is nothing to compute, and `problem` says why.
  std::optional<Effect> effect;
  std::string problem;

  // Of the difference, and of the lift where there is one. Over all comparisons of a role (primary,
  // secondary), intervals hold together at alpha (Bonferroni).
  Interval absolute;
  std::optional<Interval> relative;
  double interval_alpha = 0;

  double p = 1;           // of this comparison; always-valid and the least so far if sequential
  double p_adjusted = 1;  // for the comparisons of its role; a guardrail's is p
  Direction direction = Direction::kUndecided;  // by p_adjusted and alpha
  bool safe = false;  // a guardrail that is sure not to lose more than its margin

  // Without a prior (a proportion's is uniform), unadjusted for looks and numbers; its treatment
  // wins where the metric gets better.
  Comparison bayesian;
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
  std::vector<MetricVerdict> comparisons;  // by arm and metric; empty where numbers are withheld
};

// arms[0] is the control. InvalidArgument: not exactly one primary metric, fewer than two arms,
// arms whose metrics are not those defined, a plan that is none, counts that do not fit. O(arms x
// metrics), whatever the number of units. Thread-safe.
absl::StatusOr<Verdict> Judge(const TestPlan& plan, std::span<const MetricDefinition> metrics,
                              std::span<const ArmSums> arms, const Health& health, bool ended);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_VERDICT_VERDICT_H_
