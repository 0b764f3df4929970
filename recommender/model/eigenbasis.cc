#include "recommender/model/eigenbasis.h"

#include <algorithm>
#include <cstring>

#include "Eigen/Eigenvalues"

#include "recommender/model/kernels/kernels.h"
#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

// Sums of floats depend on how they are grouped, so the groups must not depend on the threads.
constexpr size_t kSlicesMax = 32;
constexpr size_t kSliceRowsMin = 512;
constexpr size_t kFloatSumRows = 512;  // then the sum goes on in double

}  // namespace

Eigen::MatrixXd PaddedGramian(const float* rows, size_t count, size_t stride, size_t columns,
                              uint32_t threads) {
  const Kernels& kernels = BestKernels();
  const size_t m = (columns + kWidthStep - 1) / kWidthStep * kWidthStep;
  const auto d = static_cast<Eigen::Index>(columns);
  const size_t slice_rows = std::max(kSliceRowsMin, (count + kSlicesMax - 1) / kSlicesMax);
  const size_t slice_count = (count + slice_rows - 1) / slice_rows;
  std::vector<Eigen::MatrixXd> sums(slice_count);
  Chunks slices(slice_count, /*chunk=*/1);
  RunOnThreads(threads, [&] {
    const AlignedFloats part(m * m);
    const Eigen::Map<const FactorMatrix, 0, Eigen::OuterStride<>> corner(
        part.data(), d, d, Eigen::OuterStride<>(static_cast<Eigen::Index>(m)));
    while (const auto slice = slices.Next()) {
      const size_t begin = slice->begin * slice_rows;
      const size_t end = std::min(begin + slice_rows, count);
      Eigen::MatrixXd& sum = sums[slice->begin];
      sum = Eigen::MatrixXd::Zero(d, d);
      for (size_t r = begin; r < end; r += kFloatSumRows) {
        std::memset(part.data(), 0, m * m * sizeof(float));
        kernels.add_gramian(rows + r * stride, std::min(kFloatSumRows, end - r), stride, m,
                            part.data(), m);
        sum += corner.cast<double>();
      }
    }
  });
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(d, d);
  for (const Eigen::MatrixXd& sum : sums) total += sum;
  return total.selfadjointView<Eigen::Upper>();
}

Eigenbasis Diagonalize(const Eigen::MatrixXd& gramian, size_t width) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gramian);
  Eigenbasis out;
  out.basis = solver.eigenvectors();
  out.spectrum.assign(width, 0);
  for (Eigen::Index i = 0; i < gramian.cols(); ++i) {
    // What is negative is a rounding error. (NaN stays.)
    const auto value = static_cast<float>(solver.eigenvalues()[i]);
    out.spectrum[static_cast<size_t>(i)] = value < 0 ? 0 : value;
  }
  return out;
}

namespace {

constexpr size_t kRotatedRows = 128;  // at a time

AlignedFloats PackedBasis(const Eigen::MatrixXd& basis, size_t width) {
  const auto m = static_cast<Eigen::Index>(width);
  FactorMatrix padded = FactorMatrix::Zero(m, m);
  padded.topLeftCorner(basis.rows(), basis.cols()) = basis.cast<float>();
  AlignedFloats packed(width * width);
  BestKernels().pack(padded.data(), width, packed.data());
  return packed;
}

}  // namespace

void Rotate(const Eigen::MatrixXd& basis, uint32_t threads, PaddedMatrix* factors) {
  const size_t stride = factors->stride();
  const AlignedFloats packed = PackedBasis(basis, factors->width());
  Chunks chunks(factors->rows(), kRotatedRows);
  RunOnThreads(threads, [&] {
    const AlignedFloats rotated(kRotatedRows * stride);
    while (const auto chunk = chunks.Next()) {
      const size_t count = (chunk->end - chunk->begin + kRowStep - 1) / kRowStep * kRowStep;
      float* const rows = factors->row(chunk->begin);
      BestKernels().multiply(rows, count, stride, packed.data(), factors->width(), rotated.data(),
                             stride);
      std::memcpy(rows, rotated.data(), count * stride * sizeof(float));
    }
  });
}

void RotateRows(const Eigen::MatrixXd& basis, std::span<const uint32_t> rows, uint32_t threads,
                PaddedMatrix* factors) {
  const size_t stride = factors->stride();
  const AlignedFloats packed = PackedBasis(basis, factors->width());
  Chunks chunks(rows.size(), kRotatedRows);
  RunOnThreads(threads, [&] {
    const AlignedFloats gathered(kRotatedRows * stride);
    const AlignedFloats rotated(kRotatedRows * stride);
    while (const auto chunk = chunks.Next()) {
      const std::span<const uint32_t> some = rows.subspan(chunk->begin, chunk->end - chunk->begin);
      for (size_t i = 0; i < some.size(); ++i) {
        std::memcpy(gathered.data() + i * stride, factors->row(some[i]), stride * sizeof(float));
      }
      BestKernels().multiply(gathered.data(), (some.size() + kRowStep - 1) / kRowStep * kRowStep,
                             stride, packed.data(), factors->width(), rotated.data(), stride);
      for (size_t i = 0; i < some.size(); ++i) {
        std::memcpy(factors->row(some[i]), rotated.data() + i * stride, stride * sizeof(float));
      }
    }
  });
}

}  // namespace vitrine
