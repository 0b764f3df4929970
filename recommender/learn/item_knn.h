// Item-item nearest neighbours by cosine: the control that every learned model has to beat.

#ifndef VITRINE_RECOMMENDER_LEARN_ITEM_KNN_H_
#define VITRINE_RECOMMENDER_LEARN_ITEM_KNN_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "recommender/learn/interactions.h"

namespace vitrine {

// For each product the `neighbours` others with the highest cosine between columns of `by_person`;
// a cell's weight is the cosine. Products that share no person are no neighbours. On `threads`
// threads (0: one per core). O(sum over persons of degree^2).
SparseRows ItemNeighbours(const SparseRows& by_person, size_t neighbours, uint32_t threads);

// Sets scores[j] to the sum over the history's cells of weight * cosine(cell, j), where j is among
// the cell's neighbours.
void ScoreByNeighbours(const SparseRows& item_neighbours, std::span<const Cell> history,
                       std::span<float> scores);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ITEM_KNN_H_
