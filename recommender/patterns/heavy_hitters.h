// The most frequent keys of a stream in bounded memory, with a bound on how wrong each count is
// (Misra & Gries 1982, pruned in batches as Anderson et al., "A high-performance algorithm for
// identifying frequent items in data streams", IMC 2017, so that an Add is O(1) amortised).

#ifndef VITRINE_RECOMMENDER_PATTERNS_HEAVY_HITTERS_H_
#define VITRINE_RECOMMENDER_PATTERNS_HEAVY_HITTERS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace vitrine {

// A key that came n times in all is here with a count between n - error() and n; error() is at most
// total() / capacity, and 0 as long as no more than 2 * capacity keys came. Not thread-safe.
template <typename Key>
class HeavyHitters {
 public:
  struct Entry {
    Key key;
    int64_t count = 0;

    bool operator==(const Entry&) const = default;
  };

  // Holds up to 2 * `capacity` keys. REQUIRES: capacity > 0.
  explicit HeavyHitters(size_t capacity) : capacity_(capacity) {}

  // `Like` is a Key or something it can be looked up by (absl::string_view for std::string).
  template <typename Like>
  void Add(const Like& key, int64_t times = 1) {
    total_ += times;
    const auto found = counts_.find(key);
    if (found != counts_.end()) {
      found->second += times;
      return;
    }
    counts_.emplace(Key(key), times);
    if (counts_.size() > 2 * capacity_) Prune();
  }

  // The count of a key; 0 if it is not held.
  template <typename Like>
  int64_t CountOf(const Like& key) const {
    const auto found = counts_.find(key);
    return found == counts_.end() ? 0 : found->second;
  }

  // The k keys with the highest counts, highest first; equal ones by key. O(capacity log k).
  std::vector<Entry> Top(size_t k) const {
    std::vector<Entry> top;
    for (const auto& [key, count] : counts_) top.push_back({key, count});
    k = std::min(k, top.size());
    const auto end = top.begin() + static_cast<std::ptrdiff_t>(k);
    std::partial_sort(top.begin(), end, top.end(), [](const Entry& a, const Entry& b) {
      return a.count != b.count ? a.count > b.count : a.key < b.key;
    });
    top.resize(k);
    return top;
  }

  int64_t total() const { return total_; }
  int64_t error() const { return error_; }

 private:
  // Takes the count of the key behind the first `capacity_` away from all: at most that many stay.
  // Each time at least capacity_ + 1 keys pay, which bounds the sum of what is taken.
  void Prune() {
    std::vector<int64_t> counts;
    counts.reserve(counts_.size());
    for (const auto& [key, count] : counts_) counts.push_back(count);
    const auto cut = counts.begin() + static_cast<std::ptrdiff_t>(capacity_);
    std::nth_element(counts.begin(), cut, counts.end(), std::greater<>());
    const int64_t taken = *cut;
    error_ += taken;
    absl::erase_if(counts_, [taken](const auto& entry) { return entry.second <= taken; });
    for (auto& [key, count] : counts_) count -= taken;
  }

  const size_t capacity_;
  absl::flat_hash_map<Key, int64_t> counts_;
  int64_t total_ = 0;
  int64_t error_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_HEAVY_HITTERS_H_
