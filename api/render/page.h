// A Report as one page of HTML that is complete in itself.

#ifndef VITRINE_API_RENDER_PAGE_H_
#define VITRINE_API_RENDER_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"

#include "api/render/messages.h"
#include "store/base/report.h"

namespace vitrine {

// HTML that is well-formed XML too. Style, plots and the lines of script that sort tables are in
// it; a Content-Security-Policy forbids the page to load or send anything. Light or dark as the
// reader has it, printable, from right to left in Persian. Everything that is data is escaped and
// isolated
// (<bdi>). A table of one row and without a plot is shown as tiles.
std::string RenderPage(const Report& report, absl::string_view title, Language language);

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_PAGE_H_
