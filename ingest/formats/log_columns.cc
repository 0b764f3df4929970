#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "ingest/formats/log_parsers.h"
#include "ingest/percent.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kNpos = absl::string_view::npos;

class ColumnsParser : public LogParser {
 public:
  ColumnsParser(bool cloudfront, LogFormatOptions options)
      : cloudfront_(cloudfront), options_(std::move(options)) {}

  absl::StatusOr<bool> Parse(absl::string_view line, LogRecord* record) override {
    if (absl::StartsWith(line, "#")) {
      RETURN_IF_ERROR(ReadDirective(line));
      return false;
    }
    if (columns_.empty()) {
      return Fault(reasons::kBadLogLine, "no #Fields line has named the columns yet");
    }
    record->fields.fill({});
    RETURN_IF_ERROR(ReadColumns(line, record));
    if ((*record)[LogField::kDate].empty()) (*record)[LogField::kDate] = date_;
    RETURN_IF_ERROR(reader_.Read(/*escaped=*/false, line.size(), record));
    DecodeUserAgent(record);
    return true;
  }

  std::string Description() const override {
    return cloudfront_ ? "the log format of AWS CloudFront" : "the W3C extended log format";
  }

 private:
  absl::Status ReadDirective(absl::string_view line) {
    if (absl::ConsumePrefix(&line, "#Date:")) {
      const absl::string_view date = absl::StripAsciiWhitespace(line);
      date_ = std::string(date.substr(0, FindByte(date, ' ')));
    }
    if (!absl::ConsumePrefix(&line, "#Fields:")) return absl::OkStatus();
    std::vector<LogField> columns;
    for (const absl::string_view name :
         absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty())) {
      // "time" is the time of day here.
      columns.push_back(name == "time" ? LogField::kClock : LogFieldNamed(name, options_));
    }
    if (const absl::Status has = CheckLogFields(columns, "#Fields"); !has.ok()) {
      columns_.clear();
      return Fault(reasons::kBadLogLine, has.message());
    }
    columns_ = std::move(columns);
    return absl::OkStatus();
  }

  absl::Status ReadColumns(absl::string_view line, LogRecord* record) const {
    const char delimiter = cloudfront_ || FindByte(line, '\t') != kNpos ? '\t' : ' ';
    absl::string_view rest = line;
    size_t found = 0;
    for (bool more = true; more; ++found) {
      const size_t start = SkipQuoted(rest, delimiter);
      const size_t end = FindByte(rest, delimiter, start);
      absl::string_view value = rest.substr(0, end);
      more = end != kNpos;
      if (more) rest.remove_prefix(end + 1);
      if (found >= columns_.size() || columns_[found] == LogField::kNone) continue;
      if (start > 0) value = value.substr(1, start - 2);
      absl::string_view& field = (*record)[columns_[found]];
      if (field.empty() || value != "-") field = value;
    }
    if (found == columns_.size()) return absl::OkStatus();
    return Fault(reasons::kBadLogLine, found, " columns, #Fields names ", columns_.size());
  }

  // The length of a quoted value at the front (quotes included), if there is one.
  static size_t SkipQuoted(absl::string_view rest, char delimiter) {
    if (rest.empty() || rest.front() != '"') return 0;
    for (size_t quote = FindByte(rest, '"', 1); quote != kNpos;
         quote = FindByte(rest, '"', quote + 1)) {
      if (quote + 1 == rest.size() || rest[quote + 1] == delimiter) return quote + 1;
    }
    return 0;
  }

  // IIS writes + for a blank; CloudFront percent-encodes (older logs twice).
  void DecodeUserAgent(LogRecord* record) {
    absl::string_view& agent = (*record)[LogField::kUserAgent];
    if (FindByte(agent, ' ') != kNpos) return;
    user_agent_.clear();
    AppendPercentDecoded(agent, /*plus_is_blank=*/!cloudfront_, &user_agent_);
    if (cloudfront_ && absl::StrContains(user_agent_, "%20")) {
      const std::string once = std::exchange(user_agent_, {});
      AppendPercentDecoded(once, /*plus_is_blank=*/false, &user_agent_);
    }
    agent = user_agent_;
  }

  const bool cloudfront_;
  const LogFormatOptions options_;
  std::vector<LogField> columns_;
  std::string date_;  // of the last #Date line: some logs have only the time of day in their lines
  std::string user_agent_;
  LogFieldReader reader_;
};

}  // namespace

std::unique_ptr<LogParser> MakeColumnsParser(bool cloudfront, const LogFormatOptions& options) {
  return std::make_unique<ColumnsParser>(cloudfront, options);
}

}  // namespace vitrine
