// Google Analytics 4 as it comes: bodies of the Measurement Protocol and rows of the BigQuery
// export. https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference
// https://support.google.com/analytics/answer/7029846

#ifndef VITRINE_INGEST_FORMATS_GA4_H_
#define VITRINE_INGEST_FORMATS_GA4_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "ingest/formats/dialect_fields.h"
#include "ingest/formats/element.h"
#include "ingest/formats/json_tree.h"

namespace vitrine {

// What becomes of an event of this name: a kind, or a reason to ignore it, which is the name itself
// for the events that GA4 collects or recommends and "custom_event" for all others.
struct Ga4Name {
  bool known_kind = false;
  EventKind kind = EventKind::PAGE_VIEW;
  absl::string_view ignored;
};
Ga4Name LookUpGa4Name(absl::string_view name);

// {"client_id": ..., "user_id": ..., "timestamp_micros": ..., "events": [{"name": ..., "params":
// {...}}]}. Each event is an element of its own; one without a time has that of its body, and is
// rejected if that has none: only the protocol's server knows when it came. client_id (or
// app_instance_id) is the visitor, user_id the customer.
class Ga4BodyParser {
 public:
  explicit Ga4BodyParser(absl::string_view default_currency);

  // Whether this is such a body.
  static bool Recognises(const JsonValue& root);
  // Appends the elements of the body that `tree` holds.
  void Read(const JsonTree& tree, CompleteEvent complete, std::vector<Element>* elements);

 private:
  absl::Status ReadEvent(const JsonValue& body, const JsonValue& value, EventKind kind,
                         Event* event);

  ItemReader items_;
};

// {"event_name": ..., "event_timestamp": ..., "event_params": [{"key": ..., "value":
// {"string_value": ...}}], "user_pseudo_id": ..., "user_id": ..., "items": [...], "ecommerce": ...,
// "geo": ..., "platform": ...}: one element a row. Whole numbers may be strings, as in BigQuery's
// own exports.
class Ga4RowParser {
 public:
  explicit Ga4RowParser(absl::string_view default_currency);

  static bool Recognises(const JsonValue& root);
  void Read(const JsonTree& tree, CompleteEvent complete, std::vector<Element>* elements);

 private:
  absl::Status ReadEvent(const JsonValue& row, EventKind kind, Event* event);

  ItemReader items_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_GA4_H_
