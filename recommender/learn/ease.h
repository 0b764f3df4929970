// EASE: the weights with which what a person has predicts a product they do not have yet (Steck
// 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", arXiv 1905.03375, eq. 8):
//
//   P = (R^T R + D)^-1,   B[i][j] = -P[i][j] / P[j][j],   B[j][j] = 0,
//
// R being persons x products and D = regularization * I + dropout / (1 - dropout) * diag(R^T R).
// The second term is what training with so much of the input dropped comes to (Steck 2020,
// "Autoencoders that don't overfit towards the Identity"). The score of product j for a person with
// row x is x B[.][j].
//
// For catalogues up to some 50,000 products, offline. The textbook inverts a dense matrix of
// products x products (6.7 GB for 41,000 products, and 40,000 times as much arithmetic as a sparse
// product). Here column after column of P is solved by conjugate gradients, sixteen at a time, R
// read in both orientations for each step; of each column only the strongest weights stay.

#ifndef VITRINE_RECOMMENDER_LEARN_EASE_H_
#define VITRINE_RECOMMENDER_LEARN_EASE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "recommender/learn/interactions.h"

namespace vitrine {

struct EaseSettings {
  float regularization = 200;  // above 0
  float dropout = 0;           // share of the input, in [0, 1)
  size_t weights = 200;        // kept per product predicted: the largest, whatever their sign
  float tolerance = 1e-3f;     // of a residual's length in units of D + diag(R^T R), to the first
  uint32_t steps_max = 200;    // of conjugate gradients
  uint32_t threads = 0;        // 0: one per core. The result does not depend on it.
  // Hears how many products are done; may be empty. Called from all threads.
  std::function<void(size_t done, size_t products)> on_progress = {};
};

// Products x products: row i holds B[i][.], what having i says about others. The Gramian's
// condition rules the number of steps: tens. O(products * cells * steps) time; beside the result
// (twice, 8 bytes a weight) 8 bytes a cell and, for a thread, 64 for a person and 256 for a
// product. REQUIRES: settings in their ranges; every weight of `rows` finite.
SparseRows LearnEase(const SparseRows& rows, const EaseSettings& settings);

// Sets scores[j] to the sum over the history's cells of weight * B[cell's product][j].
void ScoreByWeights(const SparseRows& weights, std::span<const Cell> history,
                    std::span<float> scores);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_EASE_H_
