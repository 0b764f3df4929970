// What was worked out for a person's shelves, kept for the next request: good as long as their
// profile is, which is until they act.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_RANK_MEMO_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_RANK_MEMO_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

#include "recommender/rank/explain.h"
#include "recommender/rank/ranker.h"

namespace vitrine {

// Of one profile and one model. Thread-safe; const, since it changes no answer. Rankings are those
// of somebody without a visit going on: in a visit they change with what others click. Only
// those with the same guesses as the last one are kept.
class RankMemo {
 public:
  // What such a ranking depends on beside the profile.
  struct Key {
    bool exclude_bought = false;
    bool exclude_seen = false;
    uint64_t guessed = 0;  // GuessedProducts::version; 0: none

    bool operator==(const Key&) const = default;
  };

  // Null unless one of at least `depth` products was kept.
  std::shared_ptr<const RankedList> Find(const Key& key, size_t depth) const;
  void Keep(const Key& key, size_t depth, std::shared_ptr<const RankedList> list) const;

  // What there is, and how deep.
  std::vector<std::pair<Key, size_t>> Kept() const;

  // Why taste ranks the products so (Explainer::Strongest), by product. False if it was not kept of
  // one of them.
  using Strongest = absl::flat_hash_map<uint32_t, Contribution>;
  bool FindStrongest(size_t session_acts, std::span<const uint32_t> products,
                     Strongest* strongest) const;
  void KeepStrongest(size_t session_acts, const Strongest& strongest) const;

 private:
  struct Ranking {
    Key key;
    size_t depth = 0;
    std::shared_ptr<const RankedList> list;
  };

  mutable absl::Mutex mutex_;
  mutable std::vector<Ranking> rankings_ ABSL_GUARDED_BY(mutex_);
  mutable size_t explained_acts_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable Strongest strongest_ ABSL_GUARDED_BY(mutex_);  // of a visit of explained_acts_
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_RANK_MEMO_H_
