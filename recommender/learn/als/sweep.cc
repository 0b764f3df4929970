#include "recommender/learn/als/sweep.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "recommender/model/eigenbasis.h"
#include "recommender/model/parallel.h"
#include "recommender/model/row_solver.h"

namespace vitrine {

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
  Chunks batches(rows.rows(), BestKernels().lanes);
  RunOnThreads(settings.threads, [&] {
    RowScratch scratch;
    RowSolver solver(side, settings, &scratch);
    std::vector<std::span<const Cell>> batch;
    std::vector<float*> out;
    while (const auto chunk = batches.Next()) {
      batch.clear();
      out.clear();
      for (size_t i = chunk->begin; i < chunk->end; ++i) {
        batch.push_back(rows.row(order[i]));
        out.push_back(solved->row(order[i]));
      }
      solver.SolveBatch(batch, out);
    }
  });
}

}  // namespace vitrine
