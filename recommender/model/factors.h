// Matrices of factors and their Gramian.

#ifndef VITRINE_RECOMMENDER_MODEL_FACTORS_H_
#define VITRINE_RECOMMENDER_MODEL_FACTORS_H_

#include <cstdint>

#include "Eigen/Core"

namespace vitrine {

// Row i belongs to product (or person) i; row-major, so that its factors lie together.
using FactorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// factors^T factors, d x d, summed in double; the same bits whatever the number of threads (0: one
// per core).
FactorMatrix Gramian(const FactorMatrix& factors, uint32_t threads);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_FACTORS_H_
