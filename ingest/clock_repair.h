// Times that clocks of other people gave: corrected where we can tell by how much they are wrong,
// refused where they cannot be true.

#ifndef VITRINE_INGEST_CLOCK_REPAIR_H_
#define VITRINE_INGEST_CLOCK_REPAIR_H_

#include <cstdint>

#include "absl/status/status.h"

namespace vitrine {

// When something happened, by the receiver's clock, if the sender's clock said `original_ms` when
// it happened and `sent_ms` when it was sent: received - (sent - original). This is the rule of
// Snowplow (derived_tstamp) and of Segment; it takes the sender's clock for equally wrong at both
// moments, and the way for short. `original_ms` where the numbers are too large to be times.
int64_t RepairedTimeMs(int64_t original_ms, int64_t sent_ms, int64_t received_ms);

// OK if an event of `time_ms` can be told at `now_ms`: at most limits::kEventFutureMsMax after it
// (`time_in_future`) and at most `max_age_ms` before it (`time_too_old`; 0: any age).
absl::Status CheckEventTime(int64_t time_ms, int64_t now_ms, int64_t max_age_ms);

}  // namespace vitrine

#endif  // VITRINE_INGEST_CLOCK_REPAIR_H_
