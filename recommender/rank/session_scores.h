// Scores of the products that a few thousand sessions mention: a hash table that is cleared by what
// is in it, so that a request costs what it touches, however large the catalogue.

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_SCORES_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_SCORES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "recommender/rank/retrieval.h"

namespace vitrine {

// Thread-compatible. Takes memory when it holds more than ever before, and keeps it.
class ScoreMap {
 public:
  ScoreMap() : table_(size_t{1} << kBitsMin, kEmpty), bits_(kBitsMin) {}

  size_t size() const { return used_.size(); }

  // REQUIRES: product is below limits::kCatalogueProductsMax.
  void Add(uint32_t product, float score) {
    const size_t slot = SlotOf(product);
    if (table_[slot].product == product) {
      table_[slot].score += score;
    } else {
      Insert(slot, {product, score});
    }
  }

  // 0 for what was never added.
  float Get(uint32_t product) const {
    const Scored& found = table_[SlotOf(product)];
    return found.product == product ? found.score : 0;
  }

  // Nothing happens to what was never added.
  void Multiply(uint32_t product, float factor) {
    Scored& found = table_[SlotOf(product)];
    if (found.product == product) found.score *= factor;
  }

  // Calls use(product, score&) in the order in which products were first added.
  template <typename Use>
  void ForEach(const Use& use) {
    for (const uint32_t slot : used_) use(table_[slot].product, table_[slot].score);
  }

  // O(size).
  void Clear();

  // Fills `top` with the n products of the highest scores above 0 that are not in `hidden`, best
  // first, equal scores by product. O(size * hidden + n log n).
  void Top(size_t n, std::span<const uint32_t> hidden, std::vector<Scored>* top) const;

 private:
  static constexpr int kBitsMin = 10;
  static constexpr Scored kEmpty = {std::numeric_limits<uint32_t>::max(), 0};

  // Where the product is or would be.
  size_t SlotOf(uint32_t product) const {
    const size_t mask = table_.size() - 1;
    size_t slot = (product * 0x9E3779B1u) >> (32 - bits_);
    while (table_[slot].product != product && table_[slot].product != kEmpty.product) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  void Insert(size_t slot, Scored scored);

  std::vector<Scored> table_;  // of a power of two, at most half full
  std::vector<uint32_t> used_;
  int bits_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_SCORES_H_
