// What the site tries out, changed and looked at by the back office.

#include "absl/strings/str_cat.h"

#include "api/render/page.h"
#include "api/render/render.h"
#include "api/render/wording.h"
#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "experiments/analysis/experiment_report.h"
#include "experiments/analysis/plan.h"
#include "experiments/choices/bandit_report.h"
#include "experiments/choices/interleaving_report.h"
#include "experiments/definition/definition.h"
#include "ingest/money.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int64_t kHourMs = 3'600'000;

absl::StatusOr<Language> LanguageOf(absl::string_view language) {
  if (language == "en") return Language::kEnglish;
  if (language == "fa") return Language::kPersian;
  return absl::InvalidArgumentError(absl::StrCat("language: '", language, "' is none of en, fa"));
}

// What cannot be said yet is the caller's to wait for, not to try again.
absl::Status AsInvalid(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) ? absl::InvalidArgumentError(status.message()) : status;
}

// Of a bandit and of what is interleaved, everybody is read each time.
absl::StatusOr<Report> ReportOfChoices(Site* site, const Experiment& experiment, int64_t now_ms) {
  Report report;
  RETURN_IF_ERROR(site->ReadCopy([&](const WebHouse& copy) -> absl::Status {
    if (experiment.kind == ExperimentKind::INTERLEAVING) {
      ASSIGN_OR_RETURN(const experiments::InterleavingFindings findings,
                       experiments::ReadInterleaving(copy, experiment));
      report = experiments::InterleavingReport(experiment, findings, now_ms);
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const experiments::BanditFindings findings,
                     experiments::ReadBandit(copy, experiment, {}));
    report = experiments::BanditReport(experiment, findings, MinorDigits(experiment.currency));
    return absl::OkStatus();
  }));
  return report;
}

absl::string_view TitleOf(const Experiment& experiment) {
  switch (experiment.kind) {
    case ExperimentKind::BANDIT:
      return "experiment.bandit.title";
    case ExperimentKind::INTERLEAVING:
      return "experiment.interleaving.title";
    default:
      return "experiment.title";
  }
}

absl::StatusOr<Report> MakeReport(Site* site, const Experiment& experiment, int64_t now_ms) {
  if (experiment.kind != ExperimentKind::SPLIT) return ReportOfChoices(site, experiment, now_ms);
  ASSIGN_OR_RETURN(const experiments::ExperimentCounts counts, site->CountExperiment(experiment));
  ASSIGN_OR_RETURN(const experiments::Verdict verdict,
                   experiments::JudgeExperiment(experiment, counts, now_ms));
  return experiments::ReportOf(
      experiment, counts, verdict,
      {.now_ms = now_ms, .minor_digits = MinorDigits(experiment.currency)});
}

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

void Backoffice::experiment_report(std::string& report, const std::string& site_name,
                                   const std::string& id, ReportFormat format,
                                   const std::string& language_name) {
  if (_ReportFormat_VALUES_TO_NAMES.count(format) == 0) {
    ThrowStatus(absl::InvalidArgumentError("format: is none of ReportFormat"));
  }
  const Language language = ValueOrThrow(LanguageOf(language_name));
  Site* const site = FindOrThrow(site_name);
  std::vector<ExperimentVersion> newest;
  experiment_history(newest, site_name, id, 1);
  const Experiment& experiment = newest.front().content;
  absl::StatusOr<Report> made;
  DoInBackground("report", [&] { made = MakeReport(site, experiment, clock_->NowMs()); });
  ThrowIfError(AsInvalid(made.status()));
  switch (format) {
    case ReportFormat::JSON:
      report = RenderJson(*made);
      break;
    case ReportFormat::TEXT:
      report = RenderText(*made, language);
      break;
    case ReportFormat::HTML:
      report = RenderPage(*made, FormatMessage(language, {std::string(TitleOf(experiment)), {id}}),
                          language);
      break;
  }
}

void Backoffice::experiment_plan(ExperimentSize& size, const std::string& site_name,
                                 const Experiment& content, double lift, double power,
                                 int32_t days) {
  ThrowIfError(experiments::ValidateExperiment(content));
  ThrowIfError(CheckRange("power", power, 0.01, 0.999));
  ThrowIfError(CheckRange("days", days, 1, 3650));
  Site* const site = FindOrThrow(site_name);
  const experiments::PlanOptions options = {
      .lift = lift, .power = power, .days = days, .now_ms = clock_->NowMs()};
  absl::StatusOr<experiments::ExperimentPlan> plan;
  absl::Status status;
  DoInBackground("plan", [&] {
    status = site->ReadCopy([&](const WebHouse& copy) {
      plan = experiments::PlanExperiment(copy, content, options);
      return plan.status();
    });
  });
  ThrowIfError(AsInvalid(status));
  size.history_units = plan->units;
  size.units_a_day = plan->units_a_day;
  size.mean = plan->mean;
  size.variance = plan->variance;
  size.of_visitors = plan->of_visitors;
  size.units_per_arm = plan->units_per_arm;
  size.planned_units = plan->planned_units;
  size.days = plan->days;
}

}  // namespace vitrine
