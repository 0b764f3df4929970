// The names of segments.thrift's enums, as people and files write them: "days_since_last_order".

#ifndef VITRINE_STORE_SEGMENT_NAMES_H_
#define VITRINE_STORE_SEGMENT_NAMES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "store/segments_types.h"

namespace vitrine {

std::optional<SegmentMeasure> ParseSegmentMeasure(absl::string_view name);
// REQUIRES: a value that segments.thrift names.
absl::string_view SegmentMeasureName(SegmentMeasure measure);
// Whether segments.thrift names what stands in the field: a peer may send anything.
bool IsSegmentMeasure(const SegmentMeasure& field);
// For messages: "country_is, language_is, ...".
std::string SegmentMeasureNames();

}  // namespace vitrine

#endif  // VITRINE_STORE_SEGMENT_NAMES_H_
