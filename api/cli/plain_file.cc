#include "api/cli/plain_file.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "ingest/formats/csv.h"
#include "ingest/formats/line_reader.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

using Format = PlainFileOptions::Format;
using Names = std::vector<absl::string_view>;

constexpr double kMillisecondsFrom = 1e11;  // as seconds, that is the year 5138
constexpr double kTimeMax = 1e15;
constexpr int64_t kProgressLines = 4096;

absl::Status At(const std::string& path, int64_t line, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": line ", line, ": ", status.message()));
}

// "User_ID" as "userid".
std::string Plain(absl::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      plain.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
  }
  return plain;
}

// The column that is `wanted`, or if that is empty the first with one of the usual names; none
// there is an error only where one was wanted by name.
absl::StatusOr<std::optional<size_t>> FindColumn(const Names& head, const std::string& wanted,
                                                 std::initializer_list<absl::string_view> usual) {
  for (size_t c = 0; c < head.size(); ++c) {
    const std::string plain = Plain(head[c]);
    const bool found = wanted.empty() ? std::find(usual.begin(), usual.end(), plain) != usual.end()
                                      : head[c] == wanted;
    if (found) return c;
  }
  if (wanted.empty()) return std::nullopt;
  return absl::InvalidArgumentError(
      absl::StrCat("no column \"", wanted, "\"; there are: ", absl::StrJoin(head, ", ")));
}

char DelimiterOf(absl::string_view head) {
  const auto count = [&](char c) { return std::count(head.begin(), head.end(), c); };
  return std::max({'\t', ';', ','}, [&](char a, char b) { return count(a) < count(b); });
}

class TableRows {
 public:
  static absl::StatusOr<TableRows> Make(const Names& head, const PlainFileOptions& options) {
    TableRows rows;
    ASSIGN_OR_RETURN(rows.person_, FindColumn(head, options.person,
                                              {"person", "user", "userid", "customer", "customerid",
                                               "visitor", "visitorid"}));
    ASSIGN_OR_RETURN(rows.session_, FindColumn(head, options.session, {"session", "sessionid"}));
    ASSIGN_OR_RETURN(rows.item_,
                     FindColumn(head, options.item, {"item", "itemid", "product", "productid"}));
    ASSIGN_OR_RETURN(rows.time_, FindColumn(head, options.time,
                                            {"time", "timestamp", "timems", "datetime", "date"}));
    ASSIGN_OR_RETURN(rows.kind_, FindColumn(head, options.kind, {"kind", "event", "eventtype"}));
    if (!rows.item_ || (!rows.person_ && !rows.session_)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "which column is the ", rows.item_ ? "person (--person) or session (--session)" : "item",
          rows.item_ ? "" : " (--item)", "? There are: ", absl::StrJoin(head, ", ")));
    }
    return rows;
  }

  absl::Status Add(const Names& fields, VisitsBuilder* builder) const {
    for (const std::optional<size_t>& column : {person_, session_, item_, time_, kind_}) {
      if (column && *column >= fields.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat(fields.size(), " columns, at least ", *column + 1, " are needed"));
      }
    }
    PlainAction action{.product = fields[*item_]};
    if (person_) action.person = fields[*person_];
    if (session_) action.session = fields[*session_];
    if (session_ && action.session.empty()) return absl::InvalidArgumentError("no session");
    if (person_ && action.person.empty()) return absl::InvalidArgumentError("no person");
    if (time_) {
      ASSIGN_OR_RETURN(action.time_ms, ParsePlainTime(fields[*time_]));
    }
    if (kind_) {
      const std::optional<EventKind> kind = ParseEventKind(fields[*kind_]);
      if (!kind) {
        return absl::InvalidArgumentError(absl::StrCat("no kind of event: \"", fields[*kind_],
                                                       "\"; there are: ", EventKindNames()));
      }
      action.kind = *kind;
    }
    return builder->Add(action);
  }

 private:
  std::optional<size_t> person_, session_, item_, time_, kind_;
};

