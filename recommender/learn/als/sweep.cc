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

// Batches that a thread takes at a time.
constexpr size_t kBatches = 4;
// Up to here, an exact solution takes no longer than three conjugate gradients.
constexpr size_t kGradientCellsMin = 32;

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
  const size_t least_improved = LeastImproved(settings);
  const auto improved = static_cast<size_t>(
      std::ranges::partition_point(
          order, [&](uint32_t r) { return rows.row(r).size() >= least_improved; }) -
      order.begin());
  if (improved > 0) {
    RotateRows(eigen.basis, std::span(order).first(improved), settings.threads, solved);
  }
  const size_t batch_rows = BestKernels().lanes;
  Chunks chunks(rows.rows(), kBatches * batch_rows);
  RunOnThreads(settings.threads, [&] {
    RowScratch scratch;
    RowSolver solver(side, settings, &scratch);
    std::vector<std::span<const Cell>> batch;
    std::vector<float*> out;
    while (const auto chunk = chunks.Next()) {
      for (size_t begin = chunk->begin; begin < chunk->end; begin += batch_rows) {
        const size_t end = std::min(begin + batch_rows, chunk->end);
        batch.clear();
        out.clear();
        for (size_t i = begin; i < end; ++i) {
          if (i < improved) {
            Improve(rows.row(order[i]), settings, &solver, solved->row(order[i]));
            continue;
          }
          batch.push_back(rows.row(order[i]));
          out.push_back(solved->row(order[i]));
          if (i + batch_rows < order.size()) {
            __builtin_prefetch(rows.row(order[i + batch_rows]).data());
          }
        }
        if (!batch.empty()) solver.SolveBatch(batch, out);
      }
    }
  });
}

}  // namespace vitrine
