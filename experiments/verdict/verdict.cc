#include "experiments/verdict/verdict.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/statistics/multiplicity.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::Status CheckInput(const TestPlan& plan, std::span<const MetricDefinition> metrics,
                        std::span<const ArmSums> arms, const Health& health) {
  RETURN_IF_ERROR(CheckPlan(plan));
  const auto primary = std::count_if(metrics.begin(), metrics.end(), [](const auto& metric) {
    return metric.role == MetricRole::kPrimary;
  });
  if (primary != 1) {
    return absl::InvalidArgumentError(absl::StrCat(primary, " primary metrics, and one decides"));
  }
  if (arms.size() < 2) return absl::InvalidArgumentError("fewer than two arms");
  for (const ArmSums& arm : arms) {
    if (arm.metrics.size() != metrics.size() ||
        (!arm.least_p.empty() && arm.least_p.size() != metrics.size())) {
      return absl::InvalidArgumentError(absl::StrCat("arm ", arm.name, " has other metrics"));
    }
  }
  for (const SampleRatioPeriod& period : health.exposed) {
    if (period.units.size() < arms.size()) {
      return absl::InvalidArgumentError("counts of fewer arms than there are");
    }
  }
  return absl::OkStatus();
}

int64_t FewestUnits(std::span<const ArmSums> arms) {
  int64_t fewest = arms[0].metrics[0].units;
  for (const ArmSums& arm : arms) {
    for (const MetricSums& sums : arm.metrics) fewest = std::min(fewest, sums.units);
  }
  return fewest;
}

// All of one experiment that comparisons need.
class Judgement {
 public:
  Judgement(const TestPlan& plan, std::span<const MetricDefinition> metrics,
            std::span<const ArmSums> arms, const Health& health)
      : plan_(plan), metrics_(metrics), arms_(arms), health_(health) {}

  void Compare(Verdict* verdict) {
    for (size_t metric = 0; metric < metrics_.size(); ++metric) CompareMetric(metric, verdict);
    Correct(MetricRole::kPrimary, verdict);
    Correct(MetricRole::kSecondary, verdict);
    for (MetricVerdict& one : verdict->comparisons) Direct(plan_, metrics_[one.metric], &one);
    Decide(verdict);
  }

 private:
  // Intervals of a role hold together; a guardrail stands for itself.
  double IntervalAlpha(MetricRole role) const {
    if (role == MetricRole::kGuardrail) return plan_.alpha;
    const auto of_role = std::count_if(metrics_.begin(), metrics_.end(),
                                       [role](const auto& metric) { return metric.role == role; });
    return plan_.alpha / static_cast<double>(of_role * static_cast<int64_t>(arms_.size() - 1));
  }

  // N* of two arms is their part of all arms': the same at each look, as their shares are.
  double PlannedUnits(size_t arm) const {
    double of_two = 2, of_all = static_cast<double>(arms_.size());
    if (health_.exposed.size() == 1) {
      const std::vector<double>& shares = health_.exposed[0].shares;
      of_two = shares[0] + shares[arm];
      of_all = std::accumulate(shares.begin(), shares.end(), 0.0);
    }
    return plan_.planned_units * of_two / of_all;
  }

  Cuped CupedOf(size_t metric) const {
    std::vector<MetricSums> sums;
    for (const ArmSums& arm : arms_) {
      if (arm.metrics[metric].units >= 2) sums.push_back(arm.metrics[metric]);
    }
    return PoolCuped(sums, metrics_[metric].kind);
  }

  void CompareMetric(size_t metric, Verdict* verdict) const {
    const MetricDefinition& definition = metrics_[metric];
    const Cuped cuped = definition.cuped ? CupedOf(metric) : Cuped();
    for (size_t arm = 1; arm < arms_.size(); ++arm) {
      const std::vector<double>& least_p = arms_[arm].least_p;
      MetricVerdict& one = verdict->comparisons.emplace_back(
          CompareArms(plan_, definition, arms_[0].metrics[metric], arms_[arm].metrics[metric],
                      cuped, IntervalAlpha(definition.role), PlannedUnits(arm),
                      least_p.empty() ? 1 : least_p[metric]));
      one.metric = metric;
      one.arm = arm;
      if (definition.cuped) WarnOfBefore(one, verdict);
    }
  }

