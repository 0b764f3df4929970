// Segment's messages as they come: track (with the names of e-commerce v2), page, screen, identify,
// alone or in the batches that its libraries post.
// https://segment.com/docs/connections/spec/
// https://segment.com/docs/connections/spec/ecommerce/v2/

#ifndef VITRINE_INGEST_FORMATS_SEGMENT_H_
#define VITRINE_INGEST_FORMATS_SEGMENT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/dialect_fields.h"
#include "ingest/formats/element.h"
#include "ingest/formats/json_tree.h"
#include "ingest/time_parser.h"

namespace vitrine {

// What becomes of a `track` of this name. `ignored` is the name in small letters with underscores,
// or "custom_event" for a name that the e-commerce spec does not have.
struct SegmentName {
  enum class Products { kNone, kOne, kList };

  bool known_kind = false;
  EventKind kind = EventKind::PAGE_VIEW;
  Products products = Products::kNone;  // where the event keeps them
  std::string ignored;
};
const SegmentName& LookUpSegmentName(absl::string_view name);

// anonymousId is the visitor, userId the customer, messageId the event's id. The time is repaired
// by receivedAt and sentAt where both are there (ingest/clock_repair.h). `identify` with a userId
// gives a login and, if its traits say something that we keep, a second element: the customer's
// facts. Of the traits, what is no text or number, or too long, is left out. `alias` and `group`
// are ignored.
class SegmentParser {
 public:
  explicit SegmentParser(absl::string_view default_currency);

  // Whether this is a message, or a batch of them.
  static bool Recognises(const JsonValue& root);
  // Appends the elements of what `tree` holds.
  void Read(const JsonTree& tree, CompleteEvent complete, std::vector<Element>* elements);

 private:
  // A message, and what its batch says for all.
  struct Message {
    JsonValue self, batch;
    // A field of the message, else of its batch.
    JsonValue operator[](absl::string_view key) const;
  };

  void ReadMessage(const Message& message, CompleteEvent complete, std::vector<Element>* elements);
  absl::Status ReadCall(const Message& message, absl::string_view type, Element* element);
  absl::Status ReadCommon(const Message& message, Event* event);
  absl::Status ReadTime(const Message& message, int64_t* time_ms);
  // False: not there.
  absl::StatusOr<bool> ReadStamp(const JsonValue& value, int64_t* time_ms);
  absl::Status ReadTrack(const Message& message, const SegmentName& name, Event* event);
  absl::Status ReadPage(const Message& message, bool screen, Event* event);

  ItemReader items_;
  TimeParser rfc3339_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_SEGMENT_H_
