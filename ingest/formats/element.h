// What a line of a JSON dialect holds: any number of elements, each with one outcome.

#ifndef VITRINE_INGEST_FORMATS_ELEMENT_H_
#define VITRINE_INGEST_FORMATS_ELEMENT_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "store/records_types.h"

namespace vitrine {

struct Element {
  enum class Kind { kEvent, kProduct, kCustomer, kIgnored, kRejected };

  Kind kind = Kind::kEvent;
  // The one that `kind` says. An event's id is empty if the source gives none.
  Event event;
  Product product;
  CustomerFacts customer;
  std::string reason;  // of one that is ignored or rejected
  std::string detail;  // of one that is rejected
  // One that is rejected, as it came; one that came in a batch stands in a copy of its batch
  // without the others, so that it can be read again alone. Cut to limits::kRejectRawBytesMax, of
  // `raw_bytes`.
  std::string raw;
  int64_t raw_bytes = 0;
};

// What a parser asks of an event it has read: whoever calls it gives the event an id if it has
// none, and says what is wrong with it.
using CompleteEvent = absl::FunctionRef<absl::Status(Event*)>;

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_ELEMENT_H_
