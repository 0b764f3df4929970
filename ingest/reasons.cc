#include "ingest/reasons.h"

#include "absl/strings/escaping.h"

namespace vitrine {

std::string Shown(absl::string_view text) {
  constexpr size_t kShownBytes = 40;
  if (text.size() <= kShownBytes) return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
  size_t end = kShownBytes;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // not inside a character
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, end)), "...\"");
}

FaultText ParseFault(absl::string_view message) {
  const size_t colon = message.find(": ");
  if (colon == absl::string_view::npos) return {reasons::kBadEvent, message};
  const absl::string_view reason = message.substr(0, colon);
  for (const absl::string_view known : reasons::kAll) {
    if (reason == known) return {known, message.substr(colon + 2)};
  }
  return {reasons::kBadEvent, message};
}

}  // namespace vitrine
