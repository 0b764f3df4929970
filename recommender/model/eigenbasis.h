// The basis in which the Gramian of one side's factors is diagonal. A rotation of both sides
// changes no score, and in this basis the system of every row of the other side is diagonal plus
// what its own few cells say (kernels/kernels.h).

#ifndef VITRINE_RECOMMENDER_MODEL_EIGENBASIS_H_
#define VITRINE_RECOMMENDER_MODEL_EIGENBASIS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "Eigen/Core"

#include "recommender/model/padded_matrix.h"

namespace vitrine {

// The Gramian is basis * diag(spectrum) * basis^T.
struct Eigenbasis {
  Eigen::MatrixXd basis;        // d x d, orthonormal columns
  std::vector<float> spectrum;  // eigenvalues, none negative; filled up with zeros to the width
};

// rows^T rows of `count` rows of `columns` floats, `stride` apart; what lies between `columns` and
// the next multiple of kWidthStep, at most `stride`, must be zero. In double (sums of floats over
// some hundred rows, then of doubles); the same bits whatever the number of threads (0: one per
// core). O(count * columns^2).
Eigen::MatrixXd PaddedGramian(const float* rows, size_t count, size_t stride, size_t columns,
                              uint32_t threads);

// If `gramian` holds what is no finite number, so does the result. O(d^3), one thread.
Eigenbasis Diagonalize(const Eigen::MatrixXd& gramian, size_t width);

// factors <- factors * basis. O(rows * d^2).
void Rotate(const Eigen::MatrixXd& basis, uint32_t threads, PaddedMatrix* factors);
// The same for the rows named in `rows`, each once.
void RotateRows(const Eigen::MatrixXd& basis, std::span<const uint32_t> rows, uint32_t threads,
                PaddedMatrix* factors);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_EIGENBASIS_H_
