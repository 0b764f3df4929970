// What became of a site's live events lately.

#ifndef VITRINE_API_SERVICE_EVENT_TALLY_H_
#define VITRINE_API_SERVICE_EVENT_TALLY_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace vitrine {

struct EventCounts {
  int64_t accepted = 0;
  int64_t robot = 0;
  int64_t rejected = 0;
  int64_t future = 0;  // of the rejected: those that say they happen later than now

  int64_t all() const { return accepted + robot + rejected; }
  void Add(const EventCounts& more) {
    accepted += more.accepted;
    robot += more.robot;
    rejected += more.rejected;
    future += more.future;
  }
};

// Thread-safe. Times are steady.
class EventTally {
 public:
  static constexpr int64_t kHourNs = 3'600'000'000'000;

  void Add(const EventCounts& counts, int64_t now_ns) {
    absl::MutexLock lock(&mutex_);
    if (parts_.empty() || now_ns - parts_.back().begin_ns >= kPartNs) {
      parts_.push_back({now_ns, {}});
      if (parts_.size() > kParts + 1) parts_.pop_front();
    }
    parts_.back().counts.Add(counts);
    if (counts.accepted > 0) last_ns_ = now_ns;
  }

  // Of the last hour, to within some minutes.
  EventCounts LastHour(int64_t now_ns) const {
    EventCounts sum;
    absl::MutexLock lock(&mutex_);
    for (const Part& part : parts_) {
      if (now_ns - part.begin_ns <= kHourNs) sum.Add(part.counts);
    }
    return sum;
  }

  // When the last one was accepted that no robot sent; 0: none was.
  int64_t last_ns() const {
    absl::MutexLock lock(&mutex_);
    return last_ns_;
  }

 private:
  static constexpr size_t kParts = 12;
  static constexpr int64_t kPartNs = kHourNs / kParts;
  struct Part {
    int64_t begin_ns;
    EventCounts counts;
  };

  mutable absl::Mutex mutex_;
  std::deque<Part> parts_ ABSL_GUARDED_BY(mutex_);
  int64_t last_ns_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_EVENT_TALLY_H_
