// The visits going on at a site: what is clicked in them enters the session index when they end.

#ifndef VITRINE_API_SERVICE_LIVE_VISITS_H_
#define VITRINE_API_SERVICE_LIVE_VISITS_H_

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/settings.h"
#include "store/records_types.h"

namespace vitrine {

// A visit that has ended: products by id, oldest click first.
using EndedVisit = std::vector<std::string>;

// Thread-safe. Bounded: at most `visits_max` are going on, of limits::kSessionClicksMax clicks
// each.
class LiveVisits {
 public:
  explicit LiveVisits(size_t visits_max) : visits_max_(visits_max) {}

  // Takes in events that were just written, in their order, at `now_ms`. Those of longer ago than
  // the gap belong to no visit going on. O(1) each.
  void Add(std::span<const Event> events, const WeightSettings& weights, int64_t now_ms,
           int64_t gap_ms);

  // Those that nothing was added to for longer than the gap, the one that ended first in front. One
  // of a single click tells nothing and is left out.
  std::vector<EndedVisit> TakeEnded(int64_t now_ms, int64_t gap_ms);

  // That are going on. O(1).
  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return visits_.size();
  }

  // Forgets what this person is doing.
  void Forget(absl::string_view customer_id);

 private:
  struct Visit {
    std::string key;       // of the visitor, else of the customer
    std::string customer;  // once they logged in
    int64_t last_ms = 0;
    EndedVisit clicks = {};
  };

  Visit& Find(const Event& event, int64_t gap_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t visits_max_;
  mutable absl::Mutex mutex_;
  std::list<Visit> visits_ ABSL_GUARDED_BY(mutex_);  // the one that waits longest in front
  absl::flat_hash_map<std::string, std::list<Visit>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
  std::vector<EndedVisit> ended_ ABSL_GUARDED_BY(mutex_);  // for want of room
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_LIVE_VISITS_H_
