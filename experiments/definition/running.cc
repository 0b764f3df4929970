#include "experiments/definition/running.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "experiments/definition/definition.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::string_view UnitOf(const Experiment& experiment, const RequestFacts& facts) {
  return experiment.unit == ExperimentUnit::CUSTOMER ? facts.customer : facts.visitor;
}

bool RunsNow(const Experiment& experiment, int64_t now_ms) {
  return experiment.status == ExperimentStatus::RUNNING &&
         (!experiment.__isset.from_ms || experiment.from_ms <= now_ms) &&
         (!experiment.__isset.to_ms || now_ms < experiment.to_ms);
}

}  // namespace

absl::StatusOr<RunningExperiments> RunningExperiments::Create(absl::string_view site,
                                                              const std::vector<Experiment>& all) {
  RunningExperiments running;
  running.holdout_seed_ = absl::StrCat("holdout/", site);
  for (const Experiment& experiment : all) {
    if (!GoesOn(experiment) && experiment.status != ExperimentStatus::DRAFT) continue;
    ASSIGN_OR_RETURN(Assigner assigner, AssignerOf(experiment));
    One& one = running.by_placement_[experiment.placement].emplace_back(
        One{experiment, std::move(assigner), std::nullopt});
    for (const ExperimentArm& arm : experiment.arms) {
      if (arm.__isset.model_id && GoesOn(experiment)) running.models_.insert(arm.model_id);
    }
    if (experiment.__isset.batch) {
      ASSIGN_OR_RETURN(one.policy, PolicyOf(experiment));
    }
  }
  return running;
}

std::vector<Experiment> RunningExperiments::DueBandits(int64_t now_ms) const {
  constexpr int64_t kMinuteMs = 60'000;
  std::vector<Experiment> due;
  for (const auto& [placement, all] : by_placement_) {
    for (const One& one : all) {
      const Experiment& experiment = one.experiment;
      if (!one.policy || !RunsNow(experiment, now_ms)) continue;
      const int64_t ends_ms =
          experiment.batch.from_ms + experiment.bandit.batch_minutes * kMinuteMs;
      if (ends_ms <= now_ms) due.push_back(experiment);
    }
  }
  return due;
}

std::optional<ChosenArm> RunningExperiments::ChooseOf(const One& one, const RequestFacts& facts,
                                                      const UnitFacts& unit_facts) {
  const Experiment& experiment = one.experiment;
  const absl::string_view unit = UnitOf(experiment, facts);
  const Assignment assignment = one.assigner.Assign(unit, unit_facts);
  if (!assignment.assigned()) return std::nullopt;
  const auto arm = static_cast<size_t>(assignment.arm);
  ChosenArm chosen{&experiment, &experiment.arms[arm], assignment.point, one.assigner.shares()[arm],
                   !assignment.analysed()};
  if (chosen.forced) return chosen;
  if (experiment.kind == ExperimentKind::INTERLEAVING) {
    chosen.arm = nullptr;
    chosen.propensity = 1;
  } else if (one.policy) {
    chosen.segment = SegmentOf(experiment, facts);
    const BanditChoice choice = one.policy->Choose(chosen.segment, unit);
    chosen.arm = &experiment.arms[choice.arm];
    chosen.propensity = choice.propensity;
  }
  return chosen;
}

std::vector<ChosenArm> RunningExperiments::Choose(absl::string_view placement,
                                                  const RequestFacts& facts) const {
  std::vector<ChosenArm> chosen;
  const auto here = by_placement_.find(placement);
  if (here == by_placement_.end()) return chosen;
  for (const One& one : here->second) {
    const Experiment& experiment = one.experiment;
    UnitFacts unit_facts;
    if (facts.forced != nullptr) unit_facts.forced_arm = ForcedArm(*facts.forced, experiment.id);
    if (unit_facts.forced_arm && *unit_facts.forced_arm >= experiment.arms.size()) {
      unit_facts.forced_arm.reset();
    }
    if (!unit_facts.forced_arm && !RunsNow(experiment, facts.now_ms)) continue;
    const absl::string_view unit = UnitOf(experiment, facts);
    if (facts.holdout > 0 && !unit.empty()) {
      unit_facts.held_out = Holdout(holdout_seed_, facts.holdout).Holds(unit);
    }
    unit_facts.in_audience = IsIn(experiment.audience, facts);
    if (auto arm = ChooseOf(one, facts, unit_facts)) chosen.push_back(*std::move(arm));
  }
  return chosen;
}

}  // namespace vitrine::experiments
