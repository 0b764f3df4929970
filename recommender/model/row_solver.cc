#include "recommender/model/row_solver.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "Eigen/Cholesky"

namespace vitrine {
namespace {

// Of the matrix that is factorized, at most: its trace over its least possible eigenvalue. Beyond
// it, floats (6e-8) might lose more than a thousandth.
constexpr float kConditionMax = 1e4f;

// False for NaN, too.
bool Counts(const Cell& cell) {
  return cell.weight > 0 && cell.weight <= std::numeric_limits<float>::max();
}

// By the smaller of both systems; whether that was the n x n one.
bool SolveOne(const Kernels& kernels, SingleRow* row) {
  const bool woodbury = (row->cells + kWidthStep - 1) / kWidthStep * kWidthStep <= row->width;
  (woodbury ? kernels.single_woodbury : kernels.single_direct)(row);
  return woodbury;
}

// What is prefetched of a batch: not more than the second-level cache holds beside the systems.
constexpr size_t kPrefetchBytesMax = 512 << 10;
constexpr size_t kLineFloats = 16;

}  // namespace

float RowRegularization(const AlsSettings& settings, size_t degree, size_t other_rows) {
  const float size =
      static_cast<float>(degree) + settings.unobserved_weight * static_cast<float>(other_rows);
  return settings.regularization * std::pow(size, settings.regularization_exponent);
}

size_t CountedCells(std::span<const Cell> row) {
  return static_cast<size_t>(std::ranges::count_if(row, Counts));
}

FixedSide MakeFixedSide(const PaddedMatrix& rotated, std::span<const float> spectrum) {
  return {rotated.row(0), rotated.rows(), rotated.stride(), rotated.width(), spectrum};
}

RowSolver::RowSolver(const FixedSide& side, const AlsSettings& settings, RowScratch* scratch,
                     const Kernels& kernels)
    : side_(side), settings_(settings), kernels_(kernels), scratch_(*scratch) {
  for (Diagonal& diagonal : scratch_.diagonals_) {
    diagonal.degree = SIZE_MAX;
    diagonal.values.resize(side.width);
    diagonal.inverse_root.resize(side.width);
  }
  if (scratch_.width_ == side.width) return;
  scratch_.width_ = side.width;
  scratch_.single_ = AlignedFloats(SingleScratchFloats(side.width));
  scratch_.gradients_ = {};
  scratch_.unused_out_.resize(side.width);
}

const RowSolver::Diagonal& RowSolver::DiagonalOf(size_t degree, size_t slot) {
  Diagonal& diagonal = scratch_.diagonals_[slot];
  if (diagonal.degree == degree) return diagonal;
  diagonal.degree = degree;
  const float regularization = RowRegularization(settings_, degree, side_.count);
  diagonal.least = std::numeric_limits<float>::infinity();
  for (size_t k = 0; k < side_.width; ++k) {
    const float value = settings_.unobserved_weight * side_.spectrum[k] + regularization;
    diagonal.values[k] = value;
    diagonal.inverse_root[k] = 1 / std::sqrt(value);
    diagonal.least = std::min(diagonal.least, value);
  }
  return diagonal;
}

void RowSolver::Clear(float* out) const { std::fill_n(out, side_.width, 0.0f); }

bool RowSolver::IsFinite(const float* out) const {
  bool finite = true;
  for (size_t k = 0; k < side_.width; ++k) {
    finite &= std::abs(out[k]) <= std::numeric_limits<float>::max();
  }
  return finite;
}

SingleRow RowSolver::Gather(std::span<const Cell> row, float* out) {
  scratch_.index_.clear();
  scratch_.root_weight_.clear();
  for (const Cell& cell : row) {
    if (!Counts(cell)) continue;
    scratch_.index_.push_back(cell.index);
    scratch_.root_weight_.push_back(std::sqrt(cell.weight));
  }
  const Diagonal& diagonal = DiagonalOf(scratch_.index_.size(), 0);
  return {.fixed = side_.rows,
          .stride = side_.stride,
          .width = side_.width,
          .cells = scratch_.index_.size(),
          .index = scratch_.index_.data(),
          .root_weight = scratch_.root_weight_.data(),
          .diagonal = diagonal.values.data(),
          .inverse_root = diagonal.inverse_root.data(),
          .out = out,
          .scratch = scratch_.single_.data()};
}

void RowSolver::Solve(std::span<const Cell> row, float* out) {
  SingleRow single = Gather(row, out);
  if (single.cells == 0) return Clear(out);
  const bool woodbury = SolveOne(kernels_, &single);
  const float condition = single.trace / (woodbury ? 1 : DiagonalOf(single.cells, 0).least);
  if (!IsFinite(out) || !(condition <= kConditionMax)) SolveInDouble(row, out);
}

void RowSolver::ImproveByGradients(std::span<const Cell> row, float* x) {
  SingleRow single = Gather(row, x);
  if (single.cells == 0) return Clear(x);
  if (scratch_.gradients_.data() == nullptr) {
    scratch_.gradients_ = AlignedFloats(CgScratchFloats(side_.width));
  }
  single.scratch = scratch_.gradients_.data();
  kernels_.single_cg(&single, settings_.cg_steps);
  if (!IsFinite(x)) SolveInDouble(row, x);
}

void RowSolver::ImproveByBlocks(std::span<const Cell> row, float* x) {
  SingleRow single = Gather(row, x);
  if (single.cells == 0) return Clear(x);
  std::vector<float>& residual = scratch_.residual_;
  std::vector<float>& target = scratch_.target_;
  residual.resize(single.cells);
  target.resize(single.cells);
  kernels_.residuals(single, x, residual.data());
  for (size_t begin = 0; begin < side_.width; begin += settings_.block) {
    SingleRow block = single;
    block.fixed += begin;
    block.width = std::min<size_t>(settings_.block, side_.width - begin);
    block.diagonal += begin;
    block.inverse_root += begin;
    block.out += begin;
    // What this block says is taken out of the residuals, and put back as it then is.
    kernels_.residuals(block, block.out, target.data());
    for (size_t i = 0; i < target.size(); ++i) target[i] = residual[i] + (1 - target[i]);
    block.target = target.data();
    SolveOne(kernels_, &block);
    block.target = nullptr;
    kernels_.residuals(block, block.out, residual.data());
    for (size_t i = 0; i < target.size(); ++i) residual[i] = target[i] - (1 - residual[i]);
  }
  if (!IsFinite(x)) SolveInDouble(row, x);
}

void RowSolver::SolveBatch(std::span<const std::span<const Cell>> rows,
                           std::span<float* const> out) {
  size_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, CountedCells(row));
  // A few rows, or large ones, keep the registers busy by themselves.
  if (longest == 0 || longest > kBatchCellsMax || rows.size() <= kernels_.lanes / 8 ||
      std::min(longest, side_.width) > kBatchSystemMax) {
    for (size_t r = 0; r < rows.size(); ++r) Solve(rows[r], out[r]);
    return;
  }
  SolveTogether(rows, longest, out);
}

