// Who is who. An event is kept under the person that it named: the customer, else the visitor. An
// event that names both is a login of that customer on that visitor's device; from the logins of a
// visitor follows, as a pure function, whose each of the visitor's anonymous events is. Nothing is
// rewritten when somebody logs in, and no order of arrival makes a difference.
//
// Thread-safe: everything here is a value or a pure function.

#ifndef VITRINE_STORE_IDENTITY_H_
#define VITRINE_STORE_IDENTITY_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// True for what software writes where it knows nobody ("null", "undefined", "guest", "0", ...),
// whatever its case and the blanks around it: taken for an id, it would make one person of all
// strangers.
bool IsNobodysId(absl::string_view id);

// Takes the ids that are nobody's off the event: what remains is the visitor's, or the customer's.
// InvalidArgument ("nobodys_id: ...") if nobody remains. The event is not counted as anything
// special: it is accepted as what it is without that id.
absl::Status DropNobodysIds(Event* event);

// Names both a customer and a visitor.
inline bool IsLogin(const Event& event) {
  return event.__isset.customer_id && event.__isset.visitor_id;
}

struct Login {
  int64_t time_ms = 0;
  uint64_t id_hash = 0;  // of the event's id: decides between logins of one millisecond
  std::string customer;
};

// Whose a visitor's anonymous events are: of the latest login at or before them; before the first
// login, the first one's. An operator's un-merge gives back to the visitor what one customer would
// have had. A device that more customers than a site allows logged in on is shared, and keeps all
// its anonymous events.
class Timeline {
 public:
  // Times t with from_ms <= t < to_ms.
  struct Span {
    int64_t from_ms = std::numeric_limits<int64_t>::min();
    int64_t to_ms = std::numeric_limits<int64_t>::max();
  };

  // No login: all is the visitor's.
  Timeline() : Timeline({}, {}, 0) {}
  // `logins` in any order; `unlinked`: the customers whom an operator separated from this visitor.
  // O(n log n).
  Timeline(std::vector<Login> logins, std::vector<std::string> unlinked, size_t customers_max);

  // Empty: the visitor. O(log n).
  absl::string_view OwnerAt(int64_t time_ms) const;

  // The customer's times (of "": the visitor's own), newest first. O(n).
  std::vector<Span> Owned(absl::string_view customer) const;

  // Whoever logged in, in order of ids. Of a shared device there may be more than these.
  const std::vector<std::string>& customers() const { return customers_; }
  bool shared() const { return shared_; }
  bool IsUnlinked(absl::string_view customer) const;

 private:
  struct Turn {
    int64_t from_ms;
    std::string owner;
  };

  std::vector<Turn> turns_;  // oldest first, the first from the beginning of time
  std::vector<std::string> customers_;
  std::vector<std::string> unlinked_;
  bool shared_ = false;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_IDENTITY_H_
