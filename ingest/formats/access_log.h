// One line of a web server's log into the request it tells of, whatever format the server writes.
//
//   ASSIGN_OR_RETURN(auto parser, MakeLogParser({.format = "auto"}, first_lines));
//   LogRecord request;
//   ASSIGN_OR_RETURN(bool is_request, parser->Parse(line, &request));

#ifndef VITRINE_INGEST_FORMATS_ACCESS_LOG_H_
#define VITRINE_INGEST_FORMATS_ACCESS_LOG_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// What a log can say of a request that matters here.
enum class LogField : uint8_t {
  kAddress,      // of the peer that the server spoke to, an IP or a host's name
  kAddressPort,  // the same with ":port" behind it
  kUser,         // who logged in (HTTP authentication)
  kTime,         // any time that LogTimeParser reads
  kDate,         // of a W3C log: its day,
  kClock,        // and the time of day
  kRequest,      // "GET /path HTTP/1.1"
  kMethod,
  kTarget,  // the path, perhaps with host before it and query behind it
  kQuery,
  kStatus,
  kReferrer,
  kUserAgent,
  kHost,
  kScheme,
  kForwardedFor,
  kRealIp,
  kCookies,  // the whole Cookie header
  kContentType,
  kVisitor,   // what the mapping names: the visitor's cookie,
  kCustomer,  // and who is logged in
  kNone,      // nothing that matters
};
constexpr size_t kLogFields = static_cast<size_t>(LogField::kNone);

// One request. The views lie in the line or in the parser and hold until its next call; a field
// that the log does not have, or has as "-", is empty. Escapes are undone; bytes that are no UTF-8
// are as they came.
struct LogRecord {
  std::array<absl::string_view, kLogFields> fields;
  int64_t time_ms = 0;
  // 0: the server had none to send (the client was gone). 200 if the log does not have it.
  int status = 200;

  absl::string_view& operator[](LogField field) { return fields[static_cast<size_t>(field)]; }
  absl::string_view operator[](LogField field) const { return fields[static_cast<size_t>(field)]; }
};

// Not thread-safe: keeps its buffers from line to line.
class LogParser {
 public:
  virtual ~LogParser() = default;

  // Replaces `*record`, of which kMethod, kTarget (without query) and kQuery are always split; a
  // request that is no HTTP leaves kMethod empty. False: a line about the log itself (#Fields). A
  // fault `bad_log_line` or `bad_time` that says what is missing, and at which column.
  virtual absl::StatusOr<bool> Parse(absl::string_view line, LogRecord* record) = 0;

  // For a person: "the combined log format".
  virtual std::string Description() const = 0;
};

struct LogFormatOptions {
  // "auto"; "common", "combined", "vhost_common", "vhost_combined", "w3c" (also IIS),
  // "cloudfront", "alb", "json"; or a format in the syntax of nginx's log_format.
  std::string format = "auto";
  // Names of fields in this log (nginx variables without $, W3C columns, JSON keys) that carry the
  // visitor's cookie and the customer's id; empty: none does.
  std::string visitor = {}, customer = {};
  // More names of fields, to the nginx variable they are like: {"ua": "http_user_agent"}.
  std::map<std::string, std::string> names = {};
};

// `first_lines` is the beginning of the log, as much as is at hand: "auto" takes the format that
// reads the most of its lines. InvalidArgument if none reads half of them (what each made of the
// first line is told), or if the format is not known or lacks a time or a request.
absl::StatusOr<std::unique_ptr<LogParser>> MakeLogParser(const LogFormatOptions& options,
                                                         absl::string_view first_lines);

// OK if `options` name a known format or a log_format that can be compiled.
absl::Status CheckLogFormat(const LogFormatOptions& options);

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_ACCESS_LOG_H_
