#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using F = LogField;

struct Name {
  absl::string_view name;
  LogField field;
};

// What people call them: nginx variables, W3C columns, and the keys of usual JSON logs.
constexpr Name kNames[] = {
    {"remote_addr", F::kAddress},
    {"c-ip", F::kAddress},
    {"ip", F::kAddress},
    {"client_ip", F::kAddress},
    {"clientip", F::kAddress},
    {"remote_ip", F::kAddress},
    {"client:port", F::kAddressPort},
    {"client_port", F::kAddressPort},
    {"remote_user", F::kUser},
    {"cs-username", F::kUser},
    {"user", F::kUser},
    {"time_local", F::kTime},
    {"time_iso8601", F::kTime},
    {"msec", F::kTime},
    {"@timestamp", F::kTime},
    {"timestamp", F::kTime},
    {"time", F::kTime},
    {"date", F::kDate},
    {"request", F::kRequest},
    {"request_method", F::kMethod},
    {"method", F::kMethod},
    {"verb", F::kMethod},
    {"cs-method", F::kMethod},
    {"request_uri", F::kTarget},
    {"uri", F::kTarget},
    {"url", F::kTarget},
    {"path", F::kTarget},
    {"cs-uri", F::kTarget},
    {"cs-uri-stem", F::kTarget},
    {"args", F::kQuery},
    {"query_string", F::kQuery},
    {"cs-uri-query", F::kQuery},
    {"status", F::kStatus},
    {"sc-status", F::kStatus},
    {"status_code", F::kStatus},
    {"response_code", F::kStatus},
    {"response", F::kStatus},
    {"elb_status_code", F::kStatus},
    {"http_referer", F::kReferrer},
    {"http_referrer", F::kReferrer},
    {"referer", F::kReferrer},
    {"referrer", F::kReferrer},
    {"cs(referer)", F::kReferrer},
    {"http_user_agent", F::kUserAgent},
    {"user_agent", F::kUserAgent},
    {"useragent", F::kUserAgent},
    {"agent", F::kUserAgent},
    {"cs(user-agent)", F::kUserAgent},
    {"host", F::kHost},
    {"http_host", F::kHost},
    {"server_name", F::kHost},
    {"vhost", F::kHost},
    {"cs-host", F::kHost},
    {"cs(host)", F::kHost},
    {"x-host-header", F::kHost},
    {"scheme", F::kScheme},
    {"cs-protocol", F::kScheme},
    {"http_x_forwarded_for", F::kForwardedFor},
    {"x_forwarded_for", F::kForwardedFor},
    {"x-forwarded-for", F::kForwardedFor},
    {"cs(x-forwarded-for)", F::kForwardedFor},
    {"http_x_real_ip", F::kRealIp},
    {"x-real-ip", F::kRealIp},
    {"cs(x-real-ip)", F::kRealIp},
    {"http_cookie", F::kCookies},
    {"cookie", F::kCookies},
    {"cs(cookie)", F::kCookies},
    {"sent_http_content_type", F::kContentType},
    {"content_type", F::kContentType},
};

LogField FindName(absl::string_view name) {
  for (const Name& known : kNames) {
    if (absl::EqualsIgnoreCase(name, known.name)) return known.field;
  }
  return F::kNone;
}

bool IsMethod(absl::string_view text) {
  constexpr size_t kMethodBytesMax = 20;
  return !text.empty() && text.size() <= kMethodBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isupper(c); });
}

// "GET /path HTTP/1.1", and the version is not there in HTTP/0.9. What is no HTTP (a TLS greeting,
// a worm) leaves nothing.
void SplitRequest(LogRecord* record) {
  const absl::string_view request = (*record)[F::kRequest];
  const size_t blank = FindByte(request, ' ');
  absl::string_view& method = (*record)[F::kMethod];
  absl::string_view& target = (*record)[F::kTarget];
  method = target = {};
  if (blank == absl::string_view::npos || !IsMethod(request.substr(0, blank))) return;
  absl::string_view rest = request.substr(blank + 1);
  const size_t version = rest.rfind(' ');
  if (version != absl::string_view::npos && absl::StartsWith(rest.substr(version), " HTTP/")) {
    rest = rest.substr(0, version);
  }
  if (rest.empty()) return;
  method = request.substr(0, blank);
  target = rest;
}

// Takes "https://host" off the front of a target that a proxy or balancer wrote whole.
void SplitOrigin(LogRecord* record) {
  absl::string_view& target = (*record)[F::kTarget];
  if (target.empty() || target.front() == '/') return;
  const size_t colon = target.find("://");
  if (colon == absl::string_view::npos) return;
  const absl::string_view rest = target.substr(colon + 3);
  const size_t path = std::min(rest.find('/'), rest.size());
  (*record)[F::kScheme] = target.substr(0, colon);
  (*record)[F::kHost] = rest.substr(0, path);
  target = path == rest.size() ? absl::string_view("/") : rest.substr(path);
}

