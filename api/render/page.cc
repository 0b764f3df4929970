#include "api/render/page.h"

#include <vector>

#include "absl/strings/str_cat.h"

#include "api/render/markup.h"
#include "api/render/plot.h"
#include "api/render/wording.h"
#include "store/base/check.h"

namespace vitrine {
namespace {

constexpr absl::string_view kStyle = R"(
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1c2330;--soft:#5d6675;
--rule:#e3e1da;--accent:#2f5bd0;--stripe:#f5f4ef}
@media (prefers-color-scheme:dark){:root{--paper:#12151c;--card:#1a1e28;--ink:#e8eaf0;--soft:#9aa3b5;
--rule:#2e3442;--accent:#86a8ff;--stripe:#1f2430}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.55 Vazirmatn,system-ui,"Segoe UI","Noto Sans","Noto Sans Arabic",Tahoma,sans-serif}
main{max-width:64rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.7rem;line-height:1.3;margin:0 0 1rem}
h2{font-size:1.15rem;margin:0 0 .75rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem .9rem;margin:0 0 1.5rem;font-size:.9rem}
a{color:var(--accent)}
section{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:1.1rem 1.2rem;
margin:0 0 1.1rem}
.scroll{overflow:auto;max-height:34rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{position:sticky;top:0;background:var(--card);text-align:start;font-weight:600;
border-bottom:2px solid var(--rule);padding:.35rem .6rem;vertical-align:bottom}
th button{all:unset;cursor:pointer;color:var(--soft)}
th button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
th[aria-sort] button{color:var(--accent)}
th[aria-sort=ascending] button::after{content:" \2191"}
th[aria-sort=descending] button::after{content:" \2193"}
td{padding:.32rem .6rem;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:anywhere;
min-width:4.5rem}
tbody tr:nth-child(even){background:var(--stripe)}
.number{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}
.words{overflow-wrap:normal}
td small{display:block;color:var(--soft);font-size:.78rem}
td i{color:var(--soft);font-style:normal}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem;margin:0}
dt{color:var(--soft);font-size:.88rem}
dd{margin:0;font-size:1.5rem;font-weight:600;overflow-wrap:anywhere}
.empty,figcaption,footer{color:var(--soft)}
.empty{margin:0}
figure{margin:0 0 1.2rem;overflow-x:auto}
figcaption{font-size:.85rem;margin-bottom:.4rem}
svg{display:block;overflow:visible}
svg text{fill:var(--ink);font-size:13px}
svg .value{fill:var(--soft);font-size:12px}
svg .value,.graph .name{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.bar,.node,.tip{fill:var(--accent)}
.area{fill:var(--accent);opacity:.13}
.line{fill:none;stroke:var(--accent);stroke-width:2;vector-effect:non-scaling-stroke;
stroke-linejoin:round}
.grid{stroke:var(--rule)}
.arrow{fill:none;stroke:var(--accent)}
.graph{width:100%;min-width:34rem}
.curves{--line:var(--accent)}
.c1{--line:#c4571b}.c2{--line:#2a8a57}.c3{--line:#8a4fb5}.c4{--line:#9a7b12}.c5{--line:#6b7280}
.curve,.whisker{stroke:var(--line,var(--accent));stroke-width:2}
.whisker{stroke-width:1.5}
.c1 .curve{stroke-dasharray:8 4}.c2 .curve{stroke-dasharray:2 4}.c3 .curve{stroke-dasharray:10 4 2 4}
.c4 .curve{stroke-dasharray:4 4}.c5 .curve{stroke-dasharray:1 3}
.dot{fill:var(--line,var(--accent))}
.keys{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.88rem;margin-bottom:.3rem}
.keys span::before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:50%;
background:var(--line,var(--accent));margin-inline-end:.4em}
p{margin:0 0 .5rem}
ul{margin:0;padding-inline-start:1.2rem}
footer{font-size:.85rem}
@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--accent:#1f47b0;
--stripe:#fff}nav{display:none}section{border:0;padding:0}.scroll{max-height:none;overflow:visible}
tr,figure{break-inside:avoid}h2{break-after:avoid}th{position:static}}
)";

// Sorts by the value that a cell carries; the second click turns the order round. No character of
// it needs escaping in XML.
constexpr absl::string_view kScript = R"(
document.querySelectorAll("th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var head = button.parentNode, row = head.parentNode, body = row.parentNode.nextElementSibling;
    var column = Array.prototype.indexOf.call(row.children, head);
    var was = head.getAttribute("aria-sort"), number = head.classList.contains("number");
    var sign = was === "ascending" ? -1 : was === "descending" ? 1 : number ? -1 : 1;
    Array.prototype.forEach.call(row.children, function (th) { th.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
    var value = function (tr) { return tr.children[column].dataset.v; };
    Array.from(body.children).sort(function (a, b) {
      return sign * (number ? value(a) - value(b)
        : value(a).localeCompare(value(b), document.documentElement.lang));
    }).forEach(function (tr) { body.appendChild(tr); });
  });
});
)";

// Text of the catalogue that has no arguments.
std::string Say(Language language, absl::string_view key) {
  return Escape(FormatMessage(language, {std::string(key)}));
}

// What a cell is sorted by.
std::string SortValue(const Report::Cell& cell, const Report::Column& column) {
  if (const auto* whole = std::get_if<int64_t>(&cell)) return absl::StrCat(*whole);
  if (const auto* real = std::get_if<double>(&cell)) return absl::StrCat(*real);
  if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) {
    return absl::StrCat(estimate->value);
  }
  return FormatCell(Language::kEnglish, cell, column);
}

