// Limits of segments, beside those of limits.h.

#ifndef VITRINE_STORE_BASE_SEGMENT_LIMITS_H_
#define VITRINE_STORE_BASE_SEGMENT_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace vitrine::limits {

constexpr size_t kSegmentsMax = 500;            // of a site
constexpr size_t kSegmentConditionsMax = 20;    // of a segment
constexpr size_t kSegmentTestsMax = 20;         // of a condition
constexpr size_t kSegmentValuesMax = 1000;      // of one list of a test
constexpr int32_t kSegmentDaysMax = 3660;       // that a test looks back
constexpr size_t kClusteringsMax = 10;          // of a site
constexpr size_t kCentroidsMax = 50;            // of a clustering
constexpr size_t kSegmentedMax = 5'000'000;     // customers whose memberships a site holds
constexpr size_t kSegmentEventsMax = 100'000;   // of a customer, the newest, that segments see
constexpr size_t kSegmentQueueMax = 1'000'000;  // customers to look at again; beyond, all are
constexpr size_t kSegmentSampleMax = 20;        // ids that a preview shows

}  // namespace vitrine::limits

#endif  // VITRINE_STORE_BASE_SEGMENT_LIMITS_H_
