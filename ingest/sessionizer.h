// Sessions and customers as pure functions of a person's events: the order in which events came,
// and how often, leaves no trace.

#ifndef VITRINE_INGEST_SESSIONIZER_H_
#define VITRINE_INGEST_SESSIONIZER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"

#include "ingest/robots/robot_lists.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

// The sessions of one person, oldest first; together they hold every event, in order. A new one
// starts where the pause since the last event is longer than session_gap_ms (a pause of exactly the
// gap is still the same visit), where the visit would become longer than session_max_ms, and, if
// cut_at_campaign, with the first page of another campaign (never between events of one instant: a
// person's sessions are told apart by their starts).
// REQUIRES: `events` oldest first, as WebHouse keeps them read backwards. O(bytes of the events).
std::vector<Session> Sessionize(std::span<const Event> events, const SiteSettings& settings);

// What the events of the customer add up to. A robot's visits and money are left out: it only has
// its name, its times and how many events it sent. REQUIRES: as above, and not empty.
Customer Summarize(std::span<const Event> events, std::span<const Session> sessions);

// Brings the derived rows of every dirty person up to date (of everybody, if `robots` are other
// lists than those of the last time), and those of the customers who logged in as one of dirty
// visitors, in slices that bound memory. `on_progress` (may be empty) is
// told how many persons are done so far. `robots`: the lists that verdicts are made from; null:
// none, only what user agents and behaviour give away.
absl::Status DeriveAll(WebHouse* house, const std::function<void(int64_t)>& on_progress,
                       const RobotLists* robots = nullptr);

}  // namespace vitrine

#endif  // VITRINE_INGEST_SESSIONIZER_H_
