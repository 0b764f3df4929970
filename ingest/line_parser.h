// One line in, one outcome out: an event that the store will take, a line to ignore, or a reject. A
// line of a JSON dialect may hold a batch: then each of its elements has one outcome.

#ifndef VITRINE_INGEST_LINE_PARSER_H_
#define VITRINE_INGEST_LINE_PARSER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/facts_parser.h"
#include "ingest/formats/access_log.h"
#include "ingest/formats/csv.h"
#include "ingest/formats/element.h"
#include "ingest/formats/json_dialects.h"
#include "ingest/formats/json_lines.h"
#include "ingest/formats/line_reader.h"
#include "ingest/line_ids.h"
#include "ingest/log_mapper.h"
#include "ingest/mapping.h"
#include "ingest/row_mapper.h"
#include "store/base/clock.h"
#include "store/records_types.h"

namespace vitrine {

struct Outcome {
  enum class Kind { kEvent, kIgnored, kRejected };

  Kind kind = Kind::kEvent;
  std::string reason;  // of a line that is ignored or rejected
  std::string detail;  // of one that is rejected
};

// Not thread-safe: keeps its buffers from line to line. `mapping` must outlive the parser.
class LineParser {
 public:
  // How a reader must find the lines of this format.
  static std::optional<char> Delimiter(const Mapping& mapping);

  // Reads the header off the front of `reader` if the format has one, and recognises an access log
  // by what comes next there. InvalidArgument if the header lacks a column, or no format fits.
  // `clock` (it must outlive the parser) says what is the future.
  static absl::StatusOr<LineParser> Create(const Mapping& mapping, LineReader* reader,
                                           const Clock& clock = Clock::System());

  // For a person: the format that was recognised, empty where there is nothing to recognise.
  std::string Description() const;

  // Whether lines depend on those before them. If so, a new parser that shall go on in the middle
  // of a file is first shown all earlier lines by Recall; `next` is the number of the one it goes
  // on at. Lines that are too far back to matter cost next to nothing.
  bool HasMemory() const { return log_ != nullptr; }
  void Recall(const Line& line, int64_t next);

  // A parser for a line that is read alone: `context` is what Context once said of it, `text` the
  // line, from which an access log's format is recognised. InvalidArgument if it is of another
  // format.
  static absl::StatusOr<LineParser> Create(const Mapping& mapping, absl::string_view context,
                                           absl::string_view text);

  // What must be known of the line that Parse has just rejected to read it alone: a CSV file's
  // header; of an access log the line's id and the columns. Empty if nothing must be.
  std::string Context() const;

  // The id in the context of an access log's line; empty of others.
  static absl::string_view IdIn(absl::string_view context);

  // Whether a line may hold any number of elements, so that ParseElements is to be called.
  bool has_elements() const { return dialects_ != nullptr || facts_.has_value(); }

  // What becomes of `line`. An event is valid (ValidateEvent), of a time that can be
  // (CheckEventTime), and has an id: its fingerprint, if the line has none. Of a line with
  // elements, what becomes of the first.
  Outcome Parse(const Line& line, Event* event);

  // Replaces `*elements` by what the line holds, at least one. REQUIRES: has_elements().
  void ParseElements(const Line& line, std::vector<Element>* elements);

 private:
  LineParser() = default;

  void ReadJson(const Mapping& mapping);
  absl::Status ReadCsv(const Mapping& mapping);
  absl::Status ReadLog(const Mapping& mapping, absl::string_view first_lines);
  std::string IdOf(const Line& line);
  // Names and checks what a format has read.
  absl::Status Complete(Event* event);
  absl::StatusOr<bool> ParseText(const Line& line, Event* event, absl::string_view* ignored);
  absl::StatusOr<bool> ParseRequest(const Line& line, Event* event, absl::string_view* ignored);

  std::optional<CsvSplitter> splitter_;  // of a CSV mapping
  std::optional<RowMapper> mapper_;
  std::unique_ptr<JsonEventParser> json_;  // of a JSON lines mapping
  std::unique_ptr<LogParser> log_;         // of an access log's mapping
  std::optional<LogMapper> log_mapper_;
  LineIds ids_;
  LogRecord record_;
  std::string header_;                           // of a CSV file
  std::string columns_;                          // the directive of an access log that names them
  std::string line_id_;                          // of the last line of an access log
  std::unique_ptr<JsonDialectParser> dialects_;  // of a mapping of other JSON
  std::optional<FactsParser> facts_;             // of products or customers
  std::vector<Element> first_;                   // room for Parse
  const Clock* clock_ = &Clock::System();
  int64_t max_age_ms_ = 0;
  std::string encoded_;  // what a fingerprint is taken of
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_LINE_PARSER_H_
