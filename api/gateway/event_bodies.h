// Events as others' trackers post them: the readers of files, for a body that has just arrived.

#ifndef VITRINE_API_GATEWAY_EVENT_BODIES_H_
#define VITRINE_API_GATEWAY_EVENT_BODIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/vitrine_types.h"

namespace vitrine {

enum class BodyFormat { kVitrine, kGa4, kSegment };

// What a body holds, element by element: an element is an event, a reject or ignored.
struct EventBody {
  std::vector<Event> events;
  std::vector<int32_t> indexes;  // of each event: its place among the elements
  std::vector<TrackReject> rejects;
  int64_t ignored = 0;
};

// Reads a body of GA4's Measurement Protocol or of Segment (ingest/formats). What it does not say
// of time is `now_ms`: it has come just now. Events without an id have the digest of their content,
// so that a body that is sent again counts once where it says when things happened. InvalidArgument
// if it is no JSON object. REQUIRES: not kVitrine.
absl::StatusOr<EventBody> ReadEventBody(absl::string_view body, BodyFormat format, int64_t now_ms);

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_EVENT_BODIES_H_
