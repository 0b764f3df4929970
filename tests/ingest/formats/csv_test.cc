#include "ingest/formats/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

TEST(CsvSplitter, SplitsAtDelimiters) {
  CsvSplitter splitter(',');
  EXPECT_THAT(splitter.Split("a,b,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(splitter.Split("a,,"), ElementsAre("a", "", ""));
  EXPECT_THAT(splitter.Split(""), ElementsAre(""));
  EXPECT_THAT(CsvSplitter(';').Split("a,b;c"), ElementsAre("a,b", "c"));
}

TEST(CsvSplitter, TakesQuotesOff) {
  CsvSplitter splitter(',');
  EXPECT_THAT(splitter.Split(R"("a,b",c)"), ElementsAre("a,b", "c"));
  EXPECT_THAT(splitter.Split(R"("say ""hi""","""",x)"), ElementsAre("say \"hi\"", "\"", "x"));
  EXPECT_THAT(splitter.Split("\"two\nlines\",\"\""), ElementsAre("two\nlines", ""));
}

TEST(CsvSplitter, AQuoteInsideOfAPlainFieldIsACharacter) {
  CsvSplitter splitter(',');
  EXPECT_THAT(splitter.Split(R"(RECORD 7" SINGLE,48)"), ElementsAre("RECORD 7\" SINGLE", "48"));
}

TEST(CsvSplitter, AnyFieldsSurviveBeingQuoted) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string letters = "ab\",\n ";
  CsvSplitter splitter(',');
  for (int round = 0; round < 5'000; ++round) {
    std::vector<std::string> fields(1 + random() % 5), written;
    for (std::string& field : fields) {
      for (uint64_t n = random() % 12; n > 0; --n) field += letters[random() % letters.size()];
      const bool plain = field.find_first_of("\",\n") == std::string::npos && random() % 2 == 0;
      written.push_back(
          plain ? field : absl::StrCat("\"", absl::StrReplaceAll(field, {{"\"", "\"\""}}), "\""));
    }
    const std::string record = absl::StrJoin(written, ",");
    const std::vector<absl::string_view>& split = splitter.Split(record);
    ASSERT_EQ(std::vector<std::string>(split.begin(), split.end()), fields) << record;
  }
}

}  // namespace
}  // namespace vitrine
