#include "ingest/formats/access_log.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Lines that "auto" looks at.
constexpr size_t kSampleLines = 50;

// AWS documents these columns; those it added over the years come behind them.
constexpr absl::string_view kAlbFormat =
    "$type $time_iso8601 $elb $client_port $target_port $request_seconds $target_seconds "
    "$response_seconds $elb_status_code $target_status_code $received $sent \"$request\" "
    "\"$http_user_agent\" $more";

constexpr absl::string_view kNames[] = {
    "vhost_combined", "combined", "vhost_common", "common", "alb", "json", "w3c", "cloudfront"};

// The parser of a named format; null if it is none.
absl::StatusOr<std::unique_ptr<LogParser>> MakeNamed(absl::string_view name,
                                                     const LogFormatOptions& options) {
  if (name == "vhost_combined") return MakeNcsaParser(/*vhost=*/true, /*combined=*/true);
  if (name == "combined") return MakeNcsaParser(/*vhost=*/false, /*combined=*/true);
  if (name == "vhost_common") return MakeNcsaParser(/*vhost=*/true, /*combined=*/false);
  if (name == "common") return MakeNcsaParser(/*vhost=*/false, /*combined=*/false);
  if (name == "w3c" || name == "iis") return MakeColumnsParser(/*cloudfront=*/false, options);
  if (name == "cloudfront") return MakeColumnsParser(/*cloudfront=*/true, options);
  if (name == "json" || name == "nginx_json") return MakeJsonLogParser(options);
  if (name == "alb") {
    return MakeTemplateParser(kAlbFormat, "the log format of AWS load balancers", options);
  }
  return std::unique_ptr<LogParser>();
}

absl::StatusOr<std::unique_ptr<LogParser>> MakeFromFormat(const LogFormatOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<LogParser> named, MakeNamed(options.format, options));
  if (named != nullptr) return named;
  if (!absl::StrContains(options.format, "$")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "no log format is called ", Shown(options.format), "; there are: auto, ",
        absl::StrJoin(kNames, ", "), ", or nginx's log_format (\"$remote_addr ...\")"));
  }
  absl::StatusOr<std::unique_ptr<LogParser>> parser =
      MakeTemplateParser(options.format, "the log_format of the mapping", options);
  if (!parser.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("log_format: ", parser.status().message()));
  }
  return parser;
}

std::vector<absl::string_view> SampleLines(absl::string_view text) {
  std::vector<absl::string_view> lines;
  while (!text.empty() && lines.size() < kSampleLines) {
    const size_t end = FindByte(text, '\n');
    const absl::string_view line = absl::StripTrailingAsciiWhitespace(text.substr(0, end));
    if (!line.empty()) lines.push_back(line);
    if (end == absl::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

bool IsCloudFront(const std::vector<absl::string_view>& lines) {
  return std::any_of(lines.begin(), lines.end(), [](absl::string_view line) {
    return absl::StartsWith(line, "#Fields:") && absl::StrContains(line, "x-edge-location");
  });
}

struct Trial {
  size_t requests = 0, others = 0, faults = 0;
  std::string first_fault;
};

Trial TryOn(LogParser* parser, const std::vector<absl::string_view>& lines) {
  Trial trial;
  LogRecord record;
  for (const absl::string_view line : lines) {
    const absl::StatusOr<bool> is_request = parser->Parse(line, &record);
    if (is_request.ok()) {
      ++(*is_request ? trial.requests : trial.others);
    } else if (++trial.faults == 1) {
      trial.first_fault = std::string(ParseFault(is_request.status().message()).detail);
    }
  }
  return trial;
}

absl::StatusOr<std::unique_ptr<LogParser>> Recognise(const LogFormatOptions& options,
                                                     absl::string_view first_lines) {
  const std::vector<absl::string_view> lines = SampleLines(first_lines);
  const bool has_fields = std::any_of(lines.begin(), lines.end(), [](absl::string_view line) {
    return absl::StartsWith(line, "#Fields:");
  });
  if (has_fields) return MakeNamed(IsCloudFront(lines) ? "cloudfront" : "w3c", options);

  std::string faults;
  absl::string_view best;
  size_t best_requests = 0;
  for (const absl::string_view name :
       {"vhost_combined", "combined", "vhost_common", "common", "alb", "json"}) {
    ASSIGN_OR_RETURN(const std::unique_ptr<LogParser> parser, MakeNamed(name, options));
    const Trial trial = TryOn(parser.get(), lines);
    if (trial.requests > best_requests) {
      best = name;
      best_requests = trial.requests;
    }
    absl::StrAppend(&faults, faults.empty() ? "" : "; ", name, ": ", trial.first_fault);
  }
  if (best.empty() || 2 * best_requests < lines.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no access log that can be recognised from its first ", lines.size(),
                     " lines: say which it is with log_format. What is missing: ", faults));
  }
  return MakeNamed(best, options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogParser>> MakeLogParser(const LogFormatOptions& options,
                                                         absl::string_view first_lines) {
  if (options.format == "auto") return Recognise(options, first_lines);
  return MakeFromFormat(options);
}

absl::Status CheckLogFormat(const LogFormatOptions& options) {
  if (options.format == "auto") return absl::OkStatus();
  return MakeFromFormat(options).status();
}

}  // namespace vitrine
