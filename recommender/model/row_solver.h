// One row of alternating least squares, exactly: the step that training repeats for every customer
// and product, and that serving runs once to fold a customer in. One place, so the two agree.
//
// Minimises over x:  sum_i w_i (1 - x.y_i)^2 + a0 * x^T G x + reg * |x|^2,
// so (a0 G + sum_i w_i y_i y_i^T + reg I) x = sum_i w_i y_i      (Hu et al. 2008, eq. 4).

#ifndef VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_
#define VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_

#include <cstdint>
#include <span>

#include "Eigen/Core"

#include "recommender/model/cell.h"
#include "recommender/model/factors.h"
#include "recommender/model/settings.h"

namespace vitrine {

// Strength of the L2 term for a row of this degree against `other_rows` rows.
float RowRegularization(const AlsSettings& settings, size_t degree, size_t other_rows);

// Keeps the d x d scratch, so that solving allocates nothing; one per thread. O(n d^2 + d^3).
class RowSolver {
 public:
  // `gramian` is Gramian(other); `other` (rows x d) must outlive the solver.
  RowSolver(const FactorMatrix& other, const FactorMatrix& gramian, const AlsSettings& settings);

  // Writes the solution to `out` (d floats). Cells whose weight is not positive and finite are
  // left out; a row without cells is zero, and so is one that floats cannot solve.
  // REQUIRES: every cell's index < other.rows().
  void Solve(std::span<const Cell> row, float* out);

 private:
  // Adds at most kBatchCells cells to the normal equations; the number that counted.
  size_t AddBatch(std::span<const Cell> cells, Eigen::Map<Eigen::VectorXf>* right_side);

  const FactorMatrix& other_;
  const AlsSettings settings_;
  Eigen::MatrixXf base_;    // unobserved_weight * gramian
  Eigen::MatrixXf system_;  // lower triangle of the row's normal equations
  Eigen::MatrixXf batch_;   // gathered, weighted factor rows
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_
