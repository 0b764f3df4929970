#include "api/service/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {

absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Person& person,
                                               size_t limit) {
  std::vector<Event> events;
  EventCursor cursor = house.History(person);
  for (; cursor.Valid() && events.size() < limit; cursor.Next()) events.push_back(cursor.value());
  RETURN_IF_ERROR(cursor.Finish());
  return events;
}

absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Context& context) {
  std::vector<Event> history;
  if (context.__isset.customer_id) {
    ASSIGN_OR_RETURN(history, ReadHistory(house, Person::Customer(context.customer_id),
                                          limits::kHistoryEventsMax));
  }
  if (!context.__isset.visitor_id) return history;

  ASSIGN_OR_RETURN(
      std::vector<Event> visits,
      ReadHistory(house, Person::Visitor(context.visitor_id), limits::kHistoryEventsMax));
  const auto newer = [](const Event& a, const Event& b) { return a.time_ms > b.time_ms; };
  std::vector<Event> both;
  both.reserve(history.size() + visits.size());
  std::merge(std::make_move_iterator(history.begin()), std::make_move_iterator(history.end()),
             std::make_move_iterator(visits.begin()), std::make_move_iterator(visits.end()),
             std::back_inserter(both), newer);
  if (both.size() > limits::kHistoryEventsMax) both.resize(limits::kHistoryEventsMax);
  return both;
}

}  // namespace vitrine
