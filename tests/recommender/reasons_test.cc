#include "recommender/placements/reasons.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace vitrine {
namespace {

std::string Isolated(const char* name) { return absl::StrCat("\u2068", name, "\u2069"); }

std::string Text(const Reason& reason, const char* language, const std::string& name = "",
                 const std::string& category = "", const PlacementSet& set = {}) {
  return ReasonText(reason, set, language, name, category);
}

TEST(ReasonText, SaysTheEvidence) {
  EXPECT_EQ(Text({"bought_with", 1, 312}, "en", "Blue mug"),
            absl::StrCat("Bought with ", Isolated("Blue mug"), " in 312 carts"));
  EXPECT_EQ(Text({"viewed", 1}, "en", "Blue mug"),
            absl::StrCat("Because you viewed ", Isolated("Blue mug")));
  EXPECT_EQ(Text({"popular_week"}, "en", "", "Garden"),
            absl::StrCat("Popular this week in ", Isolated("Garden")));
  EXPECT_EQ(Text({"popular_week"}, "en"), "Popular this week");
}

TEST(ReasonText, SpeaksPersianWithItsDigits) {
  EXPECT_EQ(Text({"bought_with", 1, 312}, "fa", "Mug"),
            absl::StrCat("در ۳۱۲ سبد همراه ", Isolated("Mug"), " خریده شد"));
  EXPECT_EQ(Text({"newest"}, "fa-IR"), "تازه در فروشگاه");
}

TEST(ReasonText, FallsBackToEnglishAndToNoEvidence) {
  EXPECT_EQ(Text({"newest"}, "de"), "New in the shop");
  EXPECT_EQ(Text({"viewed", 1}, "en", ""), "Picked for you");
}

TEST(ReasonText, TheShopsTemplatesWin) {
  PlacementSet set;
  set.reasons["de"]["viewed"] = "Weil Sie {a} angesehen haben";
  set.reasons["en"]["newest"] = "Fresh";
  EXPECT_EQ(Text({"viewed", 1}, "de-AT", "Tasse", "", set),
            absl::StrCat("Weil Sie ", Isolated("Tasse"), " angesehen haben"));
  EXPECT_EQ(Text({"newest"}, "en", "", "", set), "Fresh");
}

TEST(ReasonText, ANameIsNoTemplate) {
  EXPECT_EQ(Text({"viewed", 1, 5}, "en", "{n} of {c}"),
            absl::StrCat("Because you viewed ", Isolated("{n} of {c}")));
}

TEST(ReasonText, LongNamesAreCutBetweenCharacters) {
  std::string name = "a";
  for (int i = 0; i < 100; ++i) name += "چ";
  const std::string text = Text({"viewed", 1}, "en", name);
  EXPECT_LT(text.size(), 130u);
  EXPECT_NE(text.find("چ…"), text.npos);
}

TEST(TitleText, IsInTheLanguageAsked) {
  Placement placement;
  placement.id = "home";
  EXPECT_EQ(TitleText(placement, "en"), "home");
  placement.titles = {{"en", "For you"}, {"fa", "برای شما"}};
  EXPECT_EQ(TitleText(placement, "fa-IR"), "برای شما");
  EXPECT_EQ(TitleText(placement, "de"), "For you");
}

}  // namespace
}  // namespace vitrine
