#include "api/render/plot.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "api/render/markup.h"
#include "api/render/wording.h"

namespace vitrine {
namespace {

// Text of its own direction, where <bdi> cannot stand: a path stays readable in a Persian plot.
std::string IsolateText(absl::string_view text) {
  return absl::StrCat("\u2068", Escape(text), "\u2069");
}

constexpr size_t kBarsMax = 12;
constexpr size_t kCurvesMax = 6;  // that look different
constexpr size_t kLabelsMax = 8;  // beside each other
constexpr size_t kArrowsMax = 36;
constexpr size_t kNodesMax = 14;

// What one plot is drawn from: its columns, resolved.
struct Source {
  const Report::Table& table;
  std::vector<size_t> columns;
  Language language;

  bool rtl() const { return language == Language::kPersian; }
  std::string Text(size_t row, size_t column) const {
    return FormatCell(language, table.rows[row][columns[column]], table.columns[columns[column]]);
  }
  double Number(size_t row, size_t column) const {
    const Report::Cell& cell = table.rows[row][columns[column]];
    if (const auto* whole = std::get_if<int64_t>(&cell)) return static_cast<double>(*whole);
    if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) return estimate->value;
    const auto* real = std::get_if<double>(&cell);
    return real != nullptr && std::isfinite(*real) ? *real : 0.0;
  }
  bool IsEstimated(size_t row, size_t column) const {
    return std::holds_alternative<Report::Estimate>(table.rows[row][columns[column]]);
  }
  Report::Estimate Estimated(size_t row, size_t column) const {
    const auto* estimate = std::get_if<Report::Estimate>(&table.rows[row][columns[column]]);
    return estimate != nullptr ? *estimate : Report::Estimate{};
  }
  std::string Head(size_t column) const { return HeadOf(language, table.columns[columns[column]]); }
  double Largest(size_t column, size_t rows) const {
    double largest = 0;
    for (size_t r = 0; r < rows; ++r) largest = std::max(largest, Number(r, column));
    return largest;
  }
};

std::string Figure(absl::string_view svg_attributes, absl::string_view title,
                   absl::string_view body, absl::string_view keys = "") {
  return absl::StrCat("<figure><figcaption>", Escape(title), "</figcaption>", keys,
                      "<svg role=\"img\" ", svg_attributes, "><title>", Escape(title), "</title>",
                      body, "</svg></figure>\n");
}

std::string PlotTitle(const Source& source) {
  return FormatMessage(source.language, {"render.plot", {source.Head(1), source.Head(0)}});
}

// One row a bar: its label above, the value behind it.
std::string DrawBars(const Source& source) {
  constexpr int kRowHeight = 40;
  const size_t rows = std::min(source.table.rows.size(), kBarsMax);
  const double largest = source.Largest(1, rows);
  if (largest <= 0) return "";
  std::string body;
  for (size_t r = 0; r < rows; ++r) {
    const double percent = 84 * std::max(0.0, source.Number(r, 1)) / largest;
    const int y = static_cast<int>(r) * kRowHeight;
    absl::StrAppendFormat(&body, "<text x=\"%s\" y=\"%d\">%s</text>", source.rtl() ? "100%" : "0",
                          y + 14, IsolateText(source.Text(r, 0)));
    absl::StrAppendFormat(
        &body,
        "<rect class=\"bar\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" height=\"14\" rx=\"3\"/>",
        source.rtl() ? 100 - percent : 0.0, y + 20, percent);
    absl::StrAppendFormat(&body, "<text class=\"value\" x=\"%.2f%%\" dx=\"%d\" y=\"%d\">%s</text>",
                          source.rtl() ? 100 - percent : percent, source.rtl() ? -6 : 6, y + 32,
                          Escape(source.Text(r, 1)));
  }
  return Figure(absl::StrFormat("width=\"100%%\" height=\"%d\"", rows * kRowHeight),
                PlotTitle(source), body);
}

// The smallest of 1, 2, 5 times a power of ten that is not below.
double RoundUp(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (value <= step * power * (1 + 1e-9)) return step * power;
  }
  return 10 * power;
}

