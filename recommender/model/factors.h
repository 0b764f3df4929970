// Matrices of factors and their Gramian.

#ifndef VITRINE_RECOMMENDER_MODEL_FACTORS_H_
#define VITRINE_RECOMMENDER_MODEL_FACTORS_H_

#include <cstdint>
#include <new>

#include "Eigen/Core"

namespace vitrine {

// Row i belongs to product (or person) i; row-major, so that its factors lie together.
using FactorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Such a matrix that lies somewhere else, row after row: in a FactorMatrix, or in a mapped file.
// Copies of a view look at the same factors. (Not a Ref, which may quietly copy them.)
class FactorView : public Eigen::Map<const FactorMatrix> {
 public:
  FactorView() : Map(nullptr, 0, 0) {}
  FactorView(const float* data, Eigen::Index rows, Eigen::Index columns)
      : Map(data, rows, columns) {}
  FactorView(const FactorMatrix& factors) : Map(factors.data(), factors.rows(), factors.cols()) {}

  FactorView(const FactorView&) = default;
  // Looks at what `other` looks at. (Eigen would copy into what this view looks at.)
  FactorView& operator=(const FactorView& other) {
    return *new (this) FactorView(other.data(), other.rows(), other.cols());
  }
};

// factors^T factors, d x d, summed in double; the same bits whatever the number of threads (0: one
// per core).
FactorMatrix Gramian(const FactorView& factors, uint32_t threads);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_FACTORS_H_
