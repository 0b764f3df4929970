// Whether a customer is in a segment, and until when at least they stay in or out by the passing of
// time alone: windows slide, and days go by since something happened. With the latter, changes that
// no event causes are found without looking at everybody again and again.
//
// Pure functions, thread-safe.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_EVALUATE_H_
#define VITRINE_RECOMMENDER_SEGMENTS_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "recommender/customer_base/customer_values.h"
#include "recommender/customers/purchase_summary.h"
#include "store/records_types.h"
#include "store/segments_types.h"

namespace vitrine {

// No instant that anybody has to wait for.
constexpr int64_t kNeverMs = std::numeric_limits<int64_t>::max();

// What evaluation asks of the world outside a customer.
struct SegmentWorld {
  int64_t session_gap_ms = 30 * 60 * 1000;
  // Empty: nothing is known of any product, any device.
  std::function<std::string(absl::string_view product_id)> category_of;
  std::function<Device(absl::string_view user_agent)> device_of;
  const ValueModel* value = nullptr;                     // null: nobody has a worth
  const std::vector<Clustering>* clusterings = nullptr;  // null: there is none
};

// Everything that segments go by of one customer.
struct CustomerProfile {
  std::optional<CustomerFacts> facts;
  std::vector<Event> events;  // oldest first
  // In the currency that the value model was fitted in; only where segments ask for worth.
  std::vector<PurchaseDay> days;
};

// INVARIANT: from the instant that was asked about until before `until_ms`, `holds` stays as it is
// if nothing happens meanwhile. Later it need not change.
struct Membership {
  bool holds = false;
  int64_t until_ms = kNeverMs;

  bool operator==(const Membership&) const = default;
};

// What is later than `now_ms` has not happened yet. Event tests cost O(n log n) in the customer's
// events. REQUIRES: valid ones (recommender/segments/validate.h).
Membership EvaluateTest(const SegmentTest& test, const CustomerProfile& profile,
                        const SegmentWorld& world, int64_t now_ms);
Membership EvaluateSegment(const Segment& segment, const CustomerProfile& profile,
                           const SegmentWorld& world, int64_t now_ms);

// Whether any of its tests asks for worth: then there has to be a value model.
bool AsksForWorth(const Segment& segment);

// What somebody did themselves, by which they are seen.
bool IsOwnDeed(const Event& event);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_EVALUATE_H_
