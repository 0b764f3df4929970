#include "ingest/sessionizer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

#include "store/base/status_macros.h"
#include "store/identity.h"

namespace vitrine {
namespace {

// Dirty persons that are listed at once. A scan of the list passes over what was cleared before,
// so that many small slices would cost the square of their number.
constexpr size_t kSlice = 1 << 16;
// Persons whose rows go into one write.
constexpr size_t kPersonsPerWrite = 512;

// Adds without wrapping: sums of legal prices can pass the end of an int64.
void AddTo(int64_t* sum, int64_t value) {
  if (!__builtin_add_overflow(*sum, value, sum)) return;
  *sum = value > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

// What the priced items of an event cost.
int64_t ValueOf(const Event& event) {
  int64_t value = 0;
  for (const Item& item : event.items) {
    if (!item.__isset.price_minor) continue;
    int64_t cost;
    if (__builtin_mul_overflow(item.price_minor, int64_t{item.quantity}, &cost)) {
      cost = std::numeric_limits<int64_t>::max();
    }
    AddTo(&value, cost);
  }
  return value;
}

bool MovesMoney(const Event& event) {
  return (event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND) &&
         event.__isset.currency;
}

int32_t Count(size_t n) {
  return static_cast<int32_t>(std::min<size_t>(n, std::numeric_limits<int32_t>::max()));
}

// Orders among `events`: one for each order id, and one for each purchase that names none.
int32_t CountOrders(std::span<const Event> events) {
  absl::flat_hash_set<absl::string_view> ids;
  size_t nameless = 0;
  for (const Event& event : events) {
    if (event.kind != EventKind::PURCHASE) continue;
    if (event.__isset.order_id) {
      ids.insert(event.order_id);
    } else {
      ++nameless;
    }
  }
  return Count(ids.size() + nameless);
}

int32_t CountKind(std::span<const Event> events, EventKind kind) {
  return Count(static_cast<size_t>(std::count_if(
      events.begin(), events.end(), [kind](const Event& event) { return event.kind == kind; })));
}

Session MakeSession(std::span<const Event> events) {
  Session session;
  session.start_ms = events.front().time_ms;
  session.end_ms = events.back().time_ms;
  session.events = Count(events.size());
  session.product_views = CountKind(events, EventKind::VIEW_ITEM);
  session.cart_adds = CountKind(events, EventKind::ADD_TO_CART);
  session.orders = CountOrders(events);
  session.channel = events.front().channel;
  for (const Event& event : events) {
    if (MovesMoney(event)) {
      const int64_t value = ValueOf(event);
      AddTo(&session.value_minor[event.currency],
            event.kind == EventKind::PURCHASE ? value : -value);
    }
    if (event.__isset.url && !session.__isset.landing_url) session.__set_landing_url(event.url);
  }
  return session;
}

// The events that belong to a person, oldest first.
absl::StatusOr<std::vector<Event>> EventsOf(const WebHouse& house, const Person& person) {
  ASSIGN_OR_RETURN(std::vector<Event> events,
                   house.ResolvedHistory(person, std::numeric_limits<size_t>::max()));
  std::reverse(events.begin(), events.end());
  return events;
}

absl::StatusOr<Derived> DerivePerson(const WebHouse& house, const DirtyPerson& dirty,
                                     int64_t gap_ms) {
  ASSIGN_OR_RETURN(const std::vector<Event> events, EventsOf(house, dirty.person));
  Derived derived;
  derived.person = dirty.person;
  derived.mark = dirty.mark;
  derived.sessions = Sessionize(events, gap_ms);
  if (dirty.person.kind == Person::Kind::kCustomer && !events.empty()) {
    derived.customer = Summarize(events, derived.sessions);
    derived.customer->id = dirty.person.id;  // the events may be a visitor's
  }
  if (dirty.person.kind == Person::Kind::kVisitor) {
    ASSIGN_OR_RETURN(const Timeline timeline, house.TimelineOf(dirty.person.id));
    derived.shared = timeline.shared();
  }
  return derived;
}

// Those of `persons` who are dirty still, and with each visitor the customers whose history follows
// from the visitor's: written together, so that the visitor's mark goes when all of them are done.
absl::StatusOr<std::vector<DirtyPerson>> WhoIsDue(const WebHouse& house,
                                                  std::span<const DirtyPerson> persons) {
  std::vector<DirtyPerson> due;
  absl::flat_hash_set<Person> known;
  const auto add = [&](const Person& person, bool if_clean) -> absl::Status {
    if (known.contains(person)) return absl::OkStatus();
    ASSIGN_OR_RETURN(DirtyPerson state, house.StateOf(person));
    if (state.mark == 0 && !if_clean) return absl::OkStatus();
    known.insert(person);
    due.push_back(std::move(state));
    return absl::OkStatus();
  };
  for (const DirtyPerson& dirty : persons) RETURN_IF_ERROR(add(dirty.person, false));
  for (size_t i = 0, n = due.size(); i < n; ++i) {
    if (due[i].person.kind != Person::Kind::kVisitor) continue;
    ASSIGN_OR_RETURN(const auto customers, house.CustomersOf(due[i].person.id));
    for (const std::string& id : customers) RETURN_IF_ERROR(add(Person::Customer(id), true));
  }
  return due;
}

absl::Status DeriveKind(WebHouse* house, Person::Kind kind, int64_t* done,
                        const std::function<void(int64_t)>& on_progress) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<DirtyPerson> dirty, house->Dirty(kind, kSlice));
    const std::span<const DirtyPerson> persons = dirty;
    for (size_t begin = 0; begin < persons.size(); begin += kPersonsPerWrite) {
      const auto slice = persons.subspan(begin, std::min(kPersonsPerWrite, persons.size() - begin));
      RETURN_IF_ERROR(Derive(house, slice));
      *done += static_cast<int64_t>(slice.size());
      if (on_progress) on_progress(*done);
    }
    // Who became dirty meanwhile is for the next call: on a busy site this one would never end.
    if (persons.size() < kSlice) return absl::OkStatus();
  }
}

}  // namespace

