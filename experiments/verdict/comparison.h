// One metric of one treatment against the control, by the plan's test.

#ifndef VITRINE_EXPERIMENTS_VERDICT_COMPARISON_H_
#define VITRINE_EXPERIMENTS_VERDICT_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"

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

absl::Status CheckPlan(const TestPlan& plan);

enum class Direction { kUndecided, kBetter, kWorse };

struct MetricVerdict {
  size_t metric = 0;  // index of the definition
  size_t arm = 0;     // of the arm, >= 1
  // Absent where there is nothing to compute, and `problem` says why.
  std::optional<Effect> effect;
  std::string problem;

  // Of the difference, and of the lift where there is one, at 1 - interval_alpha.
  Interval absolute;
  std::optional<Interval> relative;
  double interval_alpha = 0;

  double p = 1;           // of this comparison; always-valid and the least so far if sequential
  double p_adjusted = 1;  // for the others of its family; a guardrail's is p
  Direction direction = Direction::kUndecided;  // by p_adjusted and alpha
  bool safe = false;  // a guardrail that is sure not to lose more than its margin

  // Without a prior (a proportion's is uniform), unadjusted for looks and numbers; its treatment
  // wins where the metric gets better.
  Comparison bayesian;
};

// Effect, intervals, p and beliefs; p_adjusted is p, and no direction is given yet. `planned_units`
// is N* of these two arms.
MetricVerdict CompareArms(const TestPlan& plan, const MetricDefinition& metric,
                          const MetricSums& control, const MetricSums& treatment,
                          const Cuped& cuped, double interval_alpha, double planned_units,
                          double least_p);

// The direction by p_adjusted, and whether a guardrail is safe.
void Direct(const TestPlan& plan, const MetricDefinition& metric, MetricVerdict* verdict);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_VERDICT_COMPARISON_H_
