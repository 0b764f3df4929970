// What every request begins with and is held to.

#ifndef VITRINE_API_SERVICE_REQUEST_H_
#define VITRINE_API_SERVICE_REQUEST_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "api/vitrine_types.h"
#include "store/base/clock.h"
#include "store/key_format.h"

namespace vitrine {

// InvalidArgument, naming the field of the request.
absl::Status BadField(absl::string_view field, absl::string_view what);

// OK if ids and deadline are within their limits. The site is not looked at.
absl::Status CheckContext(const Context& context);
absl::Status CheckPage(const PageFacts& page);

// Whether it says who asks, and they do not mind being known.
bool IsSomebody(const Context& context);
// Who that is. REQUIRES: IsSomebody.
Person PersonOf(const Context& context);

// While it lives, what this thread answers is less than it could be, because of load; what it shows
// is kept as such.
class DegradedAnswer {
 public:
  explicit DegradedAnswer(bool degraded) { now_ = degraded; }
  ~DegradedAnswer() { now_ = false; }
  DegradedAnswer(const DegradedAnswer&) = delete;
  DegradedAnswer& operator=(const DegradedAnswer&) = delete;

  static bool Now() { return now_; }

 private:
  inline static thread_local bool now_ = false;
};

// The id of a request, and the time it has.
class RequestTime {
 public:
  // `arrived_ns` is steady; `number` makes the id where the context gives none. `clock` outlives
  // it.
  RequestTime(const Clock* clock, int64_t arrived_ns, uint64_t number, const Context& context);

  const std::string& id() const { return id_; }

  // DeadlineExceeded once it has passed.
  absl::Status CheckDeadline() const;

 private:
  const Clock* clock_;
  int64_t deadline_ns_;
  std::string id_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_REQUEST_H_
