#include "recommender/model/row_solver.h"

#include <algorithm>
#include <cmath>

#include "Eigen/Cholesky"

namespace vitrine {
namespace {

// Cells gathered into one dense block for a rank-k update: enough for its kernel to run at full
// speed, little enough to stay in the first-level caches.
constexpr size_t kBatchCells = 128;

}  // namespace

float RowRegularization(const AlsSettings& settings, size_t degree, size_t other_rows) {
  const float size =
      static_cast<float>(degree) + settings.unobserved_weight * static_cast<float>(other_rows);
  return settings.regularization * std::pow(size, settings.regularization_exponent);
}

RowSolver::RowSolver(const FactorMatrix& other, const FactorMatrix& gramian,
                     const AlsSettings& settings)
    : other_(other),
      settings_(settings),
      base_(settings.unobserved_weight * gramian),
      system_(other.cols(), other.cols()),
      batch_(other.cols(), kBatchCells) {}

size_t RowSolver::AddBatch(std::span<const Cell> cells, Eigen::Map<Eigen::VectorXf>* right_side) {
  Eigen::Index counted = 0;
  for (const Cell& cell : cells) {
    if (!(cell.weight > 0) || !std::isfinite(cell.weight)) continue;
    const float root = std::sqrt(cell.weight);
    auto column = batch_.col(counted++);
    column = root * other_.row(cell.index).transpose();
    *right_side += root * column;
  }
  if (counted == 0) return 0;  // Eigen would divide by it
  system_.selfadjointView<Eigen::Lower>().rankUpdate(batch_.leftCols(counted));
  return static_cast<size_t>(counted);
}

void RowSolver::Solve(std::span<const Cell> row, float* out) {
  Eigen::Map<Eigen::VectorXf> x(out, other_.cols());
  x.setZero();
  system_ = base_;
  size_t degree = 0;
  for (size_t begin = 0; begin < row.size(); begin += kBatchCells) {
    degree += AddBatch(row.subspan(begin, std::min(kBatchCells, row.size() - begin)), &x);
  }
  if (degree == 0) return;
  system_.diagonal().array() +=
      RowRegularization(settings_, degree, static_cast<size_t>(other_.rows()));
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> cholesky(system_);  // in place
  cholesky.solveInPlace(x);
  if (cholesky.info() != Eigen::Success || !x.allFinite()) x.setZero();
}

}  // namespace vitrine