std::vector<Session> Sessionize(std::span<const Event> events, int64_t gap_ms) {
  std::vector<Session> sessions;
  size_t begin = 0;
  for (size_t i = 1; i <= events.size(); ++i) {
    const bool goes_on = i < events.size() && events[i].time_ms - events[i - 1].time_ms <= gap_ms;
    if (goes_on) continue;
    sessions.push_back(MakeSession(events.subspan(begin, i - begin)));
    begin = i;
  }
  return sessions;
}

Customer Summarize(std::span<const Event> events, std::span<const Session> sessions) {
  Customer customer;
  customer.id = events.front().customer_id;
  customer.first_seen_ms = events.front().time_ms;
  customer.last_seen_ms = events.back().time_ms;
  customer.events = Count(events.size());
  customer.sessions = Count(sessions.size());
  customer.orders = CountOrders(events);
  for (const Event& event : events) {
    if (MovesMoney(event)) {
      auto& sums =
          event.kind == EventKind::PURCHASE ? customer.bought_minor : customer.refunded_minor;
      AddTo(&sums[event.currency], ValueOf(event));
    }
    if (event.__isset.country) customer.__set_country(event.country);  // the newest one stays
  }
  return customer;
}

absl::Status Derive(WebHouse* house, std::span<const DirtyPerson> persons) {
  const int64_t gap_ms = house->GetSettings().session_gap_ms;
  absl::MutexLock lock(&house->derive_mutex());
  ASSIGN_OR_RETURN(const auto due, WhoIsDue(*house, persons));
  std::vector<Derived> derived;
  for (const DirtyPerson& person : due) {
    ASSIGN_OR_RETURN(Derived rows, DerivePerson(*house, person, gap_ms));
    derived.push_back(std::move(rows));
  }
  return derived.empty() ? absl::OkStatus() : house->ReplaceDerived(derived);
}

// Visitors first: with them go most customers whose marks are from the same events.
absl::Status DeriveAll(WebHouse* house, const std::function<void(int64_t)>& on_progress) {
  int64_t done = 0;
  RETURN_IF_ERROR(DeriveKind(house, Person::Kind::kVisitor, &done, on_progress));
  return DeriveKind(house, Person::Kind::kCustomer, &done, on_progress);
}

}  // namespace vitrine