void RowSolver::SolveTogether(std::span<const std::span<const Cell>> rows, size_t cells,
                              std::span<float* const> out) {
  const size_t lanes = kernels_.lanes;
  if (scratch_.batch_.data() == nullptr) scratch_.batch_ = AlignedFloats(BatchScratchFloats());
  scratch_.index_.assign(cells * lanes, 0);
  scratch_.root_weight_.assign(cells * lanes, 0);
  RowBatch batch{.fixed = side_.rows,
                 .stride = side_.stride,
                 .width = side_.width,
                 .cells = cells,
                 .index = scratch_.index_.data(),
                 .root_weight = scratch_.root_weight_.data(),
                 .scratch = scratch_.batch_.data()};
  std::array<float, kLanesMax> least = {};
  const size_t bytes = cells * lanes * side_.width * sizeof(float);
  const size_t prefetched = bytes <= kPrefetchBytesMax ? side_.width : 2 * kLineFloats;
  size_t slot = 0;
  for (size_t lane = 0; lane < lanes; ++lane) {
    size_t at = lane;
    if (lane < rows.size()) {
      for (const Cell& cell : rows[lane]) {
        if (!Counts(cell)) continue;
        scratch_.index_[at] = cell.index;
        const float* const y = side_.rows + cell.index * side_.stride;
        for (size_t k = 0; k < prefetched; k += kLineFloats) __builtin_prefetch(y + k);
        scratch_.root_weight_[at] = cell.weight;
        at += lanes;
      }
    }
    const size_t degree = at / lanes;
    if (lane > 0 && scratch_.diagonals_[slot].degree != degree) ++slot;
    const Diagonal& diagonal = DiagonalOf(degree, slot);
    batch.diagonal[lane] = diagonal.values.data();
    batch.inverse_root[lane] = diagonal.inverse_root.data();
    least[lane] = diagonal.least;
    batch.out[lane] = lane < rows.size() ? out[lane] : scratch_.unused_out_.data();
  }
  for (float& weight : scratch_.root_weight_) weight = std::sqrt(weight);
  const bool woodbury = cells <= side_.width;
  (woodbury ? kernels_.batch_woodbury : kernels_.batch_direct)(&batch);
  for (size_t lane = 0; lane < rows.size(); ++lane) {
    const float condition = batch.trace[lane] / (woodbury ? 1 : least[lane]);
    if (!IsFinite(out[lane]) || !(condition <= kConditionMax)) {
      SolveInDouble(rows[lane], out[lane]);
    }
  }
}

void RowSolver::SolveInDouble(std::span<const Cell> row, float* out) const {
  const auto width = static_cast<Eigen::Index>(side_.width);
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(width, width);
  Eigen::VectorXd x = Eigen::VectorXd::Zero(width);
  const float regularization = RowRegularization(settings_, CountedCells(row), side_.count);
  for (size_t k = 0; k < side_.width; ++k) {
    const auto i = static_cast<Eigen::Index>(k);
    system(i, i) =
        static_cast<double>(settings_.unobserved_weight) * side_.spectrum[k] + regularization;
  }
  for (const Cell& cell : row) {
    if (!Counts(cell)) continue;
    const Eigen::VectorXd y =
        Eigen::Map<const Eigen::VectorXf>(side_.rows + cell.index * side_.stride, width)
            .cast<double>();
    system.selfadjointView<Eigen::Lower>().rankUpdate(y, cell.weight);
    x += static_cast<double>(cell.weight) * y;
  }
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> cholesky(system);  // in place
  cholesky.solveInPlace(x);
  Eigen::Map<Eigen::VectorXf> solution(out, width);
  solution = x.cast<float>();
  if (cholesky.info() != Eigen::Success || !solution.allFinite()) solution.setZero();
}

}  // namespace vitrine
