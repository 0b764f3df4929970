// A Report as people and programs read it.

#ifndef VITRINE_API_RENDER_RENDER_H_
#define VITRINE_API_RENDER_RENDER_H_

#include <string>

#include "absl/strings/string_view.h"

#include "api/render/messages.h"
#include "store/base/report.h"

namespace vitrine {

// Aligned tables for a terminal, then the notes.
std::string RenderText(const Report& report, Language language = Language::kEnglish);

// {"tables": {"<name>": [{"<column>": value, ...}, ...]}, "notes": [...]}, indented. The same in
// every language: names are keys, shares are 0 to 1, days are 2024-01-31, notes are English.
std::string RenderJson(const Report& report);

// How many columns a terminal gives to this UTF-8 text: one for each code point, none for a
// combining mark or a joiner.
size_t DisplayWidth(absl::string_view text);

// `text` on one line and harmless to a terminal, whatever it holds: control characters, characters
// that turn the direction of text, and bytes that are no UTF-8 become \xNN, a backslash \\.
std::string EscapeForTerminal(absl::string_view text);

// "12,345,678".
std::string WithThousands(int64_t number);

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_RENDER_H_
