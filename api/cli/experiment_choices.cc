#include "api/cli/experiment_choices.h"

#include <functional>

#include "absl/strings/str_cat.h"

#include "api/cli/json_object.h"
#include "api/cli/progress.h"
#include "api/render/render.h"
#include "api/render/wording.h"
#include "ingest/money.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

constexpr int64_t kDayMs = 86'400'000;

std::function<void(int64_t)> Showing(Progress* progress) {
  return [progress](int64_t persons) {
    progress->Show("reading", persons, 0, absl::StrCat(WithThousands(persons), " persons"));
  };
}

}  // namespace

absl::StatusOr<experiments::TargetPolicy> TargetFromJson(absl::string_view text) {
  ASSIGN_OR_RETURN(const JsonObject::Json json, ParseJson(text));
  experiments::TargetPolicy target;
  absl::Status status;
  JsonObject object = JsonObject::Reading(json, "", &status);
  object.Field("experiment", &target.experiment);
  object.Field("weights", &target.weights);
  object.Finish();
  RETURN_IF_ERROR(status);
  return target;
}

absl::Status ShowEvaluation(const WebHouse& house, const Experiment& experiment,
                            const experiments::TargetPolicy& target, int32_t days, int64_t now_ms,
                            const Common& common) {
  Progress progress;
  const experiments::ChoicesOptions options = {
      .from_ms = now_ms - days * kDayMs, .to_ms = now_ms, .on_progress = Showing(&progress)};
  ASSIGN_OR_RETURN(const experiments::Evaluation evaluation,
                   experiments::EvaluatePolicy(house, experiment, target, options));
  return Show(
      experiments::EvaluationReport(experiment, evaluation, MinorDigits(experiment.currency)),
      FormatMessage(common.language, {"experiment.evaluate.title", {experiment.id}}), common);
}

}  // namespace vitrine::cli
