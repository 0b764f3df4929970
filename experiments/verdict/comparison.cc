#include "experiments/verdict/comparison.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "experiments/sequential/confidence_sequence.h"

namespace vitrine::experiments {
namespace {

struct Look {
  Interval interval;
  double p = 1;
};

Look LookAt(const TestPlan& plan, const Estimate& estimate, double alpha, double planned_units,
            int64_t units) {
  if (!plan.sequential) {
    const TestResult test = FixedTest(estimate, alpha);
    return {{test.low, test.high}, test.p};
  }
  const SequentialLook look =
      ConfidenceSequence::Create(alpha, std::max(1.0, planned_units))->Look(estimate, units);
  return {{look.low, look.high}, look.p};
}

BetaPosterior Posterior(const MetricSums& sums, bool smaller_is_better) {
  const BetaPosterior beta = {1 + sums.sums[kValue],
                              1 + static_cast<double>(sums.units) - sums.sums[kValue]};
  return smaller_is_better ? BetaPosterior{beta.b, beta.a} : beta;
}

}  // namespace

absl::Status CheckPlan(const TestPlan& plan) {
  if (!(plan.alpha > 0 && plan.alpha < 0.5)) {
    return absl::InvalidArgumentError(absl::StrCat("alpha ", plan.alpha, " is not in (0, 0.5)"));
  }
  if (!(plan.planned_units >= 1 && std::isfinite(plan.planned_units))) {
    return absl::InvalidArgumentError("an experiment without planned units");
  }
  return absl::OkStatus();
}

MetricVerdict CompareArms(const TestPlan& plan, const MetricDefinition& metric,
                          const MetricSums& control, const MetricSums& treatment,
                          const Cuped& cuped, double interval_alpha, double planned_units,
                          double least_p) {
  MetricVerdict verdict;
  verdict.interval_alpha = interval_alpha;
  absl::StatusOr<Effect> effect =
      EstimateEffect(control, treatment, {.kind = metric.kind, .cuped = cuped});
  if (!effect.ok()) {
    verdict.problem = std::string(effect.status().message());
    return verdict;
  }
  const int64_t units = control.units + treatment.units;
  const Look absolute = LookAt(plan, effect->absolute, interval_alpha, planned_units, units);
  verdict.absolute = absolute.interval;
  verdict.p = plan.sequential ? std::min(least_p, absolute.p) : absolute.p;
  verdict.p_adjusted = verdict.p;
  if (effect->relative.has_value()) {
    verdict.relative =
        LookAt(plan, *effect->relative, interval_alpha, planned_units, units).interval;
  }
  if (metric.kind == MetricKind::kProportion && effect->theta == 0) {
    verdict.bayesian = Compare(Posterior(control, metric.smaller_is_better),
                               Posterior(treatment, metric.smaller_is_better));
  } else {
    const double sign = metric.smaller_is_better ? -1 : 1;
    verdict.bayesian = Compare(NormalPosterior{sign * effect->absolute.value, effect->absolute.se});
  }
  verdict.effect = *std::move(effect);
  return verdict;
}

void Direct(const TestPlan& plan, const MetricDefinition& metric, MetricVerdict* verdict) {
  if (!verdict->effect.has_value()) return;
  if (verdict->p_adjusted < plan.alpha) {
    const bool better = (verdict->effect->absolute.value > 0) != metric.smaller_is_better;
    verdict->direction = better ? Direction::kBetter : Direction::kWorse;
  }
  if (metric.role != MetricRole::kGuardrail || !verdict->relative.has_value()) return;
  const double worst = metric.smaller_is_better ? -verdict->relative->high : verdict->relative->low;
  verdict->safe = worst > -metric.margin;
  // Worse, but surely by less than the margin.
  if (verdict->safe && verdict->direction == Direction::kWorse) {
    verdict->direction = Direction::kUndecided;
  }
}

}  // namespace vitrine::experiments
