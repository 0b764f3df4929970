#include "recommender/learn/als/sweep.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "recommender/model/eigenbasis.h"
#include "recommender/model/parallel.h"
#include "recommender/model/row_solver.h"

namespace vitrine {
namespace {

// Up to here, an exact solution takes no longer than conjugate gradients.
constexpr size_t kGradientCellsMin = 32;
// Of a row that is soon to be solved; the processor sees by itself that a longer one goes on.
constexpr size_t kPrefetchedCells = 64;
constexpr size_t kLineCells = 64 / sizeof(Cell);

// How many of the rows, which come longest first, have as many cells.
size_t CountOfAtLeast(const SparseRows& rows, const std::vector<uint32_t>& order, size_t cells) {
  const auto end =
      std::ranges::partition_point(order, [&](uint32_t r) { return rows.row(r).size() >= cells; });
  return static_cast<size_t>(end - order.begin());
}

// Rows with fewer cells are solved exactly whatever the solver.
size_t LeastImproved(const AlsSettings& settings) {
  switch (settings.solver) {
    case AlsSolver::kExact:
      break;
    case AlsSolver::kConjugateGradient:
      return kGradientCellsMin;
    case AlsSolver::kBlocks:  // of fewer cells, the n x n systems of all blocks are no cheaper
      return settings.block + 1;
  }
  return std::numeric_limits<size_t>::max();
}

void Improve(std::span<const Cell> row, const AlsSettings& settings, RowSolver* solver, float* x) {
  if (settings.solver == AlsSolver::kConjugateGradient) {
    solver->ImproveByGradients(row, x);
  } else {
    solver->ImproveByBlocks(row, x);
  }
}

// What threads take, one after the other: long rows one by one, so that the few that hold most
// cells do not all fall to one thread; then as many as are solved together.
class Portions {
 public:
  Portions(const SparseRows& rows, const std::vector<uint32_t>& order)
      : rows_(rows),
        order_(order),
        long_rows_(CountOfAtLeast(rows, order, RowSolver::kBatchCellsMax + 1)),
        batch_rows_(BestKernels().lanes) {}

  size_t size() const {
    return long_rows_ + (order_.size() - long_rows_ + batch_rows_ - 1) / batch_rows_;
  }

  Chunks::Range Rows(size_t portion) const {
    if (portion < long_rows_) return {portion, portion + 1};
    const size_t begin = long_rows_ + (portion - long_rows_) * batch_rows_;
    return {begin, std::min(begin + batch_rows_, order_.size())};
  }

  // Rows of like length lie far apart: their cells come while the rows before them are solved.
  void Prefetch(size_t portion) const {
    const Chunks::Range range = Rows(portion);
    for (size_t i = range.begin; i < range.end; ++i) {
      const std::span<const Cell> row = rows_.row(order_[i]);
      const size_t cells = std::min(row.size(), kPrefetchedCells);
      for (size_t c = 0; c < cells; c += kLineCells) __builtin_prefetch(row.data() + c);
    }
  }

 private:
  const SparseRows& rows_;
  const std::vector<uint32_t>& order_;
  const size_t long_rows_;
  const size_t batch_rows_;
};

}  // namespace

std::vector<uint32_t> LongestFirst(const SparseRows& rows) {
  std::vector<uint32_t> order(rows.rows());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(
      order, [&](uint32_t a, uint32_t b) { return rows.row(a).size() > rows.row(b).size(); });
  return order;
}

void Sweep(const SparseRows& rows, const std::vector<uint32_t>& order, const AlsSettings& settings,
           PaddedMatrix* fixed, PaddedMatrix* solved) {
  const Eigenbasis eigen = Diagonalize(PaddedGramian(fixed->row(0), fixed->rows(), fixed->stride(),
                                                     fixed->columns(), settings.threads),
                                       fixed->width());
  Rotate(eigen.basis, settings.threads, fixed);
  const FixedSide side = MakeFixedSide(*fixed, eigen.spectrum);
  const size_t improved = CountOfAtLeast(rows, order, LeastImproved(settings));
  if (improved > 0) {
    RotateRows(eigen.basis, std::span(order).first(improved), settings.threads, solved);
  }
  const Portions portions(rows, order);
  Chunks chunks(portions.size(), /*chunk=*/1);
  RunOnThreads(settings.threads, [&] {
    RowScratch scratch;
    RowSolver solver(side, settings, &scratch);
    std::vector<std::span<const Cell>> batch;
    std::vector<float*> out;
    for (auto chunk = chunks.Next(); chunk.has_value();) {
      const Chunks::Range portion = portions.Rows(chunk->begin);
      chunk = chunks.Next();
      if (chunk) portions.Prefetch(chunk->begin);
      batch.clear();
      out.clear();
      for (size_t i = portion.begin; i < portion.end; ++i) {
        if (i < improved) {
          Improve(rows.row(order[i]), settings, &solver, solved->row(order[i]));
          continue;
        }
        batch.push_back(rows.row(order[i]));
        out.push_back(solved->row(order[i]));
      }
      if (!batch.empty()) solver.SolveBatch(batch, out);
    }
  });
}

}  // namespace vitrine
