#include "api/render/render.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "api/render/messages.h"
#include "api/render/wording.h"
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
  EXPECT_TRUE(nlohmann::json::accept(RenderJson(report)));
}

// Every kind of cell, column and note.
Report AllKinds() {
  Report report;
  report.tables.push_back({"funnel",
                           "",
                           {{"stage"},
                            {"sessions"},
                            {"share", 1, Report::Unit::kShare},
                            {"day", 0, Report::Unit::kDay},
                            {"path"}},
                           {{Report::Message{"stage.cart"}, int64_t{1204}, 0.125, "2024-03-20",
                             Report::Parts{{"/p/1", Report::Message{"page.cart"}}, true}}}});
  report.messages.push_back({"mine.robots", {int64_t{1500}}});
  return report;
}

TEST(RenderText, SpeaksPersianInItsOwnDigitsAndCalendarStillAligned) {
  EXPECT_EQ(RenderText(AllKinds(), Language::kPersian),
            "قیف خرید\n"
            "  مرحله     نشست‌ها    سهم  روز         مسیر\n"
            "  --------  ------  -----  ----------  ---------------\n"
            "  سبد خرید   ۱٬۲۰۴  ۱۲٫۵٪  ۱۴۰۳/۰۱/۰۱  /p/1 › سبد خرید\n"
            "\n"
            "۱٬۵۰۰ نشست ربات‌ها کنار گذاشته شده است.\n");
}

TEST(RenderText, ShowsSharesAsPerCentAndPartsJoined) {
  EXPECT_EQ(RenderText(AllKinds()),
            "Funnel\n"
            "  stage  sessions  share  day         path\n"
            "  -----  --------  -----  ----------  -----------\n"
            "  cart      1,204  12.5%  2024-03-20  /p/1 › cart\n"
            "\n"
            "1,500 sessions of robots are left out.\n");
}

TEST(RenderJson, GivesProgramsKeysAndNumbers) {
  const auto json = nlohmann::json::parse(RenderJson(AllKinds()));
  const auto& row = json["tables"]["funnel"][0];
  EXPECT_EQ(row["stage"], "cart");
  EXPECT_EQ(row["sessions"], 1204);
  EXPECT_EQ(row["share"], 0.125);
  EXPECT_EQ(row["day"], "2024-03-20");
  EXPECT_EQ(row["path"], (nlohmann::json{"/p/1", "cart"}));
  EXPECT_EQ(json["notes"][0], "1,500 sessions of robots are left out.");
}

Report OneEstimate() {
  Report report;
  report.tables.push_back({"methods",
                           "",
                           {{"method"}, {"recall@20", 4}},
                           {{std::string("ials"), Report::Estimate{0.1167, 0.11, 0.1233}}}});
  return report;
}

TEST(RenderText, ShowsAnEstimateWithHalfItsInterval) {
  EXPECT_THAT(RenderText(OneEstimate()), ::testing::HasSubstr("0.1167 ±0.0067"));
  EXPECT_THAT(RenderText(OneEstimate()), ::testing::HasSubstr("recall@20"));
  EXPECT_THAT(RenderText(OneEstimate(), Language::kPersian),
              ::testing::HasSubstr("۰٫۱۱۶۷ ±۰٫۰۰۶۷"));
  EXPECT_THAT(RenderText(OneEstimate(), Language::kPersian), ::testing::HasSubstr("بازیابی@۲۰"));
}

TEST(RenderJson, GivesAnEstimateAsThreeNumbers) {
  const auto row = nlohmann::json::parse(RenderJson(OneEstimate()))["tables"]["methods"][0];
  EXPECT_EQ(row["recall@20"], 0.1167);
  EXPECT_EQ(row["recall@20_low"], 0.11);
  EXPECT_EQ(row["recall@20_high"], 0.1233);
}

