// Whether segments make sense.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_VALIDATE_H_
#define VITRINE_RECOMMENDER_SEGMENTS_VALIDATE_H_

#include "absl/status/status.h"

#include "store/segments_types.h"

namespace vitrine {

// OK, or InvalidArgument whose message begins with the place of the first mistake, as in
// "segments[2].conditions[0].any[1].days: ...".
absl::Status ValidateSegments(const SegmentSet& set);

// The same of one segment ("segment.conditions[0]..."); `set` has the clusterings that it may name.
absl::Status ValidateSegment(const Segment& segment, const SegmentSet& set);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_VALIDATE_H_
