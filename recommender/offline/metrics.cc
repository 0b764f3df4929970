#include "recommender/offline/metrics.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace vitrine {
namespace {

double Gain(size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 1); }

}  // namespace

ListQuality Judge(std::span<const uint32_t> list, std::span<const uint32_t> targets, size_t k,
                  RecallOf recall) {
  ListQuality quality;
  const size_t reachable = std::min(k, targets.size());
  if (reachable == 0) return quality;
  double hits = 0;
  for (size_t rank = 1; rank <= std::min(k, list.size()); ++rank) {
    if (std::find(targets.begin(), targets.end(), list[rank - 1]) == targets.end()) continue;
    ++hits;
    if (hits == 1) quality.reciprocal_rank = 1 / static_cast<double>(rank);
    quality.average_precision += hits / static_cast<double>(rank);
    quality.ndcg += Gain(rank);
  }
  double best_gain = 0;
  for (size_t rank = 1; rank <= reachable; ++rank) best_gain += Gain(rank);
  const size_t wanted = recall == RecallOf::kAll ? targets.size() : reachable;
  quality.recall = hits / static_cast<double>(wanted);
  quality.ndcg /= best_gain;
  quality.hit = hits > 0 ? 1 : 0;
  quality.average_precision /= static_cast<double>(reachable);
  quality.precision = hits / static_cast<double>(k);
  return quality;
}

double SelfInformation(uint64_t with, uint64_t persons) {
  return std::log2(static_cast<double>(persons) / static_cast<double>(with));
}

double Coverage(std::span<const uint64_t> exposures) {
  if (exposures.empty()) return 0;
  const auto shown = std::count_if(exposures.begin(), exposures.end(),
                                   [](uint64_t exposure) { return exposure > 0; });
  return static_cast<double>(shown) / static_cast<double>(exposures.size());
}

double Gini(std::span<const uint64_t> exposures) {
  std::vector<uint64_t> ascending(exposures.begin(), exposures.end());
  std::sort(ascending.begin(), ascending.end());
  const auto n = static_cast<double>(ascending.size());
  double sum = 0;
  double weighted = 0;
  for (size_t i = 0; i < ascending.size(); ++i) {
    const auto exposure = static_cast<double>(ascending[i]);
    sum += exposure;
    weighted += (2 * static_cast<double>(i + 1) - n - 1) * exposure;
  }
  return sum == 0 ? 0 : weighted / (n * sum);
}

}  // namespace vitrine
