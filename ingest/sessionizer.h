// Sessions and customers as pure functions of a person's events: the order in which events came,
// and how often, leaves no trace.

#ifndef VITRINE_INGEST_SESSIONIZER_H_
#define VITRINE_INGEST_SESSIONIZER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"

#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// The sessions of one person, oldest first. A new one starts where the pause since the last event
// is longer than `gap_ms` (a pause of exactly the gap is still the same visit).
// REQUIRES: `events` oldest first, as WebHouse keeps them read backwards. O(events).
std::vector<Session> Sessionize(std::span<const Event> events, int64_t gap_ms);

// What the events of the customer add up to. REQUIRES: as above, and not empty.
Customer Summarize(std::span<const Event> events, std::span<const Session> sessions);

// Brings the derived rows of these persons up to date, and those of the customers who logged in as
// one of these visitors.
absl::Status Derive(WebHouse* house, std::span<const DirtyPerson> persons);

// Brings those of every dirty person up to date, in slices that bound memory. `on_progress` (may
// be empty) is told how many persons are done so far.
absl::Status DeriveAll(WebHouse* house, const std::function<void(int64_t)>& on_progress);

}  // namespace vitrine

#endif  // VITRINE_INGEST_SESSIONIZER_H_
