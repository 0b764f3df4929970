#include "experiments/verdict/cuts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/statistics/multiplicity.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

int64_t Units(const Cut& cut) {
  int64_t units = 0;
  for (const MetricSums& arm : cut.arms) units += arm.units;
  return units;
}

bool HasUnits(const Cut& cut) {
  return std::all_of(cut.arms.begin(), cut.arms.end(),
                     [](const MetricSums& arm) { return arm.units >= kSequentialUnitsPerArmMin; });
}

void CorrectAll(const TestPlan& plan, const MetricDefinition& metric,
                std::vector<CutVerdict>& verdicts) {
  std::vector<MetricVerdict*> family;
  std::vector<double> p;
  for (CutVerdict& cut : verdicts) {
    for (MetricVerdict& one : cut.comparisons) {
      if (!one.effect.has_value()) continue;
      family.push_back(&one);
      p.push_back(one.p);
    }
  }
  const std::vector<double> adjusted = BenjaminiHochberg(p);
  for (size_t i = 0; i < family.size(); ++i) {
    family[i]->p_adjusted = adjusted[i];
    Direct(plan, metric, family[i]);
  }
}

}  // namespace

absl::StatusOr<std::vector<CutVerdict>> JudgeCuts(const TestPlan& plan,
                                                  const MetricDefinition& metric,
                                                  std::span<const double> shares,
                                                  std::span<const Cut> cuts) {
  RETURN_IF_ERROR(CheckPlan(plan));
  double all_units = 0;
  for (const Cut& cut : cuts) all_units += static_cast<double>(Units(cut));
  const double count = static_cast<double>(cuts.size());
  std::vector<CutVerdict> verdicts;
  for (const Cut& cut : cuts) {
    CutVerdict& verdict = verdicts.emplace_back();
    verdict.value = cut.value;
    std::vector<int64_t> units;
    for (const MetricSums& arm : cut.arms) units.push_back(arm.units);
    ASSIGN_OR_RETURN(verdict.sample_ratio, SampleRatioTest(units, shares));
    verdict.invalid = verdict.sample_ratio.mismatch(plan.limits.sample_ratio_alpha / count);
    if (verdict.invalid || !HasUnits(cut)) continue;
    const double treatments = static_cast<double>(cut.arms.size() - 1);
    const double planned = plan.planned_units * static_cast<double>(Units(cut)) / all_units;
    const Cuped cuped = metric.cuped ? PoolCuped(cut.arms, metric.kind) : Cuped();
    for (size_t arm = 1; arm < cut.arms.size(); ++arm) {
      verdict.comparisons.push_back(CompareArms(
          plan, metric, cut.arms[0], cut.arms[arm], cuped, plan.alpha / (count * treatments),
          2 * planned / static_cast<double>(cut.arms.size()), /*least_p=*/1));
      verdict.comparisons.back().arm = arm;
    }
  }
  CorrectAll(plan, metric, verdicts);
  return verdicts;
}

}  // namespace vitrine::experiments
