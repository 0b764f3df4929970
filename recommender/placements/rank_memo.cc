#include "recommender/placements/rank_memo.h"

#include <algorithm>

namespace vitrine {
namespace {

// The products of some shelves.
constexpr size_t kStrongestMax = 100;

}  // namespace

std::shared_ptr<const RankedList> RankMemo::Find(const Key& key, size_t depth) const {
  absl::MutexLock lock(&mutex_);
  const auto found = std::ranges::find(rankings_, key, &Ranking::key);
  return found == rankings_.end() || found->depth < depth ? nullptr : found->list;
}

void RankMemo::Keep(const Key& key, size_t depth, std::shared_ptr<const RankedList> list) const {
  absl::MutexLock lock(&mutex_);
  std::erase_if(rankings_, [&](const Ranking& kept) {
    return kept.key == key || kept.key.guessed != key.guessed;
  });
  rankings_.push_back({key, depth, std::move(list)});
}

std::vector<std::pair<RankMemo::Key, size_t>> RankMemo::Kept() const {
  absl::MutexLock lock(&mutex_);
  std::vector<std::pair<Key, size_t>> kept;
  for (const Ranking& ranking : rankings_) kept.emplace_back(ranking.key, ranking.depth);
  return kept;
}

bool RankMemo::FindStrongest(size_t session_acts, std::span<const uint32_t> products,
                             Strongest* strongest) const {
  absl::MutexLock lock(&mutex_);
  if (explained_acts_ != session_acts) return false;
  for (const uint32_t product : products) {
    const auto found = strongest_.find(product);
    if (found == strongest_.end()) return false;
    strongest->insert(*found);
  }
  return true;
}

void RankMemo::KeepStrongest(size_t session_acts, const Strongest& strongest) const {
  absl::MutexLock lock(&mutex_);
  if (explained_acts_ != session_acts || strongest_.size() > kStrongestMax) strongest_.clear();
  explained_acts_ = session_acts;
  strongest_.insert(strongest.begin(), strongest.end());
}

}  // namespace vitrine
