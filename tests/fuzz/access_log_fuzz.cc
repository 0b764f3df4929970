// Logs of web servers: the first line names a format or is one (nginx's log_format), the rest is
// the log. Every line is a request, a line about the log, or a fault with one of the named reasons.

#include <algorithm>

#include "ingest/formats/access_log.h"
#include "ingest/reasons.h"
#include "tests/fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  absl::string_view log = fuzz::Text(data, size);
  const std::string format(fuzz::TakeLine(&log));
  absl::StatusOr<std::unique_ptr<LogParser>> parser = MakeLogParser({.format = format}, log);
  if (!parser.ok()) return 0;
  LogRecord record;
  while (!log.empty()) {
    const absl::StatusOr<bool> is_request = (*parser)->Parse(fuzz::TakeLine(&log), &record);
    if (!is_request.ok()) {
      const absl::string_view message = is_request.status().message();
      const absl::string_view reason = message.substr(0, message.find(':'));
      CHECK(std::count(std::begin(reasons::kAll), std::end(reasons::kAll), reason) == 1)
          << is_request.status();
      continue;
    }
    if (!*is_request) continue;
    // Copies every view: one that does not hold is found.
    for (const absl::string_view field : record.fields) CHECK(std::string(field) == field);
  }
  return 0;
}
