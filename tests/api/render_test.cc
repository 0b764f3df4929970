#include "api/render/render.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

Report TwoRows() {
  Report report;
  report.tables.push_back({"outcomes",
                           "Outcomes",
                           {{"outcome"}, {"lines"}, {"share %", 1}},
                           {{std::string("accepted"), int64_t{530104}, 97.8},
                            {std::string("ویترین"), int64_t{7}, 0.25}}});
  report.notes.push_back("That is all.");
  return report;
}

TEST(RenderText, AlignsNumbersRightAndTextLeft) {
  EXPECT_EQ(RenderText(TwoRows()),
            "Outcomes\n"
            "  outcome     lines  share %\n"
            "  --------  -------  -------\n"
            "  accepted  530,104     97.8\n"
            "  ویترین          7      0.2\n"
            "\n"
            "That is all.\n");
}

TEST(RenderJson, KeepsValuesAsTheyAre) {
  const auto json = nlohmann::json::parse(RenderJson(TwoRows()));
  EXPECT_EQ(json["tables"]["outcomes"][0]["lines"], 530104);
  EXPECT_EQ(json["tables"]["outcomes"][1]["outcome"], "ویترین");
  EXPECT_EQ(json["notes"][0], "That is all.");
}

TEST(RenderJson, SurvivesTextThatIsNotUtf8) {
  Report report;
  report.notes.push_back("\xff");
  EXPECT_NO_THROW(nlohmann::json::parse(RenderJson(report)));
}

TEST(WithThousands, GroupsByThree) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
  EXPECT_EQ(WithThousands(std::numeric_limits<int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(DisplayWidth, CountsWhatATerminalShows) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("café"), 4u);
  EXPECT_EQ(DisplayWidth("cafe\u0301"), 4u);
  EXPECT_EQ(DisplayWidth("می\u200cخواهم"), 7u);
  EXPECT_EQ(DisplayWidth("\xe2\x82"), 1u);  // cut off in the middle
}

}  // namespace
}  // namespace vitrine
