// A person's events, read for a request.

#ifndef VITRINE_API_SERVICE_HISTORY_H_
#define VITRINE_API_SERVICE_HISTORY_H_

#include <vector>

#include "absl/status/statusor.h"

#include "api/vitrine_types.h"
#include "store/web_house.h"

namespace vitrine {

// The newest `limit` events of the person, newest first.
absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Person& person,
                                               size_t limit);

// Those of the customer and of the visitor that the context names, as one history, newest first,
// at most limits::kHistoryEventsMax. Empty if it names neither.
absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Context& context);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_HISTORY_H_
