#include "api/render/markup.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/render/wording.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

constexpr absl::string_view kReplacement = "\xef\xbf\xbd";

// How many bytes the UTF-8 character at the front has; 0 if there is none.
size_t CharacterLength(absl::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length <= text.size() && IsUtf8(text.substr(0, length)) ? length : 0;
}

}  // namespace

std::string Escape(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text[0];
    if (length == 0 || (length == 1 && (c < ' ' || c == 0x7f) && c != '\n' && c != '\t')) {
      absl::StrAppend(&out, kReplacement);
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      absl::StrAppend(&out, text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string Isolate(absl::string_view text) {
  return absl::StrCat("<bdi>", Escape(text), "</bdi>");
}

std::string MessageMarkup(Language language, const Report::Message& message) {
  // The words around the arguments are ours, so that escaping them piece by piece is not needed,
  // unless the key is unknown and is shown itself.
  if (!FindMessage(language, message.key).has_value()) return Escape(message.key);
  return FormatMessage(language, message, [](const std::string& text) { return Isolate(text); });
}

std::string CellMarkup(Language language, const Report::Cell& cell, const Report::Column& column) {
  if (const auto* message = std::get_if<Report::Message>(&cell)) {
    return MessageMarkup(language, *message);
  }
  if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) {
    const Report::Cell value = estimate->value;
    return absl::StrCat(Isolate(FormatCell(language, value, column)), "<small>",
                        Isolate(FormatRange(language, *estimate, column)), "</small>");
  }
  const auto* parts = std::get_if<Report::Parts>(&cell);
  if (parts == nullptr) return Isolate(FormatCell(language, cell, column));
  return absl::StrJoin(parts->parts, parts->ordered ? "<i> › </i>" : "<i> + </i>",
                       [language](std::string* out, const Report::Text& part) {
                         const auto* message = std::get_if<Report::Message>(&part);
                         absl::StrAppend(out, message != nullptr
                                                  ? MessageMarkup(language, *message)
                                                  : Isolate(std::get<std::string>(part)));
                       });
}

}  // namespace vitrine
