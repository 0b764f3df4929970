// One row of alternating least squares, exactly: the step that training repeats for every customer
// and product, and that serving runs once to fold a customer in. One place, so the two agree.
//
// Minimises over x:  sum_i w_i (1 - x.y_i)^2 + a0 * x^T G x + reg * |x|^2,
// so (a0 G + sum_i w_i y_i y_i^T + reg I) x = sum_i w_i y_i      (Hu et al. 2008, eq. 4).
//
// In the basis in which G is diagonal (eigenbasis.h) that is a diagonal, which depends on the row
// by its degree only, plus one rank per cell. A row of n cells is then an n x n system if n < d
// (kernels/kernels.h), which is most rows of any shop, and nothing is lost: the solution is the
// same.

#ifndef VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_
#define VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "recommender/model/cell.h"
#include "recommender/model/kernels/kernels.h"
#include "recommender/model/padded_matrix.h"
#include "recommender/model/settings.h"

namespace vitrine {

// Strength of the L2 term for a row of this degree against `other_rows` rows.
float RowRegularization(const AlsSettings& settings, size_t degree, size_t other_rows);

// Cells whose weight is positive and finite: what the loss knows of a row.
size_t CountedCells(std::span<const Cell> row);

// The other side, in the basis in which its Gramian is diagonal. A view.
struct FixedSide {
  const float* rows = nullptr;  // count x stride
  size_t count = 0;
  size_t stride = 0;
  size_t width = 0;                      // d, rounded up to kWidthStep; the rest is zero
  std::span<const float> spectrum = {};  // the diagonal of the Gramian, `width` values
};

FixedSide MakeFixedSide(const PaddedMatrix& rotated, std::span<const float> spectrum);

// The memory that solving works in, kept from one row, and from one solver, to the next; one per
// thread. 60 KB at d=64, 5 MB at d=1024, and 0.7 MB more where rows are solved in batches.
class RowScratch {
 private:
  friend class RowSolver;

  // What is the same for all rows of one degree.
  struct Diagonal {
    size_t degree = SIZE_MAX;
    float least = 0;
    std::vector<float> values;        // D
    std::vector<float> inverse_root;  // D^-1/2
  };

  size_t width_ = 0;
  std::array<Diagonal, kLanesMax> diagonals_;
  std::vector<uint32_t> index_;
  std::vector<float> root_weight_;
  AlignedFloats batch_;
  AlignedFloats single_;
  AlignedFloats gradients_;
  std::vector<float> residual_;
  std::vector<float> target_;
  std::vector<float> unused_out_;
};

// Not thread-safe. O(min(n, d)^2 max(n, d)) a row.
class RowSolver {
 public:
  // `scratch`, and what `side` shows, must outlive the solver; one solver at a time uses a scratch.
  RowSolver(const FixedSide& side, const AlsSettings& settings, RowScratch* scratch,
            const Kernels& kernels = BestKernels());

  // Writes the solution to `out` (width floats). Cells whose weight is not positive and finite are
  // left out; a row without cells is zero, and so is one that doubles cannot solve. Where the
  // condition of a system is such that floats might lose more than a thousandth (weights that are
  // giants, next to no regularization), that row is solved in double.
  // REQUIRES: every cell's index < side.count.
  void Solve(std::span<const Cell> row, float* out);

  // The same for up to batch_rows() rows, which is fastest where they are about equally long. Each
  // row's solution agrees with Solve's to 1e-5 of its length.
  void SolveBatch(std::span<const std::span<const Cell>> rows, std::span<float* const> out);
  size_t batch_rows() const { return kernels_.lanes; }
  // A batch with a longer row is solved row by row.
  static constexpr size_t kBatchCellsMax = 1024;

  // Brings `x` (width floats) nearer to the solution, by settings.cg_steps conjugate gradients; or
  // by one pass over its blocks of settings.block factors, each solved exactly while the others
  // stay. O(n d) a step; O(n d block) a pass.
  void ImproveByGradients(std::span<const Cell> row, float* x);
  void ImproveByBlocks(std::span<const Cell> row, float* x);

 private:
  using Diagonal = RowScratch::Diagonal;

  // Fills index_ and root_weight_ with the cells that count.
  SingleRow Gather(std::span<const Cell> row, float* out);
  const Diagonal& DiagonalOf(size_t degree, size_t slot);
  void SolveTogether(std::span<const std::span<const Cell>> rows, size_t cells,
                     std::span<float* const> out);
  void SolveInDouble(std::span<const Cell> row, float* out) const;
  void Clear(float* out) const;
  bool IsFinite(const float* out) const;

  const FixedSide side_;
  const AlsSettings settings_;
  const Kernels& kernels_;
  RowScratch& scratch_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_ROW_SOLVER_H_
