#include "api/service/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {

absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Person& person,
                                               size_t limit) {
  return house.ResolvedHistory(person, limit);
}

absl::StatusOr<bool> VisitsAreTheCustomers(const WebHouse& house, const Context& context) {
  ASSIGN_OR_RETURN(const Timeline timeline, house.TimelineOf(context.visitor_id));
  return timeline.customers().empty();
}

absl::StatusOr<std::vector<Event>> ReadBoth(const WebHouse& house, const Context& context) {
  ASSIGN_OR_RETURN(
      std::vector<Event> history,
      ReadHistory(house, Person::Customer(context.customer_id), limits::kHistoryEventsMax));
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

absl::StatusOr<std::shared_ptr<const KnownPerson>> FoldedIn(const Person& person,
                                                            const WebHouse& house,
                                                            Serving* serving) {
  const std::string key = keys::PersonPrefix(person);
  uint64_t ticket;
  if (auto cached = serving->profiles.Get(key, &ticket)) return cached;
  ProfileBuilder builder(*serving->model, &serving->catalogue);
  RETURN_IF_ERROR(house.ForEachOf(person, limits::kHistoryEventsMax,
                                  [&builder](const Event& event) { builder.Add(event); }));
  const auto known = std::make_shared<KnownPerson>();
  known->profile = std::move(builder).Build();
  serving->profiles.Put(key, known, ticket);
  return known;
}

}  // namespace vitrine
