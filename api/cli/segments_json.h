// Segments as a file that people edit.

#ifndef VITRINE_API_CLI_SEGMENTS_JSON_H_
#define VITRINE_API_CLI_SEGMENTS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/cli/document.h"
#include "store/segments_types.h"

namespace vitrine::cli {

using SegmentsDocument = Document<SegmentSet>;

// Both ways: what one writes, the other reads. InvalidArgument names the place.
std::string SegmentsToJson(const SegmentSetVersion& version);
absl::StatusOr<SegmentsDocument> SegmentsFromJson(absl::string_view text);

// A test as people say it: "order_count >= 3 within 90 days of Shoes on app".
std::string TestText(const SegmentTest& test);
// Its conditions, one "and" the other.
std::string SegmentText(const Segment& segment);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_SEGMENTS_JSON_H_
