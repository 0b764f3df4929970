// Times: the first line is a format, the second the text. TimeParser says what absl::ParseTime
// says, whichever of its two ways it takes.

#include "absl/time/time.h"

#include "ingest/time_parser.h"
#include "store/base/limits.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  absl::string_view rest = fuzz::Text(data, size);
  const std::string format(fuzz::TakeLine(&rest));
  const std::string text(fuzz::TakeLine(&rest));
  absl::StatusOr<TimeParser> parser = TimeParser::Create(format, "Europe/London");
  if (!parser.ok()) return 0;
  int64_t fast_ms = 0;
  const absl::Status status = parser->Parse(text, &fast_ms);
  int64_t again_ms = 0;
  CHECK(parser->Parse(text, &again_ms).ok() == status.ok()) << "the hour it remembers matters";
  if (status.ok()) CHECK(again_ms == fast_ms);
  if (format == "unix_ms" || format == "unix_s") return 0;

  static const absl::TimeZone& zone = *new absl::TimeZone([] {
    absl::TimeZone london;
    CHECK(absl::LoadTimeZone("Europe/London", &london));
    return london;
  }());
  absl::Time slow;
  std::string error;
  const bool parsed = absl::ParseTime(format, text, zone, &slow, &error);
  const int64_t slow_ms = parsed ? absl::ToUnixMillis(slow) : 0;
  const bool in_range = slow_ms >= limits::kTimeMsMin && slow_ms <= limits::kTimeMsMax;
  if (status.ok()) {
    CHECK(parsed && slow_ms == fast_ms)
        << text << " as " << format << ": " << fast_ms << ", but " << slow_ms << " " << error;
  } else if (parsed && in_range) {
    CHECK(false) << text << " as " << format << " is " << slow_ms << ", but " << status;
  }
  return 0;
}
