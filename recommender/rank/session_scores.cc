#include "recommender/rank/session_scores.h"

#include <algorithm>

namespace vitrine {

void ScoreMap::Insert(size_t slot, Scored scored) {
  table_[slot] = scored;
  used_.push_back(static_cast<uint32_t>(slot));
  if (2 * used_.size() <= table_.size()) return;
  std::vector<Scored> old(2 * table_.size(), kEmpty);
  old.swap(table_);
  ++bits_;
  for (uint32_t& used : used_) {
    const Scored& moved = old[used];
    const size_t to = SlotOf(moved.product);
    table_[to] = moved;
    used = static_cast<uint32_t>(to);
  }
}

void ScoreMap::Clear() {
  for (const uint32_t slot : used_) table_[slot] = kEmpty;
  used_.clear();
}

void ScoreMap::Top(size_t n, std::span<const uint32_t> hidden, std::vector<Scored>* top) const {
  top->clear();
  for (const uint32_t slot : used_) {
    const Scored& scored = table_[slot];
    if (scored.score > 0 &&
        std::find(hidden.begin(), hidden.end(), scored.product) == hidden.end()) {
      top->push_back(scored);
    }
  }
  const auto better = [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.product < b.product;
  };
  if (top->size() > n) {
    std::nth_element(top->begin(), top->begin() + static_cast<ptrdiff_t>(n), top->end(), better);
    top->resize(n);
  }
  std::sort(top->begin(), top->end(), better);
}

}  // namespace vitrine
