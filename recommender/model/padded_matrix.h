// Factors as the kernels want them: each row begins at a cache line and ends in zeros, rows are
// filled up with zero rows to a whole tile.

#ifndef VITRINE_RECOMMENDER_MODEL_PADDED_MATRIX_H_
#define VITRINE_RECOMMENDER_MODEL_PADDED_MATRIX_H_

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "recommender/model/factors.h"

namespace vitrine {

// Floats, zeros at first, that begin at a multiple of 64 bytes (of 2 MB, if there are many: the
// system then needs fewer entries to find them).
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size);

  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
};

class PaddedMatrix {
 public:
  PaddedMatrix() = default;
  PaddedMatrix(size_t rows, size_t columns);
  explicit PaddedMatrix(const FactorView& factors);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  size_t width() const { return width_; }    // columns, rounded up to kWidthStep
  size_t stride() const { return stride_; }  // floats from one row to the next
  float* row(size_t r) { return data_.data() + r * stride_; }
  const float* row(size_t r) const { return data_.data() + r * stride_; }

  FactorMatrix Unpadded() const;

 private:
  size_t rows_ = 0;
  size_t columns_ = 0;
  size_t width_ = 0;
  size_t stride_ = 0;
  AlignedFloats data_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_PADDED_MATRIX_H_
