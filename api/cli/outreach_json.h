// A contact policy, a customer's preference and triggers as people edit them: JSON with the names
// of offers.thrift and outreach.thrift, enums in lower case, times as RFC 3339, times of day as
// "21:30". What is left out has its default; what is not known is an error.

#ifndef VITRINE_API_CLI_OUTREACH_JSON_H_
#define VITRINE_API_CLI_OUTREACH_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/cli/document.h"
#include "store/offers_types.h"
#include "store/outreach_types.h"

namespace vitrine::cli {

// Each indented, with a newline at its end; and back, InvalidArgument with the place. Whether the
// content makes sense as a whole is not looked at.
std::string PolicyToJson(const ContactPolicyVersion& version);
absl::StatusOr<Document<ContactPolicy>> PolicyFromJson(absl::string_view json);
std::string TriggersToJson(const TriggerSetVersion& version);
absl::StatusOr<Document<TriggerSet>> TriggersFromJson(absl::string_view json);
std::string PreferenceToJson(const ContactPreference& preference);
absl::StatusOr<Document<ContactPreference>> PreferenceFromJson(absl::string_view json);

// "2026-03-20T09:00:00+03:30 (Asia/Tehran)"; of a zone that nobody knows, in UTC.
std::string LocalTimeText(int64_t time_ms, const std::string& zone);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_OUTREACH_JSON_H_
