#include "ingest/robots/word_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(WordFinder, FindsWordsInsideAndBesideEachOther) {
  const WordFinder finder(std::vector<std::string>{"he", "she", "his", "hers"});
  EXPECT_THAT(finder.Find("ushers"), ElementsAre(0, 1, 3));
  EXPECT_THAT(finder.Find("hishe"), ElementsAre(0, 1, 2));
  EXPECT_THAT(finder.Find("HERS"), IsEmpty());
  EXPECT_THAT(finder.Find(""), IsEmpty());
  EXPECT_THAT(WordFinder().Find("hers"), IsEmpty());
}

TEST(WordFinder, TakesEveryByteThereIs) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const WordFinder finder(std::vector<std::string>{all, "ab"});
  EXPECT_THAT(finder.Find("x" + all + "x"), ElementsAre(0, 1));
}

TEST(WordFinder, FindsWhatLookingForOneAfterTheOtherFinds) {
  const uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const auto text = [&random](size_t most, char letters) {
    std::string made(1 + random() % most, ' ');
    for (char& c : made) c = static_cast<char>('a' + random() % letters);
    return made;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> words;
    for (int i = 0; i < 20; ++i) words.push_back(text(5, 3));
    const WordFinder finder(words);
    const std::string where = text(40, 4);
    std::vector<int> expected;
    for (size_t i = 0; i < words.size(); ++i) {
      const bool first = std::find(words.begin(), words.end(), words[i]) ==
                         words.begin() + static_cast<ptrdiff_t>(i);
      if (first && absl::StrContains(where, words[i])) expected.push_back(static_cast<int>(i));
    }
    ASSERT_EQ(finder.Find(where), expected) << where;
  }
}

}  // namespace
}  // namespace vitrine