absl::Status AddSessionLine(absl::string_view text, VisitsBuilder* builder) {
  const size_t tab = text.find('\t');
  const Names clicks = absl::StrSplit(text.substr(0, tab), ' ', absl::SkipEmpty());
  if (tab == absl::string_view::npos) return builder->AddSession(clicks);
  const absl::string_view target = absl::StripAsciiWhitespace(text.substr(tab + 1));
  if (target.find_first_of(" \t") != absl::string_view::npos) {
    return absl::InvalidArgumentError("more than one target behind the tab");
  }
  if (!builder->in_test()) {
    return absl::InvalidArgumentError("a question (with a tab) in a part to train on");
  }
  return builder->AddQuestion(clicks, target);
}

absl::Status AddSetLine(absl::string_view text, VisitsBuilder* builder) {
  const Names ids = absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (ids.empty()) return absl::InvalidArgumentError("no person");
  return builder->AddSet(ids[0], std::span(ids).subspan(1));
}

// Calls use(line) for every line until one fails.
template <typename Use>
absl::Status ForEachLine(const std::string& path, std::optional<char> csv_delimiter,
                         const BytesRead& on_progress, const Use& use) {
  ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path, csv_delimiter));
  const int64_t all = reader.source().FileSize().value_or(0);
  for (Line line; reader.Next(&line);) {
    if (!line.reason.empty()) {
      return At(path, line.number,
                absl::InvalidArgumentError(absl::StrCat(line.reason, " ", line.detail)));
    }
    if (const absl::Status status = use(line); !status.ok()) return At(path, line.number, status);
    if (on_progress && line.number % kProgressLines == 0) {
      on_progress(reader.source().FilePosition(), all);
    }
  }
  return reader.status();
}

absl::Status ReadTable(const std::string& path, const PlainFileOptions& options,
                       const BytesRead& on_progress, VisitsBuilder* builder) {
  std::optional<char> delimiter = options.delimiter;
  if (!delimiter) {
    ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path, std::nullopt));
    if (Line head; reader.Next(&head)) delimiter = DelimiterOf(head.text);
    RETURN_IF_ERROR(reader.status());
  }
  CsvSplitter splitter(delimiter.value_or(','));
  std::optional<TableRows> rows;
  RETURN_IF_ERROR(ForEachLine(path, delimiter.value_or(','), on_progress,
                              [&](const Line& line) -> absl::Status {
                                if (rows && line.text.empty()) return absl::OkStatus();
                                const Names& fields = splitter.Split(line.text);
                                if (rows) return rows->Add(fields, builder);
                                ASSIGN_OR_RETURN(rows, TableRows::Make(fields, options));
                                return absl::OkStatus();
                              }));
  if (!rows) return absl::InvalidArgumentError(absl::StrCat(path, ": no head, the file is empty"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> ParsePlainTime(absl::string_view text) {
  if (double number = 0; absl::SimpleAtod(text, &number)) {
    const double ms = std::abs(number) < kMillisecondsFrom ? 1000 * number : number;
    if (std::abs(ms) < kTimeMax) return std::llround(ms);
  }
  for (const char* const format : {"%Y-%m-%d %H:%M:%E*S", absl::RFC3339_full, "%Y-%m-%d",
                                   "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%E*S"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, absl::UTCTimeZone(), &time, nullptr)) {
      return absl::ToUnixMillis(time);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no time: \"", text, "\" (1700000000, 2024-01-31, 2024-01-31 23:59:59)"));
}

absl::Status ReadPlainFile(const std::string& path, const PlainFileOptions& options,
                           const BytesRead& on_progress, VisitsBuilder* builder) {
  switch (options.format) {
    case Format::kTable:
      return ReadTable(path, options, on_progress, builder);
    case Format::kSessions:
      return ForEachLine(path, std::nullopt, on_progress,
                         [&](const Line& line) { return AddSessionLine(line.text, builder); });
    case Format::kSets:
      return ForEachLine(path, std::nullopt, on_progress,
                         [&](const Line& line) { return AddSetLine(line.text, builder); });
  }
  return absl::OkStatus();
}

}  // namespace vitrine::cli
