// What a user agent says of the thing in a person's hands.

#ifndef VITRINE_INGEST_VISIT_DEVICE_H_
#define VITRINE_INGEST_VISIT_DEVICE_H_

#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// By the words that browsers use for it. An iPad that asks for desktop pages calls itself a
// Macintosh and counts as one; a television is unknown. O(bytes).
Device DeviceOf(absl::string_view user_agent);

}  // namespace vitrine

#endif  // VITRINE_INGEST_VISIT_DEVICE_H_
