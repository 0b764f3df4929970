// Text made safe for a page, and cells as a page shows them.

#ifndef VITRINE_API_RENDER_MARKUP_H_
#define VITRINE_API_RENDER_MARKUP_H_

#include <string>

#include "absl/strings/string_view.h"

#include "api/render/messages.h"
#include "store/base/report.h"

namespace vitrine {

// The text as content or as an attribute in double quotes, of HTML and of XML: & < > " ' become
// entities; control characters and bytes that are no UTF-8 become U+FFFD.
std::string Escape(absl::string_view text);

// Escaped, and of its own direction: a Latin name does not turn a Persian sentence round.
std::string Isolate(absl::string_view text);

// As FormatMessage and FormatCell, escaped; numbers and data are isolated, words of ours are not.
std::string MessageMarkup(Language language, const Report::Message& message);
std::string CellMarkup(Language language, const Report::Cell& cell, const Report::Column& column);

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_MARKUP_H_
