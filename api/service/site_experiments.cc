// What a site tries out: definitions that were checked, and the arms that a request meets.

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "api/service/site.h"
#include "experiments/analysis/experiment_counts.h"
#include "experiments/definition/definition.h"
#include "recommender/placements/validate.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

std::vector<Experiment> ContentsOf(std::vector<ExperimentVersion> versions) {
  std::vector<Experiment> contents;
  for (ExperimentVersion& version : versions) contents.push_back(std::move(version.content));
  return contents;
}

absl::StatusOr<ExperimentVersion> Newest(const WebHouse& house, absl::string_view id) {
  ASSIGN_OR_RETURN(std::vector<ExperimentVersion> newest, house.ExperimentHistory(id, 1));
  if (!newest.empty()) return std::move(newest.front());
  return absl::NotFoundError(absl::StrCat("there is no experiment '", id, "'"));
}

// Each arm, put into what the storefront shows by.
absl::Status CheckInPlacement(const Experiment& experiment, const PlacementSet& now) {
  const auto is_here = [&](const Placement& placement) {
    return placement.id == experiment.placement;
  };
  if (!absl::c_any_of(now.placements, is_here)) {
    return absl::InvalidArgumentError(
        absl::StrCat("placement: there is no placement '", experiment.placement, "'"));
  }
  for (const ExperimentArm& arm : experiment.arms) {
    PlacementSet set = now;
    experiments::Apply(arm, &*absl::c_find_if(set.placements, is_here));
    RETURN_IF_ERROR(Annotate(ValidatePlacements(set), absl::StrCat("arms[", arm.id, "]")));
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<const experiments::RunningExperiments> Site::experiments() const {
  absl::ReaderMutexLock lock(&model_mutex_);
  return experiments_;
}

absl::Status Site::LoadExperiments() {
  if (forced_key_ == nullptr) {
    const absl::StatusOr<std::string> key = house_->DerivedKey("forced arms");
    if (key.ok()) forced_key_ = std::make_unique<const Hmac>(*key);
  }
  ASSIGN_OR_RETURN(std::vector<ExperimentVersion> all, house_->Experiments());
  ASSIGN_OR_RETURN(experiments::RunningExperiments running,
                   experiments::RunningExperiments::Create(name_, ContentsOf(std::move(all))));
  absl::MutexLock lock(&model_mutex_);
  experiments_ = std::make_shared<const experiments::RunningExperiments>(std::move(running));
  return absl::OkStatus();
}

absl::Status Site::CheckGoingOn(const PlacementSet& set) const {
  ASSIGN_OR_RETURN(const std::vector<ExperimentVersion> all, house_->Experiments());
  for (const ExperimentVersion& version : all) {
    if (!experiments::GoesOn(version.content)) continue;
    RETURN_IF_ERROR(Annotate(CheckInPlacement(version.content, set),
                             absl::StrCat("the experiment ", version.content.id,
                                          ", which goes on, would not: stop it first")));
  }
  return absl::OkStatus();
}

absl::StatusOr<ExperimentChange> Site::SetExperiment(const Experiment& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  RETURN_IF_ERROR(experiments::ValidateExperiment(content));
  RETURN_IF_ERROR(CheckInPlacement(content, placements()->content));
  absl::MutexLock lock(&experiments_mutex_);
  ASSIGN_OR_RETURN(const std::vector<ExperimentVersion> newest,
                   house_->ExperimentHistory(content.id, 1));
  ExperimentChange change;
  Experiment next = content;
  const Experiment life = newest.empty() ? Experiment() : newest.front().content;
  next.status = life.status;
  next.started_ms = life.started_ms;
  next.stopped_ms = life.stopped_ms;
  next.__isset.started_ms = life.__isset.started_ms;
  next.__isset.stopped_ms = life.__isset.stopped_ms;
  if (!newest.empty()) {
    ASSIGN_OR_RETURN(change.warnings, experiments::CheckChange(life, next));
  }
  ASSIGN_OR_RETURN(change.version, house_->SetExperiment(next, based_on, who, comment));
  RETURN_IF_ERROR(LoadExperiments());
  return change;
}

absl::StatusOr<ExperimentChange> Site::MoveExperiment(absl::string_view id, ExperimentStatus to,
                                                      int64_t now_ms, absl::string_view who,
                                                      absl::string_view comment) {
  absl::MutexLock lock(&experiments_mutex_);
  ASSIGN_OR_RETURN(const ExperimentVersion before, Newest(*house_, id));
  ASSIGN_OR_RETURN(std::vector<ExperimentVersion> all, house_->Experiments());
  ASSIGN_OR_RETURN(const Experiment moved,
                   experiments::Moved(before.content, to, ContentsOf(std::move(all)), now_ms));
  if (to == ExperimentStatus::RUNNING)
    RETURN_IF_ERROR(CheckInPlacement(moved, placements()->content));
  ExperimentChange change;
  ASSIGN_OR_RETURN(change.version, house_->SetExperiment(moved, before.version, who, comment));
  RETURN_IF_ERROR(LoadExperiments());
  return change;
}

absl::StatusOr<std::string> Site::ForceArm(absl::string_view experiment, absl::string_view arm,
                                           int64_t expires_ms) const {
  if (forced_key_ == nullptr) {
    return absl::FailedPreconditionError("this site has no key to sign with");
  }
  ASSIGN_OR_RETURN(const ExperimentVersion version, Newest(*house_, experiment));
  const std::vector<ExperimentArm>& arms = version.content.arms;
  const auto found =
      absl::c_find_if(arms, [arm](const ExperimentArm& candidate) { return candidate.id == arm; });
  if (found == arms.end()) {
    return absl::NotFoundError(
        absl::StrCat("the experiment ", experiment, " has no arm '", arm, "'"));
  }
  const auto index = static_cast<uint32_t>(found - arms.begin());
  return experiments::SignForcedArms(*forced_key_, name_, {{std::string(experiment), index}},
                                     expires_ms);
}

absl::StatusOr<experiments::ExperimentCounts> Site::CountExperiment(const Experiment& experiment) {
  if (!experiment.__isset.started_ms) {
    return absl::FailedPreconditionError(
        absl::StrCat("the experiment ", experiment.id, " has not begun"));
  }
  return counts_.Count(experiment, *house_, [this](const auto& read) { return ReadCopy(read); });
}

experiments::ForcedArms Site::ForcedBy(absl::string_view token, int64_t now_ms) const {
  if (forced_key_ == nullptr || token.empty()) return {};
  return experiments::ReadForcedArms(*forced_key_, name_, token, now_ms)
      .value_or(experiments::ForcedArms());
}

}  // namespace vitrine
