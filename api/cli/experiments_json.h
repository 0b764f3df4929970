// Experiments as people edit them: JSON with the names of records.thrift, enums in lower case,
// times as RFC 3339. What is left out has its default; what is not known is an error.

#ifndef VITRINE_API_CLI_EXPERIMENTS_JSON_H_
#define VITRINE_API_CLI_EXPERIMENTS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/cli/document.h"
#include "store/records_types.h"

namespace vitrine::cli {

// `status` and the times of its life are read, and change nothing when it is set.
using ExperimentDocument = Document<Experiment>;

// Indented, ends with a newline.
std::string ExperimentToJson(const ExperimentVersion& version);

// InvalidArgument, with the place ("arms[1].recipe[0].source: ..."), if it is no such document.
// Whether it makes sense as a whole is not looked at (ValidateExperiment).
absl::StatusOr<ExperimentDocument> ExperimentFromJson(absl::string_view json);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_EXPERIMENTS_JSON_H_
