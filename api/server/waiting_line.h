// Requests that have arrived at one event loop and wait for its thread. It is as long as they can
// be answered in time: one more is refused at once, when it arrives, not when its time has passed.

#ifndef VITRINE_API_SERVER_WAITING_LINE_H_
#define VITRINE_API_SERVER_WAITING_LINE_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <optional>

#include "api/server/admission.h"
#include "store/base/limits.h"

namespace vitrine {

// `Who` is a pointer to what waits. Of one thread. Add and Next are O(1).
//
// How long a newcomer would wait is the sum of what those before it will take, by what requests of
// their kinds took lately, between the end of the one before and their own: whatever else the
// thread, or the machine, does meanwhile is in it.
template <typename Who>
class WaitingLine {
 public:
  struct Place {
    Who who = nullptr;
    Admission::Request request = {};
    int64_t arrived_ns = 0;
    int64_t expected_ns = 0;  // of time for itself
    bool in_time = true;      // else there is too little left of its deadline to begin
  };

  bool empty() const { return line_.empty(); }
  size_t size() const { return line_.size(); }

  // None if it waits now; else when to try again. Half of a deadline may be spent with waiting: the
  // other half is for what nobody foresees.
  std::optional<int32_t> Add(Who who, const Admission::Request& request, int64_t arrived_ns,
                             int64_t now_ns) {
    const int64_t expected_ns = static_cast<int64_t>(cost_ns_[request.kind]);
    const int64_t wait_ns = now_ns - arrived_ns + waiting_ns_ + expected_ns;
    const int64_t deadline_ns = int64_t{request.deadline_ms} * kMsNs;
    // An estimate alone keeps nobody out where nobody waits: it could never become better.
    if (!line_.empty() && wait_ns > deadline_ns / 2) {
      refused_ns_ = now_ns;
      const int64_t retry_after_ms = waiting_ns_ / kMsNs + 1;
      return static_cast<int32_t>(std::min<int64_t>(retry_after_ms, limits::kRetryAfterMsMax));
    }
    line_.push_back({who, request, arrived_ns, expected_ns});
    waiting_ns_ += expected_ns;
    return std::nullopt;
  }

  // The first of them. REQUIRES: !empty().
  Place Next(int64_t now_ns) {
    Place place = line_.front();
    line_.pop_front();
    waiting_ns_ -= place.expected_ns;
    const int64_t end_ns = place.arrived_ns + int64_t{place.request.deadline_ms} * kMsNs;
    place.in_time = now_ns + place.expected_ns <= end_ns;
    if (!place.in_time) refused_ns_ = now_ns;
    began_ns_ = std::max(ended_ns_, place.arrived_ns);
    return place;
  }

  // That which Next gave was handled.
  void Done(const Place& place, int64_t now_ns) {
    double& cost_ns = cost_ns_[place.request.kind];
    cost_ns += kNewestShare * (static_cast<double>(now_ns - began_ns_) - cost_ns);
    ended_ns_ = now_ns;
  }

  // Somebody was refused just now: what can be sent later should not come in.
  bool Refuses(int64_t now_ns) const { return now_ns - refused_ns_ < kRefusesNs; }

 private:
  static constexpr int64_t kMsNs = 1'000'000;
  static constexpr int64_t kRefusesNs = 100 * kMsNs;
  // The part of the last request in the mean of its kind.
  static constexpr double kNewestShare = 0.05;

  std::deque<Place> line_;
  std::array<double, Admission::kKindsMax> cost_ns_ = {};
  int64_t waiting_ns_ = 0;
  int64_t began_ns_ = 0;
  int64_t ended_ns_ = 0;
  int64_t refused_ns_ = -kRefusesNs;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_WAITING_LINE_H_
