#include "ingest/line_parser.h"

#include <utility>
#include <xxhash.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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
constexpr absl::string_view kDirective = "directive";  // a W3C log's #Fields and its like

// The XXH3-128 of the event without its id, in hex: equal events have equal ones. `*buffer` is
// only room to work in.
std::string Fingerprint(const Event& event, std::string* buffer) {
  buffer->clear();
  AppendRecord(event, buffer);
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits(buffer->data(), buffer->size()));
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.digest), sizeof(bytes.digest)));
}

absl::StatusOr<RowMapper> ReadHeader(const Mapping& mapping, CsvSplitter* splitter,
                                     LineReader* reader) {
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
  return RowMapper::Create(mapping, splitter->Split(header.text));
}

}  // namespace

std::optional<char> LineParser::Delimiter(const Mapping& mapping) {
  if (mapping.format == Mapping::Format::kCsv) return mapping.delimiter;
  return std::nullopt;
}

absl::StatusOr<LineParser> LineParser::Create(const Mapping& mapping, LineReader* reader) {
  LineParser parser;
  if (mapping.format == Mapping::Format::kJsonLines) {
    parser.json_ = std::make_unique<JsonEventParser>(mapping.currency);
    return parser;
  }
  if (mapping.format == Mapping::Format::kAccessLog) {
    ASSIGN_OR_RETURN(parser.log_, MakeLogParser(mapping.access_log.log, reader->Ahead()));
    ASSIGN_OR_RETURN(LogMapper mapper, LogMapper::Create(mapping.access_log));
    parser.log_mapper_.emplace(std::move(mapper));
    return parser;
  }
  parser.splitter_.emplace(mapping.delimiter);
  ASSIGN_OR_RETURN(RowMapper mapper, ReadHeader(mapping, &*parser.splitter_, reader));
  parser.mapper_.emplace(std::move(mapper));
  return parser;
}

Outcome LineParser::Parse(const Line& line, Event* event) {
  if (!line.reason.empty()) {
    return {Outcome::Kind::kRejected, std::string(line.reason), std::string(line.detail)};
  }
  absl::string_view ignored;
  const absl::StatusOr<bool> is_event = ParseText(line, event, &ignored);
  if (!is_event.ok()) {
    const FaultText fault = ParseFault(is_event.status().message());
    return {Outcome::Kind::kRejected, std::string(fault.reason), std::string(fault.detail)};
  }
  if (!*is_event) return {Outcome::Kind::kIgnored, std::string(ignored), ""};
  return {};
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
  RETURN_IF_ERROR(DropNobodysIds(event));
  if (event->id.empty()) event->id = Fingerprint(*event, &encoded_);
  RETURN_IF_ERROR(ValidateEvent(*event));
  return true;
}

absl::StatusOr<bool> LineParser::ParseRequest(const Line& line, Event* event,
                                              absl::string_view* ignored) {
  ASSIGN_OR_RETURN(const bool is_request, log_->Parse(line.text, &record_));
  if (!is_request) {
    *ignored = kDirective;
    return false;
  }
  ASSIGN_OR_RETURN(const bool is_event, log_mapper_->Map(record_, event, ignored));
  if (is_event && event->id.empty()) event->id = ids_.IdOf(line.text, line.number);
  return is_event;
}

std::string LineParser::Description() const { return log_ == nullptr ? "" : log_->Description(); }

void LineParser::Recall(const Line& line, int64_t next) {
  const bool tells_columns = absl::StartsWith(line.text, "#");
  if (!tells_columns && line.number < LineIds::FirstThatMatters(next)) return;
  Event event;
  Parse(line, &event);
}

}  // namespace vitrine
