#include "ingest/time_parser.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

// The plain twin: absl::ParseTime, or nothing.
std::optional<int64_t> Twin(absl::string_view format, absl::string_view zone,
                            absl::string_view text) {
  absl::TimeZone tz;
  absl::Time time;
  std::string error;
  if (!absl::LoadTimeZone(zone, &tz) || !absl::ParseTime(format, text, tz, &time, &error)) {
    return std::nullopt;
  }
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return std::nullopt;
  return absl::ToUnixMillis(time);
}

std::optional<int64_t> Parsed(TimeParser* parser, absl::string_view text) {
  int64_t ms;
  if (!parser->Parse(text, &ms).ok()) return std::nullopt;
  return ms;
}

TEST(TimeParser, ReadsLocalTimeOfItsZone) {
  TimeParser london = Value(TimeParser::Create("%Y-%m-%d %H:%M:%S", "Europe/London"));
  EXPECT_EQ(Parsed(&london, "2010-12-01 08:26:00"), 1'291'191'960'000);
  EXPECT_EQ(Parsed(&london, "2011-07-01 08:26:00"), 1'309'505'160'000);  // summer: an hour less
}

TEST(TimeParser, SaysTheSameAsAbslAboutEveryHourOfAYearWithClockChanges) {
  for (const char* zone : {"Europe/London", "Australia/Lord_Howe", "Asia/Tehran", "UTC"}) {
    TimeParser parser = Value(TimeParser::Create("%Y-%m-%d %H:%M:%S", zone));
    for (int64_t minutes = 0; minutes < 366 * 24 * 60; minutes += 17) {
      const absl::CivilMinute minute = absl::CivilMinute(2011, 1, 1) + minutes;
      const std::string text =
          absl::StrFormat("%d-%02d-%02d %02d:%02d:%02d", minute.year(), minute.month(),
                          minute.day(), minute.hour(), minute.minute(), minutes % 60);
      ASSERT_EQ(Parsed(&parser, text), Twin("%Y-%m-%d %H:%M:%S", zone, text)) << zone << text;
    }
  }
}

TEST(TimeParser, AFormatWithoutFieldsIsNotReadAsTheFirstSecondOf1970) {
  TimeParser parser = Value(TimeParser::Create("infinite-past", "UTC"));
  int64_t time_ms = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(parser.Parse("infinite-past", &time_ms)));
}

TEST(TimeParser, SaysTheSameAsAbslAboutDamagedText) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string letters = "0123456789-: T+";
  for (const std::string format : {"%Y-%m-%d %H:%M:%S", "%F %T", "%Y %m %d", "%d.%m.%Y", "%Y%m%d",
                                   "%S,%S", "%Y-%m-%dT%H:%M:%S%Ez"}) {
    TimeParser parser = Value(TimeParser::Create(format, "Europe/London"));
    for (int i = 0; i < 5'000; ++i) {
      std::string text = absl::FormatTime(
          format, absl::FromUnixSeconds(static_cast<int64_t>(random() % 4'000'000'000)),
          absl::UTCTimeZone());
      for (uint64_t edits = random() % 3; edits > 0; --edits) {
        text[random() % text.size()] = letters[random() % letters.size()];
      }
      ASSERT_EQ(Parsed(&parser, text), Twin(format, "Europe/London", text)) << format << text;
    }
  }
}

TEST(TimeParser, RefusesDaysThatDoNotExist) {
  TimeParser parser = Value(TimeParser::Create("%Y-%m-%d", "UTC"));
  EXPECT_FALSE(Parsed(&parser, "2011-02-29").has_value());
  EXPECT_TRUE(Parsed(&parser, "2012-02-29").has_value());
  EXPECT_FALSE(Parsed(&parser, "2011-13-01").has_value());
  EXPECT_FALSE(Parsed(&parser, "2011-00-01").has_value());
  EXPECT_FALSE(Parsed(&parser, "infinite-future").has_value());
}

TEST(TimeParser, TakesUnixTimes) {
  TimeParser seconds = Value(TimeParser::Create("unix_s", "UTC"));
  EXPECT_EQ(Parsed(&seconds, "1291191960"), 1'291'191'960'000);
  EXPECT_FALSE(Parsed(&seconds, "9223372036854775807").has_value());
  TimeParser ms = Value(TimeParser::Create("unix_ms", "UTC"));
  EXPECT_EQ(Parsed(&ms, "1291191960123"), 1'291'191'960'123);
  EXPECT_FALSE(Parsed(&ms, "12.5").has_value());
}

TEST(TimeParser, NamesAZoneThatDoesNotExist) {
  const absl::Status status = TimeParser::Create("%F", "Europe/Atlantis").status();
  EXPECT_TRUE(absl::StrContains(status.message(), "Europe/Atlantis")) << status;
}

}  // namespace
}  // namespace vitrine
