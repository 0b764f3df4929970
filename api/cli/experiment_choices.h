// What another share of an experiment's arms would have earned.

#ifndef VITRINE_API_CLI_EXPERIMENT_CHOICES_H_
#define VITRINE_API_CLI_EXPERIMENT_CHOICES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "api/cli/command.h"
#include "experiments/choices/evaluate.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine::cli {

// {"experiment": "x", "weights": {"": {"a": 0.2, "b": 0.8}}}. InvalidArgument, naming the place.
absl::StatusOr<experiments::TargetPolicy> TargetFromJson(absl::string_view text);

// What a policy would have earned in the last `days`.
absl::Status ShowEvaluation(const WebHouse& house, const Experiment& experiment,
                            const experiments::TargetPolicy& target, int32_t days, int64_t now_ms,
                            const Common& common);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_EXPERIMENT_CHOICES_H_
