#include "api/render/page.h"

#include <fstream>

#include "api/render/markup.h"
#include "api/render/plot.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::RunProgram;
using testing::TempDir;

constexpr char kHostile[] = "<script>alert('x')</script> & \"quotes\"\x01\xff";

// What a shop may have in its data, in every place where data can stand, with every kind of plot.
Report Hostile() {
  Report report;
  report.tables = {
      {"overview",
       "",
       {{"sessions"}, {"share", 1, Report::Unit::kShare}, {"<i>"}},
       {{int64_t{1234}, 0.5, kHostile}}},
      {"by_day",
       "",
       {{"day", 0, Report::Unit::kDay}, {"sessions"}},
       {{"2024-03-20", int64_t{5}}, {"2024-03-21", int64_t{7}}, {"2024-03-22", int64_t{0}}}},
      {"entry_pages",
       "",
       {{"page"}, {"sessions"}},
       {{kHostile, int64_t{3}}, {Report::Message{"page.cart"}, int64_t{2}}}},
      {"transitions",
       "",
       {{"from"}, {"to"}, {"times"}},
       {{kHostile, Report::Message{"page.exit"}, int64_t{3}},
        {"/", kHostile, int64_t{2}},
        {"/", "/", int64_t{1}}}},
      {"paths", "", {{"path"}, {"sessions"}}, {}},
      {"methods",
       "",
       {{"method"}, {"recall@20", 4}, {kHostile, 4}},
       {{kHostile, Report::Estimate{0.2, 0.1, 0.3}, Report::Estimate{0, 0, 0}},
        {"b", Report::Estimate{0.1, 0.05, 0.15}, Report::Estimate{0.5, -0.1, 1}}}},
      {"searches",
       kHostile,
       {{"search_terms"}, {"products"}},
       {{kHostile, Report::Parts{{kHostile, "گلدان سفید"}, false}},
        {"b", Report::Parts{{"c"}, true}}}}};
  report.plots = {{Report::Plot::Kind::kLine, "by_day", {"day", "sessions"}},
                  {Report::Plot::Kind::kBars, "entry_pages", {"page", "sessions"}},
                  {Report::Plot::Kind::kGraph, "transitions", {"from", "to", "times"}},
                  {Report::Plot::Kind::kBars, "paths", {"path", "sessions"}},
                  {Report::Plot::Kind::kDots, "methods", {"method", "recall@20"}},
                  {Report::Plot::Kind::kCurves, "methods", {"method", "recall@20", kHostile}},
                  {Report::Plot::Kind::kBars, "entry_pages", {"page", "no such column"}}};
  report.notes = {kHostile};
  report.messages = {{"mine.robots", {int64_t{1500}}}, {kHostile}};
  return report;
}

class Page : public ::testing::TestWithParam<Language> {
 protected:
  const std::string page_ = RenderPage(Hostile(), kHostile, GetParam());
};

INSTANTIATE_TEST_SUITE_P(Languages, Page,
                         ::testing::Values(Language::kEnglish, Language::kPersian));

TEST_P(Page, IsWellFormedWhateverTheDataAre) {
  const TempDir dir;
  std::ofstream(dir.File("page.html")) << page_;
  // The strictest reader there is: an XML parser. Every reference of the contents leads somewhere.
  const Outcome outcome = RunProgram({"python3", "-c", R"(
import sys, xml.etree.ElementTree as tree
page = tree.parse(sys.argv[1]).getroot()
ids = [e.get("id") for e in page.iter() if e.get("id")]
assert len(ids) == len(set(ids)), ids
for link in page.iter("a"): assert link.get("href")[1:] in ids, link.get("href")
print(len(list(page.iter("svg"))), len(list(page.iter("table"))), len(list(page.iter("script"))))
)",
                                      dir.File("page.html")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // Five plots, of which the line has a picture inside; tables with rows, one of them as tiles.
  EXPECT_EQ(outcome.out, "6 5 1\n");
}

TEST_P(Page, EscapesDataAndCarriesNoForeignMarkup) {
  EXPECT_THAT(page_, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page_, HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; "
                               "&quot;quotes&quot;\xef\xbf\xbd\xef\xbf\xbd"));
}

