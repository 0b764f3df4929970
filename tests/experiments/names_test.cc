#include "experiments/simulation/names.h"

#include <gtest/gtest.h>
#include <set>

#include "absl/strings/ascii.h"

namespace vitrine::simulation {
namespace {

TEST(CategoryName, IsDifferentForEachIndex) {
  std::set<std::string> names;
  for (uint32_t i = 0; i < kCategoryNames; ++i) names.insert(CategoryName(i));
  EXPECT_EQ(names.size(), kCategoryNames);
}

TEST(RandomNoun, IsACapitalAndSmallLetters) {
  Random random(1, Stream::kProduct, 1);
  for (int i = 0; i < 1000; ++i) {
    const std::string noun = RandomNoun(random);
    ASSERT_GE(noun.size(), 6u);
    EXPECT_TRUE(absl::ascii_isupper(noun[0])) << noun;
    for (const char c : noun.substr(1)) EXPECT_TRUE(absl::ascii_islower(c)) << noun;
  }
}

TEST(TitleCase, LiftsTheFirstLetterOfEachWord) {
  EXPECT_EQ(TitleCase("garden lamp"), "Garden Lamp");
  EXPECT_EQ(TitleCase(""), "");
}

}  // namespace
}  // namespace vitrine::simulation
