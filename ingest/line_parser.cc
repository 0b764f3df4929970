#include "ingest/line_parser.h"

#include <utility>
#include <xxhash.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "ingest/client_address.h"
#include "ingest/clock_repair.h"
#include "ingest/formats/dialect_fields.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"
#include "store/base/utf8.h"
#include "store/codec.h"
#include "store/identity.h"
#include "store/key_format.h"
#include "store/web_house.h"

namespace vitrine {
namespace {

constexpr absl::string_view kBlankLine = "blank_line";
// How the context of an access log's line begins.
constexpr absl::string_view kIdPrefix = "#id ";
constexpr absl::string_view kDirective = "directive";  // a W3C log's #Fields and its like

// The TimedId of the event without its id: equal events have equal ones. `*buffer` is only room to
// work in.
std::string Fingerprint(const Event& event, std::string* buffer) {
  buffer->clear();
  AppendRecord(event, buffer);
  return TimedId(event.time_ms / 1000, XXH3_128bits(buffer->data(), buffer->size()));
}

absl::StatusOr<std::string> ReadHeader(LineReader* reader) {
  Line header;
  if (!reader->Next(&header)) {
    RETURN_IF_ERROR(reader->status());
    return absl::InvalidArgumentError("the file is empty: not even a line with column names");
  }
  if (!header.reason.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read the line with column names: ", header.detail));
  }
  if (!IsUtf8(header.text)) {
    return absl::InvalidArgumentError("the line with column names is not UTF-8 text");
  }
  return std::string(header.text);
}

std::optional<JsonDialect> DialectOf(Mapping::Format format) {
  switch (format) {
    case Mapping::Format::kJson:
      return JsonDialect::kAny;
    case Mapping::Format::kGa4:
      return JsonDialect::kGa4;
    case Mapping::Format::kGa4BigQuery:
      return JsonDialect::kGa4BigQuery;
    case Mapping::Format::kSegment:
      return JsonDialect::kSegment;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<char> LineParser::Delimiter(const Mapping& mapping) {
  if (mapping.format == Mapping::Format::kCsv) return mapping.delimiter;
  return std::nullopt;
}

absl::StatusOr<LineParser> LineParser::Create(const Mapping& mapping, LineReader* reader,
                                              const Clock& clock) {
  LineParser parser;
  parser.clock_ = &clock;
  parser.max_age_ms_ = mapping.max_age_ms;
  if (mapping.rows != Mapping::Rows::kEvents) {
    std::string header;
    if (mapping.format == Mapping::Format::kCsv) {
      ASSIGN_OR_RETURN(header, ReadHeader(reader));
    }
    ASSIGN_OR_RETURN(FactsParser facts, FactsParser::Create(mapping, header));
    parser.facts_.emplace(std::move(facts));
    return parser;
  }
  switch (mapping.format) {
    case Mapping::Format::kAccessLog:
      RETURN_IF_ERROR(parser.ReadLog(mapping, reader->Ahead()));
      break;
    case Mapping::Format::kCsv: {
      ASSIGN_OR_RETURN(parser.header_, ReadHeader(reader));
      RETURN_IF_ERROR(parser.ReadCsv(mapping));
      break;
    }
    default:
      parser.ReadJson(mapping);
  }
  return parser;
}

absl::StatusOr<LineParser> LineParser::Create(const Mapping& mapping, absl::string_view context,
                                              absl::string_view text) {
  const bool is_log = mapping.format == Mapping::Format::kAccessLog;
  const bool is_csv = mapping.format == Mapping::Format::kCsv;
  if (is_log != absl::StartsWith(context, kIdPrefix) || (!is_log && is_csv == context.empty())) {
    return absl::InvalidArgumentError("the line is of another format");
  }
  LineParser parser;
  parser.max_age_ms_ = mapping.max_age_ms;
  if (is_csv) {
    parser.header_ = std::string(context);
    RETURN_IF_ERROR(parser.ReadCsv(mapping));
  } else if (is_log) {
    parser.columns_ = std::string(context.substr(context.find('\n') + 1));
    RETURN_IF_ERROR(parser.ReadLog(mapping, absl::StrCat(parser.columns_, text, "\n")));
    if (!parser.columns_.empty()) {
      const absl::string_view directive = absl::StripSuffix(parser.columns_, "\n");
      RETURN_IF_ERROR(parser.log_->Parse(directive, &parser.record_).status());
    }
  } else {
    parser.ReadJson(mapping);
  }
  return parser;
}

void LineParser::ReadJson(const Mapping& mapping) {
  if (const std::optional<JsonDialect> dialect = DialectOf(mapping.format)) {
    dialects_ = std::make_unique<JsonDialectParser>(*dialect, mapping.currency);
  } else {
    json_ = std::make_unique<JsonEventParser>(mapping.currency);
  }
}

absl::Status LineParser::ReadCsv(const Mapping& mapping) {
  splitter_.emplace(mapping.delimiter);
  ASSIGN_OR_RETURN(RowMapper mapper, RowMapper::Create(mapping, splitter_->Split(header_)));
  mapper_.emplace(std::move(mapper));
  return absl::OkStatus();
}

absl::Status LineParser::ReadLog(const Mapping& mapping, absl::string_view first_lines) {
  ASSIGN_OR_RETURN(log_, MakeLogParser(mapping.access_log.log, first_lines));
  ASSIGN_OR_RETURN(LogMapper mapper, LogMapper::Create(mapping.access_log));
  log_mapper_.emplace(std::move(mapper));
  return absl::OkStatus();
}

std::string LineParser::Context() const {
  if (log_ == nullptr) return header_;
  return absl::StrCat(kIdPrefix, line_id_, "\n", columns_);
}

absl::string_view LineParser::IdIn(absl::string_view context) {
  if (!absl::ConsumePrefix(&context, kIdPrefix)) return "";
  return context.substr(0, context.find('\n'));
}

Outcome LineParser::Parse(const Line& line, Event* event) {
  if (has_elements()) {
    ParseElements(line, &first_);
    Element& first = first_.front();
    *event = std::move(first.event);
    if (first.kind == Element::Kind::kEvent) return {};
    return {
        first.kind == Element::Kind::kIgnored ? Outcome::Kind::kIgnored : Outcome::Kind::kRejected,
        std::move(first.reason), std::move(first.detail)};
  }
  if (!line.reason.empty()) {
    return {Outcome::Kind::kRejected, std::string(line.reason), std::string(line.detail)};
  }
  absl::string_view ignored;
  line_id_.clear();
  const absl::StatusOr<bool> is_event = ParseText(line, event, &ignored);
  if (!is_event.ok()) {
    // A line that is read again later must not have the id of an equal one.
    if (log_ != nullptr && line_id_.empty()) line_id_ = IdOf(line);
    const FaultText fault = ParseFault(is_event.status().message());
    return {Outcome::Kind::kRejected, std::string(fault.reason), std::string(fault.detail)};
  }
  if (!*is_event) return {Outcome::Kind::kIgnored, std::string(ignored), ""};
  return {};
}

void LineParser::ParseElements(const Line& line, std::vector<Element>* elements) {
  elements->clear();
  const absl::string_view text = line.text;
  absl::Status fault;
  if (!line.reason.empty()) {
    fault = Fault(line.reason, line.detail);
  } else if (!IsUtf8(text)) {
    fault = Fault(reasons::kInvalidUtf8, "the line is not UTF-8 text");
  } else if (absl::StripAsciiWhitespace(text).empty()) {
    elements->push_back(Ignored(kBlankLine));
  } else if (facts_.has_value()) {
    facts_->Parse(text, clock_->NowMs(), elements);
  } else {
    const auto complete = [this](Event* event) {
      // Others' bodies name whole addresses: of those the network is enough.
      if (event->__isset.ip) event->ip = KeptAddress(event->ip, IpPrivacy::kTruncated);
      return Complete(event);
    };
    dialects_->Parse(text, complete, elements);
  }
  if (fault.ok()) return;
  elements->push_back(Rejected(fault));
  KeepRaw(text, "", "", &elements->back());
}

absl::Status LineParser::Complete(Event* event) {
  RETURN_IF_ERROR(DropNobodysIds(event));
  if (event->id.empty()) event->id = Fingerprint(*event, &encoded_);
  RETURN_IF_ERROR(ValidateEvent(*event));
  return CheckEventTime(event->time_ms, clock_->NowMs(), max_age_ms_);
}

absl::StatusOr<bool> LineParser::ParseText(const Line& line, Event* event,
                                           absl::string_view* ignored) {
  if (absl::StripAsciiWhitespace(line.text).empty()) {
    *ignored = kBlankLine;
    return false;
  }
  bool is_event = true;
  if (log_ != nullptr) {
    ASSIGN_OR_RETURN(is_event, ParseRequest(line, event, ignored));
  } else if (!IsUtf8(line.text)) {
    return Fault(reasons::kInvalidUtf8, "the line is not UTF-8 text");
  } else if (json_ != nullptr) {
    RETURN_IF_ERROR(json_->Parse(line.text, event));
  } else {
    ASSIGN_OR_RETURN(is_event, mapper_->Map(splitter_->Split(line.text), event, ignored));
  }
  if (!is_event) return false;
  RETURN_IF_ERROR(Complete(event));
  return true;
}

absl::StatusOr<bool> LineParser::ParseRequest(const Line& line, Event* event,
                                              absl::string_view* ignored) {
  ASSIGN_OR_RETURN(const bool is_request, log_->Parse(line.text, &record_));
  if (!is_request) {
    *ignored = kDirective;
    if (absl::StartsWith(line.text, "#Fields")) columns_ = absl::StrCat(line.text, "\n");
    return false;
  }
  ASSIGN_OR_RETURN(const bool is_event, log_mapper_->Map(record_, event, ignored));
  if (is_event && event->id.empty()) event->id = line_id_ = IdOf(line);
  return is_event;
}

std::string LineParser::IdOf(const Line& line) {
  return line.id.empty() ? ids_.IdOf(line.text, line.number) : std::string(line.id);
}

std::string LineParser::Description() const { return log_ == nullptr ? "" : log_->Description(); }

void LineParser::Recall(const Line& line, int64_t next) {
  const bool tells_columns = absl::StartsWith(line.text, "#");
  if (!tells_columns && line.number < LineIds::FirstThatMatters(next)) return;
  Event event;
  Parse(line, &event);
}

}  // namespace vitrine
