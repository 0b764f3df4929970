// The times that web servers write, at the speed of their digits.

#ifndef VITRINE_INGEST_FORMATS_LOG_TIME_H_
#define VITRINE_INGEST_FORMATS_LOG_TIME_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// About 10 ns a time: the day and zone of the last line are remembered, since the next line mostly
// has the same. Not thread-safe.
class LogTimeParser {
 public:
  // UTC milliseconds since 1970 of, whichever `text` looks like:
  //   17/May/2015:10:05:03 +0000        Common Log Format, without its brackets
  //   2015-05-17T10:05:03.123+02:00     ISO 8601 (also with a blank for the T; no zone is UTC)
  //   1431857103.123, 1431857103123     seconds, or milliseconds from 11 digits on
  // A leap second counts as the second before it. A fault `bad_time` otherwise.
  absl::Status Parse(absl::string_view text, int64_t* time_ms);

  // The same of a W3C log's two columns: 2015-05-17 and 10:05:03(.123), both UTC.
  absl::Status ParseDateAndClock(absl::string_view date, absl::string_view clock, int64_t* time_ms);

 private:
  bool ParseCommon(absl::string_view text, int64_t* time_ms);
  bool ParseIso(absl::string_view text, int64_t* time_ms);
  bool IsoDay(absl::string_view text, int64_t* day_ms);

  std::string common_day_, common_zone_, iso_day_;  // as they stood in the last line
  int64_t common_start_ms_ = 0, iso_start_ms_ = 0;  // midnight of that day, in UTC
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_LOG_TIME_H_
