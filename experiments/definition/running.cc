#include "experiments/definition/running.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "experiments/definition/definition.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

template <typename Values, typename Value>
bool Among(const Values& values, const Value& value) {
  return values.empty() || absl::c_linear_search(values, value);
}

// "en" stands for "en-GB" too.
bool Speaks(const std::vector<std::string>& languages, absl::string_view language) {
  return languages.empty() || absl::c_any_of(languages, [language](const std::string& wanted) {
           return absl::StartsWith(language, wanted) &&
                  (language.size() == wanted.size() || language[wanted.size()] == '-');
         });
}

bool IsIn(const Audience& audience, const RequestFacts& facts) {
  return Among(audience.channels, facts.channel) && Among(audience.devices, facts.device) &&
         Among(audience.countries, facts.country) && Speaks(audience.languages, facts.language);
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
    running.by_placement_[experiment.placement].push_back({experiment, std::move(assigner)});
  }
  return running;
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
    const absl::string_view unit =
        experiment.unit == ExperimentUnit::CUSTOMER ? facts.customer : facts.visitor;
    if (facts.holdout > 0 && !unit.empty()) {
      unit_facts.held_out = Holdout(holdout_seed_, facts.holdout).Holds(unit);
    }
    unit_facts.in_audience = IsIn(experiment.audience, facts);
    const Assignment assignment = one.assigner.Assign(unit, unit_facts);
    if (!assignment.assigned()) continue;
    const auto arm = static_cast<size_t>(assignment.arm);
    chosen.push_back({&experiment, &experiment.arms[arm], assignment.point,
                      one.assigner.shares()[arm], !assignment.analysed()});
  }
  return chosen;
}

}  // namespace vitrine::experiments
