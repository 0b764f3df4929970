// Plots as SVG that stands in a page: sized by its container, coloured by the page's style sheet,
// with a title that is read aloud.

#ifndef VITRINE_API_RENDER_PLOT_H_
#define VITRINE_API_RENDER_PLOT_H_

#include <string>

#include "api/render/messages.h"
#include "store/base/report.h"

namespace vitrine {

// The plot of `table`, in a <figure>; from right to left in Persian. Empty where there is nothing
// to draw: no rows, a column that is not there or holds no numbers. Bars and arrows are those of
// the first rows (limits in plot.cc): the table has them all.
std::string DrawPlot(const Report::Plot& plot, const Report::Table& table, Language language);

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_PLOT_H_
