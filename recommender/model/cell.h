// What events say about taste, as cells of the interaction matrix. One place, so that training and
// serving weigh a history alike.

#ifndef VITRINE_RECOMMENDER_MODEL_CELL_H_
#define VITRINE_RECOMMENDER_MODEL_CELL_H_

#include <cstdint>
#include <vector>

#include "recommender/model/settings.h"

namespace vitrine {

// One non-zero of a row: the other side's index and the cell's weight.
struct Cell {
  uint32_t index = 0;
  float weight = 0;

  bool operator==(const Cell&) const = default;
};

// However old it is, an event keeps this share of its weight. Without it, one event whose clock is
// years ahead of all others (or the first live event after an old file) would take the weight out
// of everything that is known, and subnormal numbers would make training ten times slower. With
// much less (1/32), the model knows little more than popularity.
inline constexpr double kFadedShareMin = 1.0 / 4;

// weight(kind) * max(2^(-age / half_life), kFadedShareMin), for an event `age_ms` old (negative
// ages count as 0).
float EventWeight(const WeightSettings& weights, EventKind kind, int64_t age_ms);

// Makes a row of what single events said: orders by index, adds up the cells of one index, at most
// `cell_weight_max`. The result does not depend on the order of the cells. O(n log n).
void MergeCells(float cell_weight_max, std::vector<Cell>* cells);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_CELL_H_
