#include "ingest/formats/json_dialects.h"

#include <utility>

#include "ingest/reasons.h"
#include "store/base/limits.h"

namespace vitrine {

JsonDialectParser::JsonDialectParser(JsonDialect dialect, absl::string_view default_currency)
    : dialect_(dialect),
      ga4_(default_currency),
      bigquery_(default_currency),
      segment_(default_currency),
      own_(default_currency) {}

void JsonDialectParser::Parse(absl::string_view line, CompleteEvent complete,
                              std::vector<Element>* elements) {
  elements->clear();
  for (const absl::string_view object : SplitJsonValues(line)) {
    ParseObject(object, complete, elements);
    if (elements->size() <= limits::kElementsPerLineMax) continue;
    elements->clear();
    return TooMany(line, elements);
  }
  if (elements->empty()) elements->push_back(Ignored("array_bracket"));
}

void JsonDialectParser::ParseObject(absl::string_view object, CompleteEvent complete,
                                    std::vector<Element>* elements) {
  Element own;
  absl::Status read = tree_.Parse(object);
  if (read.ok()) {
    const JsonValue root = tree_.root();
    const auto is = [&](JsonDialect dialect, bool recognised) {
      return dialect_ == dialect || (dialect_ == JsonDialect::kAny && recognised);
    };
    if (is(JsonDialect::kGa4, Ga4BodyParser::Recognises(root))) {
      return ga4_.Read(tree_, complete, elements);
    }
    if (is(JsonDialect::kGa4BigQuery, Ga4RowParser::Recognises(root))) {
      return bigquery_.Read(tree_, complete, elements);
    }
    if (is(JsonDialect::kSegment, SegmentParser::Recognises(root))) {
      return segment_.Read(tree_, complete, elements);
    }
    read = root["kind"].is_null()
               ? Fault(reasons::kUnknownDialect, "neither GA4's nor Segment's nor our own event")
               : own_.Parse(object, &own.event);
    if (read.ok()) read = complete(&own.event);
  }
  elements->push_back(read.ok() ? std::move(own) : Rejected(read));
  KeepRaw(object, "", "", &elements->back());
}

}  // namespace vitrine
