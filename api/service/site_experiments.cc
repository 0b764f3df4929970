// What a site tries out: definitions that were checked, and the arms that a request meets.

#include <algorithm>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "spdlog/spdlog.h"

#include "api/service/site.h"
#include "experiments/analysis/experiment_counts.h"
#include "experiments/choices/bandit_report.h"
#include "experiments/definition/definition.h"
#include "recommender/placements/validate.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

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

std::shared_ptr<const Site::TrialModels> Site::trial_models() const {
  absl::ReaderMutexLock lock(&model_mutex_);
  return trial_models_;
}

// What clicks and the catalogue say is learned in the background, as after a start.
void Site::LoadTrialModels() {
  absl::MutexLock loading(&trial_mutex_);
  const std::shared_ptr<const TrialModels> before = trial_models();
  const std::shared_ptr<Serving> now = serving();
  auto loaded = std::make_shared<TrialModels>();
  bool is_new = false;
  for (const std::string& id : experiments()->models()) {
    if (now != nullptr && now->model->id == id) continue;
    if (loaded->size() == limits::kTrialModelsMax) {
      spdlog::error("site {}: the model {} is one too many for experiments", name_, id);
      continue;
    }
    if (const auto found = before->find(id); found != before->end()) {
      loaded->emplace(id, found->second);
      continue;
    }
    absl::StatusOr<std::shared_ptr<Serving>> read = ReadServing(id);
    if (!read.ok()) {
      spdlog::error("site {}: an experiment's model {}: {}", name_, id, read.status().ToString());
      continue;
    }
    loaded->emplace(id, *std::move(read));
    is_new = true;
  }
  {
    absl::MutexLock lock(&model_mutex_);
    trial_models_ = std::move(loaded);
  }
  if (is_new) LearnSessionsSoon();
}

absl::Status Site::CheckModels(const Experiment& experiment) const {
  if (!experiments::TriesModels(experiment)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> kept, models_.List());
  std::set<std::string> all = experiments()->models();
  for (const ExperimentArm& arm : experiment.arms) {
    if (!arm.__isset.model_id) continue;
    all.insert(arm.model_id);
    if (absl::c_linear_search(kept, arm.model_id)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "arms[", arm.id,
        "].model_id: the site keeps no model of this id; it has: ", absl::StrJoin(kept, ", ")));
  }
  if (all.size() <= limits::kTrialModelsMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("arms: more than ", limits::kTrialModelsMax,
                                                 " models would be tried at the same time"));
}

absl::Status Site::LoadExperiments() {
  if (forced_key_ == nullptr) {
    const absl::StatusOr<std::string> key = house_->DerivedKey("forced arms");
    if (key.ok()) forced_key_ = std::make_unique<const Hmac>(*key);
  }
  ASSIGN_OR_RETURN(std::vector<ExperimentVersion> all, house_->Experiments());
  ASSIGN_OR_RETURN(experiments::RunningExperiments running,
                   experiments::RunningExperiments::Create(name_, ContentsOf(std::move(all))));
  {
    absl::MutexLock lock(&model_mutex_);
    experiments_ = std::make_shared<const experiments::RunningExperiments>(std::move(running));
  }
  LoadTrialModels();
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
  RETURN_IF_ERROR(CheckModels(content));
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
  next.batch = life.batch;
  next.__isset.batch = life.__isset.batch;
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
  if (to == ExperimentStatus::RUNNING) {
    RETURN_IF_ERROR(CheckInPlacement(moved, placements()->content));
    RETURN_IF_ERROR(CheckModels(moved));
  }
  ExperimentChange change;
  ASSIGN_OR_RETURN(change.version, house_->SetExperiment(moved, before.version, who, comment));
  RETURN_IF_ERROR(LoadExperiments());
  return change;
}

// It is read without a lock: whoever changes the experiment meanwhile goes first.
absl::StatusOr<ExperimentChange> Site::UpdateWeights(absl::string_view id, int64_t now_ms,
                                                     absl::string_view who) {
  ASSIGN_OR_RETURN(const ExperimentVersion before, Newest(*house_, id));
  Experiment next = before.content;
  if (next.kind != ExperimentKind::BANDIT) {
    return absl::InvalidArgumentError("kind: only a bandit has weights that change");
  }
  if (next.status != ExperimentStatus::RUNNING) {
    return absl::InvalidArgumentError(
        absl::StrCat("status: it is ", ExperimentStatusName(next.status), ", and does not run"));
  }
  experiments::BanditSums sums;
  RETURN_IF_ERROR(experiments::ReadChoices(
                      *house_, next, {},
                      [&](absl::string_view, std::span<const experiments::Choice> choices) {
                        for (const experiments::Choice& choice : choices) {
                          experiments::AddChoice(before.content, choice, &sums);
                        }
                        return absl::OkStatus();
                      })
                      .status());
  next.batch = experiments::NextBatch(next, sums, now_ms);
  absl::MutexLock lock(&experiments_mutex_);
  ExperimentChange change;
  ASSIGN_OR_RETURN(
      change.version,
      house_->SetExperiment(next, before.version, who, absl::StrCat("batch ", next.batch.number)));
  RETURN_IF_ERROR(LoadExperiments());
  return change;
}

absl::Status Site::UpdateDueWeights(int64_t now_ms) {
  for (const Experiment& bandit : experiments()->DueBandits(now_ms)) {
    RETURN_IF_ERROR(Annotate(UpdateWeights(bandit.id, now_ms, "vitrine").status(), bandit.id));
  }
  return absl::OkStatus();
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
