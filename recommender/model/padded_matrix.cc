#include "recommender/model/padded_matrix.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <sys/mman.h>

#include "recommender/model/kernels/kernels.h"

namespace vitrine {
namespace {

size_t RoundUp(size_t size, size_t step) { return (size + step - 1) / step * step; }

}  // namespace

AlignedFloats::AlignedFloats(size_t size) {
  constexpr size_t kLine = 64;
  constexpr size_t kHugePage = size_t{2} << 20;
  const size_t alignment = size * sizeof(float) < kHugePage ? kLine : kHugePage;
  const size_t bytes = RoundUp(std::max<size_t>(size, 1) * sizeof(float), alignment);
  data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
  if (data_ == nullptr) throw std::bad_alloc();
  if (alignment == kHugePage) madvise(data_.get(), bytes, MADV_HUGEPAGE);  // a wish
  std::memset(data_.get(), 0, bytes);
}

PaddedMatrix::PaddedMatrix(size_t rows, size_t columns)
    : rows_(rows), columns_(columns), width_(RoundUp(columns, kWidthStep)), stride_(width_) {
  // Rows that lie a multiple of 512 bytes apart would share a few sets of the first-level cache.
  if (stride_ % 128 == 0) stride_ += kWidthStep;
  data_ = AlignedFloats(RoundUp(rows, kRowStep) * stride_);
}

PaddedMatrix::PaddedMatrix(const FactorView& factors)
    : PaddedMatrix(static_cast<size_t>(factors.rows()), static_cast<size_t>(factors.cols())) {
  for (size_t r = 0; r < rows_; ++r) {
    std::copy_n(factors.data() + r * columns_, columns_, row(r));
  }
}

FactorMatrix PaddedMatrix::Unpadded() const {
  FactorMatrix factors(static_cast<Eigen::Index>(rows_), static_cast<Eigen::Index>(columns_));
  for (size_t r = 0; r < rows_; ++r) {
    std::copy_n(row(r), columns_, factors.data() + r * columns_);
  }
  return factors;
}

}  // namespace vitrine
