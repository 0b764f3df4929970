#include "recommender/model/factors.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

// Sums of floats depend on how they are grouped, so the groups must not depend on the threads:
// the rows are always cut into this many slices.
constexpr Eigen::Index kSlices = 32;

}  // namespace

FactorMatrix Gramian(const FactorMatrix& factors, uint32_t threads) {
  const Eigen::Index d = factors.cols();
  const Eigen::Index slice_rows = (factors.rows() + kSlices - 1) / kSlices;
  std::vector<Eigen::MatrixXf> sums(kSlices);
  Chunks slices(kSlices, /*chunk=*/1);
  RunOnThreads(threads, [&] {
    while (const auto slice = slices.Next()) {
      const auto s = static_cast<Eigen::Index>(slice->begin);
      const Eigen::Index begin = std::min(s * slice_rows, factors.rows());
      const Eigen::Index end = std::min(begin + slice_rows, factors.rows());
      Eigen::MatrixXf& sum = sums[slice->begin];
      sum = Eigen::MatrixXf::Zero(d, d);
      if (begin == end) continue;  // Eigen divides by the number of rows
      sum.selfadjointView<Eigen::Lower>().rankUpdate(
          factors.middleRows(begin, end - begin).transpose());
    }
  });
  for (size_t s = 1; s < sums.size(); ++s) sums[0] += sums[s];
  return sums[0].selfadjointView<Eigen::Lower>();
}

}  // namespace vitrine