  // An A/A test on the time before: nothing can have happened yet.
  void WarnOfBefore(const MetricVerdict& one, Verdict* verdict) const {
    constexpr double kAlpha = 0.001;
    const auto before = [&one](const ArmSums& arm) {
      const MetricSums& sums = arm.metrics[one.metric];
      MetricSums moved;
      moved.units = sums.units;
      moved.sums = {sums.sums[kValueBefore], sums.sums[kDenominatorBefore], 0, 0};
      moved.products[0] = sums.Product(kValueBefore, kValueBefore);
      moved.products[1] = sums.Product(kValueBefore, kDenominatorBefore);
      moved.products[2] = sums.Product(kDenominatorBefore, kDenominatorBefore);
      return moved;
    };
    const MetricKind kind =
        metrics_[one.metric].kind == MetricKind::kRatio ? MetricKind::kRatio : MetricKind::kMean;
    const auto effect = EstimateEffect(before(arms_[0]), before(arms_[one.arm]), {.kind = kind});
    if (!effect.ok()) return;
    const double p = FixedTest(effect->absolute, kAlpha).p;
    if (p < kAlpha) {
      verdict->warnings.push_back(
          absl::StrFormat("arm %s differed in %s before the experiment began (p %.2g)",
                          arms_[one.arm].name, metrics_[one.metric].name, p));
    }
  }

  void Correct(MetricRole role, Verdict* verdict) const {
    std::vector<MetricVerdict*> family;
    std::vector<double> p;
    for (MetricVerdict& one : verdict->comparisons) {
      if (metrics_[one.metric].role == role && one.effect.has_value()) {
        family.push_back(&one);
        p.push_back(one.p);
      }
    }
    const bool holm = role == MetricRole::kPrimary || plan_.correction == Correction::kHolm;
    const std::vector<double> adjusted = holm ? Holm(p) : BenjaminiHochberg(p);
    for (size_t i = 0; i < family.size(); ++i) family[i]->p_adjusted = adjusted[i];
  }

  bool HarmsAGuardrail(size_t arm, const Verdict& verdict) const {
    return std::any_of(verdict.comparisons.begin(), verdict.comparisons.end(),
                       [&](const MetricVerdict& one) {
                         return one.arm == arm && one.direction == Direction::kWorse &&
                                metrics_[one.metric].role == MetricRole::kGuardrail;
                       });
  }

  void Decide(Verdict* verdict) const {
    double best = 0;
    bool harmed = false, all_worse = true;
    for (const MetricVerdict& one : verdict->comparisons) {
      const MetricDefinition& definition = metrics_[one.metric];
      if (definition.role != MetricRole::kPrimary) continue;
      all_worse = all_worse && one.direction == Direction::kWorse;
      if (one.direction != Direction::kBetter) continue;
      if (HarmsAGuardrail(one.arm, *verdict)) {
        harmed = true;
        continue;
      }
      const double gain = std::abs(one.effect->absolute.value);
      if (gain > best) {
        best = gain;
        verdict->winner = one.arm;
      }
    }
    verdict->decision = verdict->winner > 0 ? Decision::kTreatmentWins
                        : harmed            ? Decision::kGuardrailHarmed
                        : all_worse         ? Decision::kControlWins
                                            : Decision::kUndecided;
  }

  const TestPlan& plan_;
  std::span<const MetricDefinition> metrics_;
  std::span<const ArmSums> arms_;
  const Health& health_;
};

}  // namespace

absl::string_view DecisionName(Decision decision) {
  switch (decision) {
    case Decision::kInvalid:
      return "invalid";
    case Decision::kTooEarly:
      return "too_early";
    case Decision::kNotEnded:
      return "not_ended";
    case Decision::kUndecided:
      return "undecided";
    case Decision::kTreatmentWins:
      return "treatment_wins";
    case Decision::kControlWins:
      return "control_wins";
    case Decision::kGuardrailHarmed:
      return "guardrail_harmed";
  }
  return "";
}

absl::StatusOr<Verdict> Judge(const TestPlan& plan, std::span<const MetricDefinition> metrics,
                              std::span<const ArmSums> arms, const Health& health, bool ended) {
  RETURN_IF_ERROR(CheckInput(plan, metrics, arms, health));
  Verdict verdict;
  ASSIGN_OR_RETURN(verdict.validity, CheckValidity(health, ended, plan.planned_units, plan.limits));
  verdict.warnings = verdict.validity.warnings;
  if (!verdict.validity.valid()) {
    verdict.decision = Decision::kInvalid;
  } else if (!plan.sequential && !ended) {
    verdict.decision = Decision::kNotEnded;
  } else if (FewestUnits(arms) < kSequentialUnitsPerArmMin) {
    verdict.decision = Decision::kTooEarly;
  } else {
    Judgement(plan, metrics, arms, health).Compare(&verdict);
  }
  return verdict;
}

}  // namespace vitrine::experiments