TEST_P(Page, AsksNobodyForAnything) {
  for (const char* request : {"http:", "https:", "//", "src=", "@import", "url(h", "<link"}) {
    EXPECT_THAT(page_, Not(HasSubstr(request)));
  }
  EXPECT_THAT(page_, HasSubstr("default-src 'none'"));
}

TEST(RenderPage, RunsFromRightToLeftInPersianWithDataIsolated) {
  const std::string page = RenderPage(Hostile(), "فروشگاه", Language::kPersian);
  EXPECT_THAT(page, HasSubstr("<html lang=\"fa\" dir=\"rtl\">"));
  EXPECT_THAT(page, HasSubstr("<bdi>۱٬۲۳۴</bdi>"));
  EXPECT_THAT(page, HasSubstr("<bdi>۱۴۰۳/۰۱/۰۱</bdi>"));
  EXPECT_THAT(page, HasSubstr("<bdi>گلدان سفید</bdi>"));
  EXPECT_THAT(page, HasSubstr("<bdi>۱٬۵۰۰</bdi> نشست ربات‌ها"));
  EXPECT_THAT(page, HasSubstr("data-v=\"2024-03-20\""));  // sorts in any calendar
  EXPECT_THAT(RenderPage(Hostile(), "shop", Language::kEnglish),
              HasSubstr("<html lang=\"en\" dir=\"ltr\">"));
}

TEST(RenderPage, ShowsWhereAnEstimateLies) {
  const std::string page = RenderPage(Hostile(), "shop", Language::kEnglish);
  EXPECT_THAT(page, HasSubstr("<bdi>0.2000</bdi><small><bdi>0.1000 – 0.3000</bdi></small>"));
  EXPECT_THAT(page, HasSubstr("data-v=\"0.2\""));
  EXPECT_THAT(RenderPage(Hostile(), "shop", Language::kPersian),
              HasSubstr("<small><bdi>۰٫۱۰۰۰ – ۰٫۳۰۰۰</bdi></small>"));
}

TEST(DrawPlot, ShowsOnWhichSideOfZeroAnEstimateLies) {
  const Report::Table table = {"lifts",
                               "",
                               {{"arm"}, {"lift", 0, Report::Unit::kShare}},
                               {{"a", Report::Estimate{0.1, -0.1, 0.3}}, {"b", ""}}};
  const std::string dots =
      DrawPlot({Report::Plot::Kind::kDots, "lifts", {"arm", "lift"}}, table, Language::kEnglish);
  EXPECT_THAT(dots, HasSubstr("x1=\"20.00%\" x2=\"20.00%\"")) << "zero, of -0.1 to 0.3 on 80 %";
  EXPECT_THAT(dots, HasSubstr("x1=\"0.00%\" x2=\"80.00%\"")) << "the whisker";
  EXPECT_THAT(dots, HasSubstr("cx=\"40.00%\""));
  EXPECT_THAT(dots, Not(HasSubstr("cx=\"20.00%\""))) << "what says nothing has no dot";
  const Report::Table days = {
      "days",
      "",
      {{"day"}, {"lift", 0, Report::Unit::kShare}},
      {{"1", Report::Estimate{0, -0.1, 0.1}}, {"2", Report::Estimate{-0.05, -0.1, 0}}}};
  const std::string curve =
      DrawPlot({Report::Plot::Kind::kCurves, "days", {"day", "lift"}}, days, Language::kEnglish);
  EXPECT_THAT(curve, HasSubstr(">-10%<"));
  EXPECT_THAT(curve, HasSubstr(">10%<"));
  EXPECT_THAT(curve, HasSubstr("cy=\"122.0\"")) << "0 is in the middle";
  EXPECT_THAT(curve, HasSubstr("cy=\"172.0\""));
}

TEST(RenderPage, SaysWhereThereIsNothing) {
  EXPECT_THAT(RenderPage(Hostile(), "shop", Language::kEnglish),
              HasSubstr("Paths</h2>\n<p class=\"empty\">Nothing to show here.</p>"));
}

TEST(Escape, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(Escape("گلدان سفید 3 × 4 – ok"), "گلدان سفید 3 × 4 – ok");
  EXPECT_EQ(Escape("a\xe2\x82"), "a\xef\xbf\xbd\xef\xbf\xbd");  // cut off in the middle
}

}  // namespace
}  // namespace vitrine
