#include "ingest/formats/line_reader.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TempDir;
using testing::Value;

struct Seen {
  std::string text;
  int64_t number, offset;
  std::string reason;
  bool operator==(const Seen&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Seen& s) {
    return out << "{'" << s.text.substr(0, 40) << "', " << s.number << ", " << s.offset << ", "
               << s.reason << "}";
  }
};

class LineReaderTest : public ::testing::Test {
 protected:
  LineReader Open(const std::string& bytes, std::optional<char> delimiter = ',') {
    std::ofstream(folder_.File("f"), std::ios::binary) << bytes;
    return Value(LineReader::Open(folder_.File("f"), delimiter));
  }

  std::vector<Seen> ReadAll(const std::string& bytes, std::optional<char> delimiter = ',') {
    LineReader reader = Open(bytes, delimiter);
    std::vector<Seen> seen;
    for (Line line; reader.Next(&line);) {
      seen.push_back({std::string(line.text), line.number, line.offset, std::string(line.reason)});
    }
    EXPECT_OK(reader.status());
    EXPECT_EQ(reader.Position(), static_cast<int64_t>(bytes.size()));
    return seen;
  }

  TempDir folder_;
};

TEST_F(LineReaderTest, GivesLinesWithTheirPlaces) {
  EXPECT_THAT(ReadAll("a\nbb\r\n\nc\n"), ElementsAre(Seen{"a", 1, 0, ""}, Seen{"bb", 2, 2, ""},
                                                     Seen{"", 3, 6, ""}, Seen{"c", 4, 7, ""}));
  EXPECT_THAT(ReadAll(""), IsEmpty());
}

TEST_F(LineReaderTest, TheLastLineNeedsNoLineEnd) {
  EXPECT_THAT(ReadAll("a\nb"), ElementsAre(Seen{"a", 1, 0, ""}, Seen{"b", 2, 2, ""}));
  EXPECT_THAT(ReadAll("a\n\"b\""), ElementsAre(Seen{"a", 1, 0, ""}, Seen{"\"b\"", 2, 2, ""}));
}

TEST_F(LineReaderTest, AByteOrderMarkIsNoPartOfTheFirstLine) {
  EXPECT_THAT(ReadAll("\xEF\xBB\xBF"
                      "a\nb\n"),
              ElementsAre(Seen{"a", 1, 3, ""}, Seen{"b", 2, 5, ""}));
}

TEST_F(LineReaderTest, ARecordGoesOnOverLinesInsideOfQuotes) {
  EXPECT_THAT(ReadAll("x,\"a\r\nb\"\r\ny\n"),
              ElementsAre(Seen{"x,\"a\r\nb\"", 1, 0, ""}, Seen{"y", 3, 10, ""}));
  EXPECT_THAT(ReadAll("x,\"a\nb\"\n", std::nullopt),
              ElementsAre(Seen{"x,\"a", 1, 0, ""}, Seen{"b\"", 2, 5, ""}));
}

TEST_F(LineReaderTest, AnUnclosedQuoteCostsItsOwnLineOnly) {
  EXPECT_THAT(ReadAll("1,\"open\n2,b\n3,c\n"),
              ElementsAre(Seen{"1,\"open", 1, 0, "unclosed_quote"}, Seen{"2,b", 2, 8, ""},
                          Seen{"3,c", 3, 12, ""}));
  // The quote of a later line does not end it well.
  EXPECT_THAT(ReadAll("1,\"open\n2,\"b\"\n"),
              ElementsAre(Seen{"1,\"open", 1, 0, "unclosed_quote"}, Seen{"2,\"b\"", 2, 8, ""}));
}

