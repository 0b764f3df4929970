// How new products did that were given a place to find out (rank/explore.h): how often each was
// shown there, and how often it was then taken.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_TRIALS_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_TRIALS_H_

#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace vitrine {

struct Trial {
  uint32_t shown = 0;
  uint32_t taken = 0;
};

// Thread-safe. Holds a row for each product that was ever tried, and nothing of anybody.
class Trials {
 public:
  void AddShown(absl::string_view product_id);
  // From the shelf of this recommendation, which counts once, however much follows from it.
  void AddTaken(absl::string_view product_id, absl::string_view recommendation_id);

  // Zeros for what was not tried.
  Trial Of(absl::string_view product_id) const;

 private:
  // So many takings are remembered, not to be counted twice.
  static constexpr size_t kTakenMax = 10'000;

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Trial> trials_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_TRIALS_H_
