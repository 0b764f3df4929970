// A person's events, read for a request.

#ifndef VITRINE_API_SERVICE_HISTORY_H_
#define VITRINE_API_SERVICE_HISTORY_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "api/service/serving.h"
#include "api/vitrine_types.h"
#include "store/web_house.h"

namespace vitrine {

// The newest `limit` events that belong to the person (store/identity.h), newest first.
absl::StatusOr<std::vector<Event>> ReadHistory(const WebHouse& house, const Person& person,
                                               size_t limit);

// A context that names both is a login, perhaps of a moment ago: no event says so yet, and what the
// visitor did so far is the customer's. False once logins decide whose it is.
// REQUIRES: it names both; and for the next.
absl::StatusOr<bool> VisitsAreTheCustomers(const WebHouse& house, const Context& context);

// The events of both as one history, newest first, at most limits::kHistoryEventsMax.
absl::StatusOr<std::vector<Event>> ReadBoth(const WebHouse& house, const Context& context);

// The person, from the cache where nothing happened since.
absl::StatusOr<std::shared_ptr<const KnownPerson>> FoldedIn(const Person& person,
                                                            const WebHouse& house,
                                                            Serving* serving);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_HISTORY_H_