TEST_F(LineReaderTest, AnUnclosedQuoteInAHugeFileCostsItsOwnLineOnly) {
  std::string bytes = "1,\"open\n";
  int lines = 1;
  for (; bytes.size() < 6 << 20; ++lines) bytes += "2,plain text without any quotes\n";
  const std::vector<Seen> seen = ReadAll(bytes);
  ASSERT_EQ(seen.size(), static_cast<size_t>(lines));
  EXPECT_EQ(seen[0].reason, "unclosed_quote");
  EXPECT_EQ(seen[1].reason, "");
  EXPECT_EQ(seen.back().number, lines);
}

TEST_F(LineReaderTest, TextBehindAClosingQuoteIsABadQuote) {
  EXPECT_THAT(ReadAll("1,\"a\"b,2\n2,c\n"),
              ElementsAre(Seen{"1,\"a\"b,2", 1, 0, "bad_quote"}, Seen{"2,c", 2, 9, ""}));
}

TEST_F(LineReaderTest, ALongLineIsSkippedNotKept) {
  const std::string huge(10 << 20, 'x');
  const std::vector<Seen> seen = ReadAll("a\n" + huge + "\nb\n");
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[1], (Seen{huge.substr(0, limits::kRejectRawBytesMax), 2, 2, "line_too_long"}));
  EXPECT_EQ(seen[2], (Seen{"b", 3, static_cast<int64_t>(3 + huge.size()), ""}));
  EXPECT_EQ(ReadAll(huge).size(), 1u);  // and without a line end
}

TEST_F(LineReaderTest, ALineOfExactlyTheLimitIsALine) {
  const std::string line(limits::kLineBytesMax, 'x');
  EXPECT_THAT(ReadAll(line + "\r\n"), ElementsAre(Seen{line, 1, 0, ""}));
  EXPECT_THAT(ReadAll(line), ElementsAre(Seen{line, 1, 0, ""}));
  EXPECT_EQ(ReadAll(line + "x\n").at(0).reason, "line_too_long");
  const std::string quoted = "\"" + line.substr(2) + "\"";
  EXPECT_THAT(ReadAll(quoted + "\n"), ElementsAre(Seen{quoted, 1, 0, ""}));
}

TEST_F(LineReaderTest, CanGoOnAtTheEndOfAnyLine) {
  std::string bytes = "\xEF\xBB\xBF";
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    const char* const lines[] = {"a,b\n", "\"x\ny\",c\r\n", "\n", "1,\"open\n", "\"q\"z\n"};
    bytes += lines[random() % 5];
  }
  LineReader whole = Open(bytes);
  for (Line line; whole.Next(&line);) {
    LineReader resumed = Value(LineReader::Open(folder_.File("f"), ','));
    ASSERT_TRUE(resumed.SkipTo(whole.Position()));
    ASSERT_TRUE(resumed.SkipLineEnd());
    ASSERT_EQ(resumed.Digest(), whole.Digest());
    // Both must read the same line next; the whole reader's is looked at through a third one.
    Line next;
    if (!resumed.Next(&next)) break;
    ASSERT_EQ(next.offset, whole.Position());
    ASSERT_EQ(next.number, 1 + std::count(bytes.begin(), bytes.begin() + next.offset, '\n'));
  }
}

TEST_F(LineReaderTest, SkippingBeyondTheEndSaysSo) {
  LineReader reader = Open("abc\n");
  EXPECT_FALSE(reader.SkipTo(5));
  EXPECT_OK(reader.status());
}

TEST_F(LineReaderTest, ALineEndThatCameLaterBelongsToTheLineBefore) {
  for (const std::string end : {"\n", "\r\n"}) {
    LineReader reader = Open("a" + end + "b\n");
    ASSERT_TRUE(reader.SkipTo(1));
    EXPECT_TRUE(reader.SkipLineEnd());
    Line line;
    ASSERT_TRUE(reader.Next(&line));
    EXPECT_EQ(line.text, "b");
    EXPECT_EQ(line.number, 2);
  }
  LineReader grown = Open("abc\n");
  ASSERT_TRUE(grown.SkipTo(1));
  EXPECT_FALSE(grown.SkipLineEnd());
}

}  // namespace
}  // namespace vitrine
