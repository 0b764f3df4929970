// A versioned content (placements, an experiment) as a file that people edit: its description
// (json_object.h) beside the number of the version that it was taken from.

#ifndef VITRINE_API_CLI_DOCUMENT_H_
#define VITRINE_API_CLI_DOCUMENT_H_

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "api/cli/json_object.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {

template <typename Content>
struct Document {
  std::optional<int64_t> version;  // that it was taken from, if it says so
  Content content;
};

// Indented, ends with a newline.
template <typename Version, typename Describe>
std::string VersionToJson(const Version& version, Describe describe) {
  JsonObject object = JsonObject::Writing();
  int64_t number = version.version;
  object.Field("version", &number);
  auto content = version.content;
  describe(&object, &content);
  return object.Finish().dump(2) + "\n";
}

// InvalidArgument, with the place, if it is no such document.
template <typename Content, typename Describe>
absl::StatusOr<Document<Content>> DocumentFromJson(absl::string_view text, Describe describe) {
  ASSIGN_OR_RETURN(const JsonObject::Json json, ParseJson(text));
  absl::Status status;
  Document<Content> document;
  int64_t version = 0;
  bool has_version = false;
  JsonObject object = JsonObject::Reading(json, "", &status);
  object.Maybe("version", &version, [&](bool set) { return has_version = has_version || set; });
  describe(&object, &document.content);
  object.Finish();
  if (!status.ok()) return status;
  if (has_version) document.version = version;
  return document;
}

// The same of a file, where `validate` finds nothing wrong with the content as a whole. Errors name
// the file.
template <typename Content, typename FromJson, typename Validate>
absl::StatusOr<Document<Content>> ReadDocument(const std::string& file, FromJson from_json,
                                               Validate validate) {
  std::ifstream in(file);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", file));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  absl::StatusOr<Document<Content>> document = from_json(text);
  RETURN_IF_ERROR(Annotate(document.status(), file));
  RETURN_IF_ERROR(Annotate(validate(document->content), file));
  return document;
}

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_DOCUMENT_H_
