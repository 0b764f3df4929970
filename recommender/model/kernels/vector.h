// Registers of floats, and what is done with them, in the compilers' own vector types: one source
// for every width. Included by the kernels only, each of which is compiled with flags of its own:
// everything here has internal linkage, and nothing may include a header that brings inline
// functions of its own (the linker would keep one of their copies, for the wrong processor).
//
// REQUIRES: VITRINE_KERNEL_LANES is defined: floats in a register.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_VECTOR_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_VECTOR_H_

#include <cstddef>
#include <cstdint>

#include "recommender/model/kernels/kernels.h"

#define VITRINE_INLINE static inline __attribute__((always_inline))
#define VITRINE_UNROLL _Pragma("GCC unroll 16")

namespace vitrine {
namespace {

constexpr size_t kLanes = VITRINE_KERNEL_LANES;

typedef float Vec __attribute__((vector_size(4 * VITRINE_KERNEL_LANES), may_alias));
typedef float LooseVec
    __attribute__((vector_size(4 * VITRINE_KERNEL_LANES), may_alias, aligned(4)));

VITRINE_INLINE Vec Load(const float* p) { return *reinterpret_cast<const LooseVec*>(p); }
VITRINE_INLINE void Store(float* p, Vec v) { *reinterpret_cast<LooseVec*>(p) = v; }
VITRINE_INLINE Vec All(float value) { return value - Vec{}; }

VITRINE_INLINE float Sum(Vec v) {
  float sum[kLanes];
  Store(sum, v);
  for (size_t width = kLanes / 2; width > 0; width /= 2) {
    for (size_t i = 0; i < width; ++i) sum[i] += sum[i + width];
  }
  return sum[0];
}

VITRINE_INLINE Vec SquareRoot(Vec v) {
  float values[kLanes];
  Store(values, v);
  for (float& value : values) value = __builtin_sqrtf(value);
  return Load(values);
}

// First or second half of a and b, interleaved.
#if VITRINE_KERNEL_LANES == 16
VITRINE_INLINE Vec ZipLow(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
VITRINE_INLINE Vec ZipHigh(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                 31);
}
#elif VITRINE_KERNEL_LANES == 8
VITRINE_INLINE Vec ZipLow(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
VITRINE_INLINE Vec ZipHigh(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
#else
VITRINE_INLINE Vec ZipLow(Vec a, Vec b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
VITRINE_INLINE Vec ZipHigh(Vec a, Vec b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// Rows become columns: a perfect shuffle of the whole block for each bit of the lane.
VITRINE_INLINE void Transpose(Vec (&v)[kLanes]) {
  VITRINE_UNROLL
  for (size_t bit = 1; bit < kLanes; bit *= 2) {
    Vec shuffled[kLanes];
    VITRINE_UNROLL
    for (size_t i = 0; i < kLanes / 2; ++i) {
      shuffled[2 * i] = ZipLow(v[i], v[i + kLanes / 2]);
      shuffled[2 * i + 1] = ZipHigh(v[i], v[i + kLanes / 2]);
    }
    VITRINE_UNROLL
    for (size_t i = 0; i < kLanes; ++i) v[i] = shuffled[i];
  }
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_VECTOR_H_
