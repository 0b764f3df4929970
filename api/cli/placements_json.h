// Placements as people edit them: JSON with the names of records.thrift, enums in lower case, times
// as RFC 3339. What is left out has its default; what is not known is an error.

#ifndef VITRINE_API_CLI_PLACEMENTS_JSON_H_
#define VITRINE_API_CLI_PLACEMENTS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/cli/document.h"
#include "api/cli/json_object.h"
#include "store/records_types.h"

namespace vitrine::cli {

using PlacementDocument = Document<PlacementSet>;

// Indented, ends with a newline.
std::string PlacementsToJson(const PlacementVersion& version);

// InvalidArgument, with the place ("placements[2].rules[0].kind: ..."), if it is no such document.
// Whether it makes sense as a whole is not looked at (ValidatePlacements).
absl::StatusOr<PlacementDocument> PlacementsFromJson(absl::string_view json);

// Parts that other documents have too.
void DescribeRule(JsonObject* object, Rule* rule);
void DescribeSource(JsonObject* object, RecipeSource* source);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_PLACEMENTS_JSON_H_
