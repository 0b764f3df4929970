// What the site tries out, changed by the back office.

#include "absl/strings/str_cat.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int64_t kHourMs = 3'600'000;

}  // namespace

void Backoffice::experiments(std::vector<ExperimentVersion>& versions, const std::string& site) {
  versions = ValueOrThrow(FindOrThrow(site)->house().Experiments());
}

void Backoffice::experiment_history(std::vector<ExperimentVersion>& versions,
                                    const std::string& site, const std::string& id, int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  ThrowIfError(Annotate(ValidName(id), "id"));
  versions =
      ValueOrThrow(FindOrThrow(site)->house().ExperimentHistory(id, static_cast<size_t>(limit)));
  if (versions.empty()) {
    ThrowStatus(absl::NotFoundError(absl::StrCat("there is no experiment '", id, "'")));
  }
}

void Backoffice::set_experiment(ExperimentChange& change, const std::string& site,
                                const Experiment& content, int64_t based_on, const std::string& who,
                                const std::string& comment) {
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
  change = ValueOrThrow(FindOrThrow(site)->SetExperiment(content, based_on, who, comment));
}

void Backoffice::move_experiment(ExperimentChange& change, const std::string& site,
                                 const std::string& id, ExperimentStatus status,
                                 const std::string& who, const std::string& comment) {
  ThrowIfError(Annotate(ValidName(id), "id"));
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
  change =
      ValueOrThrow(FindOrThrow(site)->MoveExperiment(id, status, clock_->NowMs(), who, comment));
}

void Backoffice::update_weights(ExperimentChange& change, const std::string& site,
                                const std::string& id, const std::string& who) {
  ThrowIfError(Annotate(ValidName(id), "id"));
  ThrowIfError(CheckText("who", who));
  change = ValueOrThrow(FindOrThrow(site)->UpdateWeights(id, clock_->NowMs(), who));
}

void Backoffice::force_arm(std::string& token, const std::string& site,
                           const std::string& experiment, const std::string& arm, int32_t hours) {
  ThrowIfError(Annotate(ValidName(experiment), "experiment"));
  ThrowIfError(CheckRange("hours", hours, 1, limits::kForcedHoursMax));
  token =
      ValueOrThrow(FindOrThrow(site)->ForceArm(experiment, arm, clock_->NowMs() + hours * kHourMs));
}

}  // namespace vitrine
