// A token bucket without tokens: the generic cell rate algorithm (ITU-T I.371), one word of state.

#ifndef VITRINE_API_AUTH_QUOTA_H_
#define VITRINE_API_AUTH_QUOTA_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace vitrine {

// So many calls a second, of which those of one second may come at once. Thread-safe, lock-free.
class Quota {
 public:
  // REQUIRES: per_second > 0.
  explicit Quota(int32_t per_second) : interval_ns_(kSecondNs / per_second) {}

  // 0 if the call is within the quota, and it is counted; else the nanoseconds until one will be.
  // `now_ns` is steady.
  int64_t Take(int64_t now_ns) {
    int64_t due = due_ns_;
    while (true) {
      const int64_t next = std::max(due, now_ns) + interval_ns_;
      if (next > now_ns + kSecondNs) return next - now_ns - kSecondNs;
      if (due_ns_.compare_exchange_weak(due, next)) return 0;
    }
  }

 private:
  static constexpr int64_t kSecondNs = 1'000'000'000;
  const int64_t interval_ns_;
  // When all that was counted would be done, at one call an interval.
  std::atomic<int64_t> due_ns_{INT64_MIN};
};

}  // namespace vitrine

#endif  // VITRINE_API_AUTH_QUOTA_H_