TEST(Catalogue, IsSortedAndSaysTheSameInEachLanguage) {
  absl::string_view before;
  for (const MessageEntry& entry : AllMessages()) {
    EXPECT_LT(before, entry.key);
    before = entry.key;
    EXPECT_FALSE(entry.english.empty()) << entry.key;
    EXPECT_FALSE(entry.persian.empty()) << entry.key;
    for (const char* argument : {"{0}", "{1}", "{2}"}) {
      EXPECT_EQ(entry.english.find(argument) == absl::string_view::npos,
                entry.persian.find(argument) == absl::string_view::npos)
          << entry.key << " " << argument;
    }
  }
}

TEST(FormatMessage, PutsArgumentsInAndLeavesUnknownKeysAsTheyAre) {
  EXPECT_EQ(FormatMessage(Language::kEnglish, {"mine.title", {std::string("{0} {1}")}}),
            "What the clickstream of {0} {1} says");
  EXPECT_EQ(FormatMessage(Language::kEnglish, {"no.such {0}", {int64_t{7}}}), "no.such 7");
  EXPECT_EQ(FormatMessage(Language::kEnglish, {"mine.title"}), "What the clickstream of {0} says");
}

TEST(FormatDay, KnowsThePersianCalendar) {
  const auto persian = [](const char* day) { return FormatDay(Language::kPersian, day); };
  EXPECT_EQ(persian("2024-03-20"), "۱۴۰۳/۰۱/۰۱");
  EXPECT_EQ(persian("2025-03-20"), "۱۴۰۳/۱۲/۳۰");  // a leap year's last day
  EXPECT_EQ(persian("2025-03-21"), "۱۴۰۴/۰۱/۰۱");
  EXPECT_EQ(persian("2000-01-01"), "۱۳۷۸/۱۰/۱۱");
  EXPECT_EQ(persian("1990-01-01"), "۱۳۶۸/۱۰/۱۱");
  EXPECT_EQ(persian("yesterday"), "yesterday");
  EXPECT_EQ(FormatDay(Language::kEnglish, "2024-03-20"), "2024-03-20");
}

TEST(FormatDecimal, GroupsThousandsAndKeepsTheSign) {
  EXPECT_EQ(FormatDecimal(Language::kEnglish, -1234567.891, 2), "-1,234,567.89");
  EXPECT_EQ(FormatDecimal(Language::kEnglish, -123, 0), "-123");
  EXPECT_EQ(FormatDecimal(Language::kPersian, 1234.5, 1), "۱٬۲۳۴٫۵");
  EXPECT_EQ(FormatShare(Language::kEnglish, 0.1234, 1), "12.3%");
}

TEST(FormatDecimal, DoesNotSayThatLittleIsNothing) {
  EXPECT_EQ(FormatDecimal(Language::kEnglish, 0.00004, 4), "<0.0001");
  EXPECT_EQ(FormatDecimal(Language::kEnglish, 0.00006, 4), "0.0001");
  EXPECT_EQ(FormatDecimal(Language::kEnglish, 0, 4), "0.0000");
  EXPECT_EQ(FormatDecimal(Language::kEnglish, 1e-9, 0), "<1");
}

TEST(WithThousands, GroupsByThree) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
  EXPECT_EQ(WithThousands(std::numeric_limits<int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(EscapeForTerminal, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(EscapeForTerminal("plain, café, می\u200cخواهم"), "plain, café, می\u200cخواهم");
  EXPECT_EQ(EscapeForTerminal("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(EscapeForTerminal("a\\x"), "a\\\\x");
  EXPECT_EQ(EscapeForTerminal("\u009b2J"), "\\xc2\\x9b2J");         // CSI in one character
  EXPECT_EQ(EscapeForTerminal("\u202egpj"), "\\xe2\\x80\\xaegpj");  // turns text round
  EXPECT_EQ(EscapeForTerminal("\xff\xe2\x82"), "\\xff\\xe2\\x82");
  // Any bytes: nothing but printable ASCII and whole characters come out, and no byte is lost.
  for (int byte = 0; byte < 256; ++byte) {
    const std::string out = EscapeForTerminal(std::string(1, static_cast<char>(byte)));
    for (const char c : out) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << byte;
  }
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