std::vector<bool> NumberColumns(const Report::Table& table) {
  std::vector<bool> numbers(table.columns.size(), !table.rows.empty());
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) numbers[c] = numbers[c] && IsNumber(row[c]);
  }
  return numbers;
}

void AppendTiles(const Report::Table& table, Language language, std::string* out) {
  *out += "<dl>";
  for (size_t c = 0; c < table.columns.size(); ++c) {
    absl::StrAppend(out, "<div><dt>", Escape(HeadOf(language, table.columns[c])), "</dt><dd>",
                    CellMarkup(language, table.rows[0][c], table.columns[c]), "</dd></div>");
  }
  *out += "</dl>\n";
}

void AppendRows(const Report::Table& table, Language language, std::string* out) {
  const std::vector<bool> numbers = NumberColumns(table);
  const auto kind = [&](size_t c) { return numbers[c] ? " class=\"number\"" : ""; };
  absl::StrAppend(out, "<div class=\"scroll\" tabindex=\"0\"><table aria-labelledby=\"t-",
                  Escape(table.name), "\"><thead><tr>");
  for (size_t c = 0; c < table.columns.size(); ++c) {
    absl::StrAppend(out, "<th scope=\"col\"", kind(c), "><button type=\"button\" title=\"",
                    Say(language, "render.sort"), "\">", Escape(HeadOf(language, table.columns[c])),
                    "</button></th>");
  }
  *out += "</tr></thead><tbody>\n";
  for (const std::vector<Report::Cell>& row : table.rows) {
    CHECK(row.size() == table.columns.size()) << "table " << table.name;
    *out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      const bool words = !numbers[c] && std::holds_alternative<Report::Message>(row[c]);
      absl::StrAppend(out, "<td", words ? " class=\"words\"" : kind(c), " data-v=\"",
                      Escape(SortValue(row[c], table.columns[c])), "\">",
                      CellMarkup(language, row[c], table.columns[c]), "</td>");
    }
    *out += "</tr>\n";
  }
  *out += "</tbody></table></div>\n";
}

void AppendSection(const Report& report, const Report::Table& table, Language language,
                   std::string* out) {
  absl::StrAppend(out, "<section><h2 id=\"t-", Escape(table.name), "\">",
                  Escape(TitleOf(language, table)), "</h2>\n");
  std::string plots;
  for (const Report::Plot& plot : report.plots) {
    if (plot.table == table.name) plots += DrawPlot(plot, table, language);
  }
  *out += plots;
  if (table.rows.empty()) {
    absl::StrAppend(out, "<p class=\"empty\">", Say(language, "render.empty"), "</p>\n");
  } else if (table.rows.size() == 1 && table.columns.size() > 2 && plots.empty()) {
    AppendTiles(table, language, out);
  } else {
    AppendRows(table, language, out);
  }
  *out += "</section>\n";
}

void AppendSummary(const Report& report, Language language, std::string* out) {
  if (report.summary.empty()) return;
  absl::StrAppend(out, "<section><h2>", Say(language, "render.summary"), "</h2>\n");
  for (const Report::Message& message : report.summary) {
    absl::StrAppend(out, "<p>", MessageMarkup(language, message), "</p>\n");
  }
  *out += "</section>\n";
}

void AppendNotes(const Report& report, Language language, std::string* out) {
  if (report.notes.empty() && report.messages.empty()) return;
  absl::StrAppend(out, "<section><h2>", Say(language, "render.notes"), "</h2><ul>\n");
  for (const std::string& note : report.notes)
    absl::StrAppend(out, "<li>", Isolate(note), "</li>\n");
  for (const Report::Message& message : report.messages) {
    absl::StrAppend(out, "<li>", MessageMarkup(language, message), "</li>\n");
  }
  *out += "</ul></section>\n";
}

}  // namespace

std::string RenderPage(const Report& report, absl::string_view title, Language language) {
  const bool persian = language == Language::kPersian;
  std::string out = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"", persian ? "fa" : "en", "\" dir=\"", persian ? "rtl" : "ltr",
      "\">\n<head><meta charset=\"utf-8\"/>"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\"/>\n<title>",
      Escape(title), "</title>\n<style>", kStyle, "</style></head>\n<body><main>\n<h1>");
  absl::StrAppend(&out, Escape(title), "</h1>\n");
  if (report.tables.size() > 2) {
    absl::StrAppend(&out, "<nav aria-label=\"", Say(language, "render.contents"), "\">");
    for (const Report::Table& table : report.tables) {
      absl::StrAppend(&out, "<a href=\"#t-", Escape(table.name), "\">",
                      Escape(TitleOf(language, table)), "</a>");
    }
    out += "</nav>\n";
  }
  AppendSummary(report, language, &out);
  for (const Report::Table& table : report.tables) AppendSection(report, table, language, &out);
  AppendNotes(report, language, &out);
  absl::StrAppend(&out, "<footer>", Say(language, "render.footer"), "</footer>\n</main>\n<script>",
                  kScript, "</script></body></html>\n");
  return out;
}

}  // namespace vitrine
