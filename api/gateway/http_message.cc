#include "api/gateway/http_message.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

#include "ingest/percent.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

std::string Decoded(absl::string_view text, bool plus_is_blank) {
  std::string decoded;
  AppendPercentDecoded(text, plus_is_blank, &decoded);
  return decoded;
}

}  // namespace

absl::string_view HttpRequest::Header(absl::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (absl::EqualsIgnoreCase(known, name)) return value;
  }
  return "";
}

HttpFields ParseQuery(absl::string_view query) {
  HttpFields fields;
  for (const absl::string_view field : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    if (fields.size() == limits::kHttpQueryFieldsMax) break;
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    fields.emplace_back(Decoded(halves.first, true), Decoded(halves.second, true));
  }
  return fields;
}

HttpTarget SplitTarget(absl::string_view target) {
  target = target.substr(0, target.find('#'));
  const size_t mark = target.find('?');
  const absl::string_view query =
      mark == absl::string_view::npos ? absl::string_view() : target.substr(mark + 1);
  return {Decoded(target.substr(0, mark), false), query};
}

HttpReply ErrorReply(int status, absl::string_view code, absl::string_view message,
                     absl::string_view field) {
  nlohmann::ordered_json error = {{"code", std::string(code)}, {"message", std::string(message)}};
  if (!field.empty()) error["field"] = std::string(field);
  HttpReply reply;
  reply.status = status;
  reply.body = nlohmann::ordered_json{{"error", std::move(error)}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  return reply;
}

}  // namespace vitrine
