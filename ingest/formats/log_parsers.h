// The parsers behind MakeLogParser, and what they share. Internal to ingest/formats.

#ifndef VITRINE_INGEST_FORMATS_LOG_PARSERS_H_
#define VITRINE_INGEST_FORMATS_LOG_PARSERS_H_

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/access_log.h"
#include "ingest/formats/log_time.h"

namespace vitrine {

// The field that `name` (an nginx variable, a W3C column, a JSON key) stands for; the options' own
// names come first. kNone if it does not matter here.
LogField LogFieldNamed(absl::string_view name, const LogFormatOptions& options);

// InvalidArgument unless `fields` hold a time and a request. `what` begins the message.
absl::Status CheckLogFields(const std::vector<LogField>& fields, absl::string_view what);

// The position of `byte` in `text` from `from` on; npos if there is none. memchr looks at 16 or 32
// bytes at a time, absl's find at one.
inline size_t FindByte(absl::string_view text, char byte, size_t from = 0) {
  if (from >= text.size()) return absl::string_view::npos;
  const void* const found = std::memchr(text.data() + from, byte, text.size() - from);
  return found == nullptr ? absl::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

// What every parser does with the fields it has found: reads the time and the status, splits the
// request, and empties what is "-".
class LogFieldReader {
 public:
  // Undoes the escapes of nginx and Apache (\x22, \", \\, \t) where `escaped` says that there may
  // be some. REQUIRES: `line_bytes` is at least the length of all fields together.
  absl::Status Read(bool escaped, size_t line_bytes, LogRecord* record);

 private:
  absl::Status ReadTime(LogRecord* record);
  void Unescape(size_t line_bytes, LogRecord* record);

  LogTimeParser time_;
  std::string unescaped_;  // never grows while views lie in it
};

// Common Log Format; with `combined`, referrer and user agent behind it (and whatever follows);
// with `vhost`, "host:port" in front. Hand-written: the formats that most logs have.
std::unique_ptr<LogParser> MakeNcsaParser(bool vhost, bool combined);

// nginx's log_format: literal text and $variables (${variable}, too).
absl::StatusOr<std::unique_ptr<LogParser>> MakeTemplateParser(absl::string_view log_format,
                                                              absl::string_view description,
                                                              const LogFormatOptions& options);

// W3C extended: the columns that the last #Fields line names; CloudFront's, too.
std::unique_ptr<LogParser> MakeColumnsParser(bool cloudfront, const LogFormatOptions& options);

// One JSON object a line.
std::unique_ptr<LogParser> MakeJsonLogParser(const LogFormatOptions& options);

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_LOG_PARSERS_H_