std::string ValueText(const Source& source, double value) {
  const Report::Column& column = source.table.columns[source.columns[1]];
  const bool whole = column.unit != Report::Unit::kShare && value == std::floor(value);
  return whole ? FormatInteger(source.language, static_cast<int64_t>(value))
               : FormatCell(source.language, value, column);
}

// What a value axis spans; it always holds 0.
struct Span {
  double bottom = 0;
  double top = 0;

  double Part(double value) const {
    return (std::clamp(value, bottom, top) - bottom) / (top - bottom);
  }
};

// Marks of the value axis: both ends, and 0 or the half.
std::string ValueAxis(const Source& source, const Span& span, int height, int margin) {
  std::string out;
  const double middle = span.bottom < 0 ? 0 : span.top / 2;
  for (const double value : {span.bottom, middle, span.top}) {
    const double y = margin + (1 - span.Part(value)) * height;
    absl::StrAppendFormat(
        &out, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>", y, y);
    const bool near_zero = value != 0 && span.Part(std::abs(value)) - span.Part(0) < 0.1;
    if (span.bottom < 0 && near_zero) continue;
    absl::StrAppendFormat(&out, "<text class=\"value\" x=\"%s\" y=\"%.1f\">%s</text>",
                          source.rtl() ? "100%" : "0", y - 4, ValueText(source, value));
  }
  return out;
}

std::string DrawLine(const Source& source) {
  constexpr int kHeight = 150;
  constexpr int kMargin = 22;
  const size_t rows = source.table.rows.size();
  const double largest = source.Largest(1, rows);
  if (rows < 2 || largest <= 0) return "";
  const double top = RoundUp(largest);
  std::string line;
  for (size_t r = 0; r < rows; ++r) {
    const double along = 1000.0 * static_cast<double>(r) / static_cast<double>(rows - 1);
    absl::StrAppendFormat(&line, "%s%.2f,%.2f", r == 0 ? "" : " ",
                          source.rtl() ? 1000 - along : along,
                          100 - 100 * std::max(0.0, source.Number(r, 1)) / top);
  }
  const char* first = source.rtl() ? "1000" : "0";
  const char* last = source.rtl() ? "0" : "1000";
  std::string body;
  absl::StrAppendFormat(
      &body,
      "<svg x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\" viewBox=\"0 0 1000 100\" "
      "preserveAspectRatio=\"none\"><polygon class=\"area\" points=\"%s,100 %s %s,100\"/>"
      "<polyline class=\"line\" points=\"%s\"/></svg>",
      kMargin, kHeight, first, line, last, line);
  body += ValueAxis(source, {0, top}, kHeight, kMargin);  // above the line, to be read
  const int labels_y = kMargin + kHeight + 18;
  for (const auto& [row, at] : {std::pair<size_t, int>{0, 0}, {rows / 2, 50}, {rows - 1, 100}}) {
    if (row == rows / 2 && rows < 5) continue;
    const char* anchor = at == 0 ? "start" : at == 50 ? "middle" : "end";
    absl::StrAppendFormat(&body, "<text x=\"%d%%\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                          source.rtl() ? 100 - at : at, labels_y, anchor,
                          Escape(source.Text(row, 0)));
  }
  return Figure(absl::StrFormat("width=\"100%%\" height=\"%d\"", labels_y + 8), PlotTitle(source),
                body);
}

// One row a dot: its label above, whiskers from low to high, the value behind them.
std::string DrawDots(const Source& source) {
  constexpr int kRowHeight = 40;
  const size_t rows = std::min(source.table.rows.size(), kBarsMax);
  Span span;
  for (size_t r = 0; r < rows; ++r) {
    span.bottom = std::min(span.bottom, source.Estimated(r, 1).low);
    span.top = std::max(span.top, source.Estimated(r, 1).high);
  }
  if (span.top <= span.bottom) return "";
  const auto along = [&](double value) {
    const double percent = 80 * span.Part(value);
    return source.rtl() ? 100 - percent : percent;
  };
  std::string body;
  for (size_t r = 0; r < rows; ++r) {
    const Report::Estimate estimate = source.Estimated(r, 1);
    const int top = static_cast<int>(r) * kRowHeight;
    const int y = top + 27;
    absl::StrAppendFormat(&body, "<text x=\"%s\" y=\"%d\">%s</text>", source.rtl() ? "100%" : "0",
                          top + 14, IsolateText(source.Text(r, 0)));
    absl::StrAppendFormat(&body,
                          "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
                          along(span.bottom), along(span.top), y, y);
    if (span.bottom < 0) {  // on which side of 0 it lies is what matters
      absl::StrAppendFormat(
          &body, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", along(0),
          along(0), y - 9, y + 9);
    }
    if (!source.IsEstimated(r, 1)) continue;
    absl::StrAppendFormat(
        &body, "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
        along(estimate.low), along(estimate.high), y, y);
    for (const double end : {estimate.low, estimate.high}) {
      absl::StrAppendFormat(
          &body, "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
          along(end), along(end), y - 5, y + 5);
    }
    absl::StrAppendFormat(&body, "<circle class=\"dot\" cx=\"%.2f%%\" cy=\"%d\" r=\"5\"/>",
                          along(estimate.value), y);
    const Report::Cell value = estimate.value;
    absl::StrAppendFormat(
        &body, "<text class=\"value\" x=\"%.2f%%\" dx=\"%d\" y=\"%d\">%s</text>",
        along(estimate.high), source.rtl() ? -10 : 10, y + 4,
        Escape(FormatCell(source.language, value, source.table.columns[source.columns[1]])));
  }
  return Figure(absl::StrFormat("width=\"100%%\" height=\"%d\"", rows * kRowHeight),
                PlotTitle(source), body);
}

// One curve: the c-th column, a dot with whiskers a row, set off from the others by some pixels so
// that all whiskers are seen.
std::string CurveMarkup(const Source& source, size_t c, const Span& span, int height, int margin,
                        const std::vector<double>& along) {
  const auto y = [&](double value) { return margin + (1 - span.Part(value)) * height; };
  const double aside =
      5 * (static_cast<double>(c) - static_cast<double>(source.columns.size()) / 2);
  std::string out = absl::StrFormat("<g class=\"curves c%d\" transform=\"translate(%.1f,0)\">",
                                    (c - 1) % kCurvesMax, aside);
  for (size_t r = 0; r < along.size(); ++r) {
    const Report::Estimate estimate = source.Estimated(r, c);
    if (r > 0) {
      absl::StrAppendFormat(
          &out, "<line class=\"curve\" x1=\"%.2f%%\" y1=\"%.1f\" x2=\"%.2f%%\" y2=\"%.1f\"/>",
          along[r - 1], y(source.Estimated(r - 1, c).value), along[r], y(estimate.value));
    }
    absl::StrAppendFormat(
        &out, "<line class=\"whisker\" x1=\"%.2f%%\" y1=\"%.1f\" x2=\"%.2f%%\" y2=\"%.1f\"/>",
        along[r], y(estimate.low), along[r], y(estimate.high));
    absl::StrAppendFormat(
        &out, "<circle class=\"dot\" cx=\"%.2f%%\" cy=\"%.1f\" r=\"4\"><title>%s</title></circle>",
        along[r], y(estimate.value),
        Escape(absl::StrCat(source.Head(c), ", ", source.Text(r, 0), ": ", source.Text(r, c))));
  }
  return out + "</g>";
}

// All values, and most of their intervals: the first days of an experiment say so little that what
// came later would be a flat line. Whiskers that reach further end at the edge.
Span SpanOfCurves(const Source& source) {
  constexpr double kWhole = 0.9;
  std::vector<double> lows, highs;
  Span span;
  for (size_t r = 0; r < source.table.rows.size(); ++r) {
    for (size_t c = 1; c < source.columns.size(); ++c) {
      const Report::Estimate estimate = source.Estimated(r, c);
      span.bottom = std::min(span.bottom, estimate.value);
      span.top = std::max(span.top, estimate.value);
      lows.push_back(estimate.low);
      highs.push_back(estimate.high);
    }
  }
  if (lows.empty()) return span;
  std::sort(lows.begin(), lows.end(), std::greater<>());
  std::sort(highs.begin(), highs.end());
  const auto most = static_cast<size_t>(kWhole * static_cast<double>(lows.size() - 1));
  const size_t at = lows.size() < kBarsMax ? lows.size() - 1 : most;
  span.bottom = std::min(span.bottom, lows[at]);
  span.top = std::max(span.top, highs[at]);
  if (span.bottom < 0) span.bottom = -RoundUp(-span.bottom);
  if (span.top > 0) span.top = RoundUp(span.top);
  return span;
}

std::string DrawCurves(const Source& source) {
  constexpr int kHeight = 200;
  constexpr int kMargin = 22;
  const size_t rows = source.table.rows.size();
  const Span span = SpanOfCurves(source);
  if (rows < 2 || span.top <= span.bottom) return "";
  std::vector<double> along;
  for (size_t r = 0; r < rows; ++r) {
    const double percent = 12 + 84 * static_cast<double>(r) / static_cast<double>(rows - 1);
    along.push_back(source.rtl() ? 100 - percent : percent);
  }
  std::string body = ValueAxis(source, span, kHeight, kMargin);
  std::string keys = "<div class=\"keys\">";
  for (size_t c = 1; c < source.columns.size(); ++c) {
    body += CurveMarkup(source, c, span, kHeight, kMargin, along);
    absl::StrAppendFormat(&keys, "<span class=\"curves c%d\">%s</span>", (c - 1) % kCurvesMax,
                          Isolate(source.Head(c)));
  }
  const int labels_y = kMargin + kHeight + 18;
  for (size_t r = 0; r < rows; r += (rows + kLabelsMax - 1) / kLabelsMax) {
    absl::StrAppendFormat(&body, "<text x=\"%.2f%%\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                          along[r], labels_y, Escape(source.Text(r, 0)));
  }
  return Figure(absl::StrFormat("width=\"100%%\" height=\"%d\"", labels_y + 8),
                TitleOf(source.language, source.table), body, keys + "</div>");
}

struct Arrow {
  size_t from;
  size_t to;
  double weight;
  std::string hint;
};

struct Graph {
  std::vector<std::string> nodes;
  std::vector<Arrow> arrows;
  double largest = 0;
};

Graph ReadGraph(const Source& source) {
  Graph graph;
  const auto find = [&](const std::string& name) {
    return static_cast<size_t>(std::find(graph.nodes.begin(), graph.nodes.end(), name) -
                               graph.nodes.begin());
  };
  const auto node = [&](const std::string& name) {
    const size_t at = find(name);
    if (at == graph.nodes.size()) graph.nodes.push_back(name);
    return at;
  };
  for (size_t r = 0; r < source.table.rows.size() && graph.arrows.size() < kArrowsMax; ++r) {
    const std::string from = source.Text(r, 0);
    const std::string to = source.Text(r, 1);
    const auto is_new = [&](const std::string& name) { return find(name) == graph.nodes.size(); };
    const size_t more = (is_new(from) ? 1 : 0) + (is_new(to) && to != from ? 1 : 0);
    if (graph.nodes.size() + more > kNodesMax) continue;
    const size_t a = node(from);
    const size_t b = node(to);
    graph.arrows.push_back(
        {a, b, source.Number(r, 2), absl::StrCat(from, " → ", to, ": ", source.Text(r, 2))});
    graph.largest = std::max(graph.largest, graph.arrows.back().weight);
  }
  return graph;
}

struct Point {
  double x;
  double y;
};

constexpr double kGraphWidth = 760;
constexpr double kGraphHeight = 470;
constexpr double kNodeRadius = 7;

// Nodes stand on an ellipse, the first at the start of the reading direction.
Point PlaceOf(size_t node, size_t nodes, bool rtl) {
  const double angle = std::numbers::pi + 2 * std::numbers::pi * static_cast<double>(node) /
                                              static_cast<double>(nodes);
  const double x = 235 * std::cos(angle);
  return {kGraphWidth / 2 + (rtl ? -x : x), kGraphHeight / 2 + 175 * std::sin(angle)};
}

// A curve from one node to the other, bent to its right so that the way back has its own; or a loop
// outwards.
std::string ArrowPath(const Point& a, const Point& b) {
  const Point middle = {kGraphWidth / 2, kGraphHeight / 2};
  if (a.x == b.x && a.y == b.y) {
    const double length = std::max(1.0, std::hypot(a.x - middle.x, a.y - middle.y));
    const Point out = {(a.x - middle.x) / length, (a.y - middle.y) / length};
    return absl::StrFormat("M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f", a.x - 7 * out.y,
                           a.y + 7 * out.x, a.x + 46 * out.x - 34 * out.y,
                           a.y + 46 * out.y + 34 * out.x, a.x + 46 * out.x + 34 * out.y,
                           a.y + 46 * out.y - 34 * out.x, a.x + 9 * out.y, a.y - 9 * out.x);
  }
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  const Point along = {(b.x - a.x) / length, (b.y - a.y) / length};
  const Point bend = {(a.x + b.x) / 2 - 0.14 * length * along.y,
                      (a.y + b.y) / 2 + 0.14 * length * along.x};
  // The end stays clear of the node, in the direction in which the curve arrives.
  const double last = std::hypot(b.x - bend.x, b.y - bend.y);
  const double keep = (last - kNodeRadius - 8) / last;
  return absl::StrFormat("M%.1f,%.1f Q%.1f,%.1f %.1f,%.1f", a.x, a.y, bend.x, bend.y,
                         bend.x + keep * (b.x - bend.x), bend.y + keep * (b.y - bend.y));
}

// The label stands outside of the ellipse.
std::string NodeMarkup(const Point& at, const std::string& name, bool rtl) {
  const double side = (at.x - kGraphWidth / 2) / kGraphWidth;
  const bool right = side > 0.05;
  const bool left = side < -0.05;
  const double below = at.y > kGraphHeight / 2 ? 24 : -14;
  // Anchors are meant in the reading direction.
  const char* anchor = !left && !right ? "middle" : right != rtl ? "start" : "end";
  return absl::StrFormat(
      "<circle class=\"node\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.0f\"/>"
      "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
      at.x, at.y, kNodeRadius,
      at.x + (right  ? 14
              : left ? -14
                     : 0),
      left || right ? at.y + 5 : at.y + below, anchor, IsolateText(name));
}

std::string DrawGraph(const Source& source) {
  const Graph graph = ReadGraph(source);
  if (graph.largest <= 0) return "";
  std::string body =
      "<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"5\" refY=\"5\" markerWidth=\"9\" "
      "markerHeight=\"9\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">"
      "<path class=\"tip\" d=\"M0,0 L10,5 L0,10 z\"/></marker></defs>";
  const auto place = [&](size_t node) { return PlaceOf(node, graph.nodes.size(), source.rtl()); };
  for (const Arrow& arrow : graph.arrows) {
    const double share = arrow.weight / graph.largest;
    absl::StrAppendFormat(
        &body,
        "<path class=\"arrow\" d=\"%s\" stroke-width=\"%.2f\" "
        "stroke-opacity=\"%.2f\" marker-end=\"url(#tip)\"><title>%s</title></path>",
        ArrowPath(place(arrow.from), place(arrow.to)), 1 + 9 * share,
        0.25 + 0.55 * std::sqrt(share), Escape(arrow.hint));
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    body += NodeMarkup(place(n), graph.nodes[n], source.rtl());
  }
  return Figure(
      absl::StrFormat("class=\"graph\" viewBox=\"0 0 %.0f %.0f\"", kGraphWidth, kGraphHeight),
      FormatMessage(source.language, {"render.plot_graph"}), body);
}

}  // namespace

std::string DrawPlot(const Report::Plot& plot, const Report::Table& table, Language language) {
  Source source{table, {}, language};
  for (const std::string& name : plot.columns) {
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(),
                     [&](const Report::Column& column) { return column.name == name; });
    if (found == table.columns.end()) return "";
    source.columns.push_back(static_cast<size_t>(found - table.columns.begin()));
  }
  switch (plot.kind) {
    case Report::Plot::Kind::kBars:
      return source.columns.size() == 2 ? DrawBars(source) : "";
    case Report::Plot::Kind::kLine:
      return source.columns.size() == 2 ? DrawLine(source) : "";
    case Report::Plot::Kind::kDots:
      return source.columns.size() == 2 ? DrawDots(source) : "";
    case Report::Plot::Kind::kCurves:
      return source.columns.size() >= 2 ? DrawCurves(source) : "";
    case Report::Plot::Kind::kGraph:
      return source.columns.size() == 3 ? DrawGraph(source) : "";
  }
  return "";
}

}  // namespace vitrine