void SplitQuery(LogRecord* record) {
  absl::string_view& target = (*record)[F::kTarget];
  const size_t mark = FindByte(target, '?');
  if (mark == absl::string_view::npos) return;
  (*record)[F::kQuery] = target.substr(mark + 1);
  target = target.substr(0, mark);
}

absl::Status ReadStatus(LogRecord* record) {
  absl::string_view& text = (*record)[F::kStatus];
  if (text.empty()) return absl::OkStatus();
  if (text == "-") {
    record->status = 0;
    return absl::OkStatus();
  }
  if (text.size() > 3 || !absl::SimpleAtoi(text, &record->status) || record->status < 0) {
    return Fault(reasons::kBadLogLine, Shown(text), " is no status of HTTP");
  }
  return absl::OkStatus();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = absl::ascii_tolower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The byte that the escape after a backslash at the front of `text` means; its length is left in
// `*bytes`. An escape that nobody writes means itself.
char Unescaped(absl::string_view text, size_t* bytes) {
  *bytes = 2;
  if (text.size() < 2) {
    *bytes = 1;
    return '\\';
  }
  switch (text[1]) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'x':
      if (text.size() >= 4 && HexDigit(text[2]) >= 0 && HexDigit(text[3]) >= 0) {
        *bytes = 4;
        return static_cast<char>(HexDigit(text[2]) * 16 + HexDigit(text[3]));
      }
      break;
    case '"':
    case '\\':
      return text[1];
    default:
      break;
  }
  *bytes = 1;
  return '\\';
}

}  // namespace

LogField LogFieldNamed(absl::string_view name, const LogFormatOptions& options) {
  if (!options.visitor.empty() && name == options.visitor) return F::kVisitor;
  if (!options.customer.empty() && name == options.customer) return F::kCustomer;
  const auto own = options.names.find(std::string(name));
  return FindName(own == options.names.end() ? name : absl::string_view(own->second));
}

absl::Status CheckLogFields(const std::vector<LogField>& fields, absl::string_view what) {
  const auto has = [&](LogField field) {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
  };
  if (!has(F::kTime) && !has(F::kClock)) {
    return absl::InvalidArgumentError(absl::StrCat(what, " has no time"));
  }
  if (!has(F::kRequest) && !has(F::kTarget)) {
    return absl::InvalidArgumentError(absl::StrCat(what, " has no request"));
  }
  return absl::OkStatus();
}

absl::Status LogFieldReader::Read(bool escaped, size_t line_bytes, LogRecord* record) {
  record->status = 200;
  RETURN_IF_ERROR(ReadStatus(record));
  for (absl::string_view& field : record->fields) {
    if (field.size() == 1 && field.front() == '-') field = {};
  }
  RETURN_IF_ERROR(ReadTime(record));
  if (!(*record)[F::kRequest].empty()) {
    SplitRequest(record);
  } else if ((*record)[F::kMethod].empty() && !(*record)[F::kTarget].empty()) {
    (*record)[F::kMethod] = "GET";  // a log that does not say
  }
  SplitOrigin(record);
  SplitQuery(record);
  if (absl::string_view& address = (*record)[F::kAddressPort]; !address.empty()) {
    const absl::string_view host = address.substr(0, address.rfind(':'));
    (*record)[F::kAddress] = absl::StripSuffix(absl::StripPrefix(host, "["), "]");
  }
  if (escaped) Unescape(line_bytes, record);
  return absl::OkStatus();
}

absl::Status LogFieldReader::ReadTime(LogRecord* record) {
  const absl::string_view clock = (*record)[F::kClock];
  if (!clock.empty()) {
    return time_.ParseDateAndClock((*record)[F::kDate], clock, &record->time_ms);
  }
  const absl::string_view time = (*record)[F::kTime];
  if (time.empty()) return Fault(reasons::kBadTime, "the line has no time");
  return time_.Parse(time, &record->time_ms);
}

void LogFieldReader::Unescape(size_t line_bytes, LogRecord* record) {
  unescaped_.clear();
  // A request lies in its parts once more, and so does its target.
  unescaped_.reserve(3 * line_bytes);
  for (absl::string_view& field : record->fields) {
    size_t backslash = FindByte(field, '\\');
    if (backslash == absl::string_view::npos) continue;
    const size_t start = unescaped_.size();
    absl::string_view rest = field;
    while (backslash != absl::string_view::npos) {
      unescaped_.append(rest.data(), backslash);
      size_t bytes;
      unescaped_.push_back(Unescaped(rest.substr(backslash), &bytes));
      rest.remove_prefix(backslash + bytes);
      backslash = FindByte(rest, '\\');
    }
    unescaped_.append(rest.data(), rest.size());
    field = absl::string_view(unescaped_).substr(start);
  }
}

}  // namespace vitrine
