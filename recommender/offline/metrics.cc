#include "recommender/offline/metrics.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

double Gain(size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 1); }

}  // namespace

ListQuality Judge(std::span<const uint32_t> list, std::span<const uint32_t> targets, size_t k) {
  ListQuality quality;
  const size_t best_hits = std::min(k, targets.size());
  if (best_hits == 0) return quality;
  size_t hits = 0;
  double gain = 0;
  for (size_t rank = 1; rank <= std::min(k, list.size()); ++rank) {
    if (std::find(targets.begin(), targets.end(), list[rank - 1]) == targets.end()) continue;
    if (++hits == 1) quality.reciprocal_rank = 1 / static_cast<double>(rank);
    gain += Gain(rank);
  }
  double best_gain = 0;
  for (size_t rank = 1; rank <= best_hits; ++rank) best_gain += Gain(rank);
  quality.recall = static_cast<double>(hits) / static_cast<double>(best_hits);
  quality.ndcg = gain / best_gain;
  return quality;
}

}  // namespace vitrine
