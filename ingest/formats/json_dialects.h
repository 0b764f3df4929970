// JSON of any dialect, one line in, elements out.
//
//   JsonDialectParser parser(JsonDialect::kAny, "EUR");
//   parser.Parse(line, [](Event* event) { return ValidateEvent(*event); }, &elements);

#ifndef VITRINE_INGEST_FORMATS_JSON_DIALECTS_H_
#define VITRINE_INGEST_FORMATS_JSON_DIALECTS_H_

#include <vector>

#include "absl/strings/string_view.h"

#include "ingest/formats/element.h"
#include "ingest/formats/ga4.h"
#include "ingest/formats/json_lines.h"
#include "ingest/formats/json_tree.h"
#include "ingest/formats/segment.h"

namespace vitrine {

enum class JsonDialect {
  kAny,          // recognised object by object
  kGa4,          // Measurement Protocol
  kGa4BigQuery,  // rows of the export
  kSegment,
};

// Not thread-safe: keeps its buffers from line to line.
class JsonDialectParser {
 public:
  // `default_currency` (may be empty) is that of priced events which name none.
  JsonDialectParser(JsonDialect dialect, absl::string_view default_currency);

  // Replaces `*elements` by those of the line, in order; at least one. The line may hold objects
  // behind one another, or an array of them; a line with nothing but brackets and commas belongs to
  // an array that spans lines and is ignored ("array_bracket"). An event that `complete` finds
  // fault with is rejected. One object that cannot be read costs itself only; more than
  // limits::kElementsPerLineMax elements cost the line (`too_many_elements`).
  void Parse(absl::string_view line, CompleteEvent complete, std::vector<Element>* elements);

 private:
  void ParseObject(absl::string_view object, CompleteEvent complete,
                   std::vector<Element>* elements);

  const JsonDialect dialect_;
  JsonTree tree_;
  Ga4BodyParser ga4_;
  Ga4RowParser bigquery_;
  SegmentParser segment_;
  JsonEventParser own_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_JSON_DIALECTS_H_
