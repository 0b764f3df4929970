// Lists of numbers, one behind the other in memory: baskets, visits, paths. What the numbers stand
// for is the caller's business.

#ifndef VITRINE_RECOMMENDER_PATTERNS_LISTS_H_
#define VITRINE_RECOMMENDER_PATTERNS_LISTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace vitrine {

class Lists {
 public:
  void Add(std::span<const uint32_t> list) {
    values_.insert(values_.end(), list.begin(), list.end());
    ends_.push_back(values_.size());
  }

  size_t size() const { return ends_.size(); }
  bool empty() const { return ends_.empty(); }
  size_t total() const { return values_.size(); }  // of the lengths

  std::span<const uint32_t> operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {values_.data() + begin, values_.data() + ends_[i]};
  }

 private:
  std::vector<uint32_t> values_;
  std::vector<size_t> ends_;
};

// As many lists as fit into `capacity` numbers. If more come, a fair sample of them stays: those
// whose hash ends in enough zero bits, whatever order they come in. Not thread-safe.
class SampledLists {
 public:
  explicit SampledLists(size_t capacity) : capacity_(capacity) {}

  // `hash` has 64 even bits and belongs to the list (of an order's id, say). Amortised O(length).
  void Add(uint64_t hash, std::span<const uint32_t> list) {
    ++offered_;
    if ((hash & mask_) != 0) return;
    lists_.Add(list);
    hashes_.push_back(hash);
    while (lists_.total() > capacity_ && mask_ != ~uint64_t{0}) Halve();
  }

  const Lists& lists() const { return lists_; }
  size_t offered() const { return offered_; }
  bool complete() const { return mask_ == 0; }

 private:
  void Halve() {
    mask_ = mask_ * 2 + 1;
    Lists kept;
    std::vector<uint64_t> hashes;
    for (size_t i = 0; i < lists_.size(); ++i) {
      if ((hashes_[i] & mask_) != 0) continue;
      kept.Add(lists_[i]);
      hashes.push_back(hashes_[i]);
    }
    lists_ = std::move(kept);
    hashes_ = std::move(hashes);
  }

  const size_t capacity_;
  Lists lists_;
  std::vector<uint64_t> hashes_;
  uint64_t mask_ = 0;
  size_t offered_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PATTERNS_LISTS_H_
