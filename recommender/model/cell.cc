#include "recommender/model/cell.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace vitrine {

float EventWeight(const WeightSettings& weights, EventKind kind, int64_t age_ms) {
  constexpr double kDayMs = 24.0 * 60 * 60 * 1000;
  const float fresh = weights.Of(kind);
  if (fresh <= 0 || age_ms <= 0) return fresh;
  const double half_lives = static_cast<double>(age_ms) / (weights.half_life_days * kDayMs);
  return fresh * static_cast<float>(std::max(std::exp2(-half_lives), kFadedShareMin));
}

void MergeCells(float cell_weight_max, std::vector<Cell>* cells) {
  // By weight too: the sum of floats depends on their order.
  std::sort(cells->begin(), cells->end(), [](const Cell& a, const Cell& b) {
    return std::tie(a.index, a.weight) < std::tie(b.index, b.weight);
  });
  size_t kept = 0;
  for (size_t i = 0; i < cells->size();) {
    Cell sum = (*cells)[i++];
    while (i < cells->size() && (*cells)[i].index == sum.index) sum.weight += (*cells)[i++].weight;
    sum.weight = std::min(sum.weight, cell_weight_max);
    (*cells)[kept++] = sum;
  }
  cells->resize(kept);
}

}  // namespace vitrine
