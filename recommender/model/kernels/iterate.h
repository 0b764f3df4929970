// Steps towards the solution of one row, without its matrix: conjugate gradients (Hestenes, Stiefel
// 1952; for iALS Takacs, Pilaszy, Tikk 2011), in the variables u = D^1/2 x, in which the system is
// (I + Z^T Z) u = Z^T r. As vector.h, for the kernels only.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_ITERATE_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_ITERATE_H_

#include "recommender/model/kernels/single.h"

namespace vitrine {
namespace {

// Lane i of the result is the sum of v[i].
VITRINE_INLINE Vec SumsOf(Vec (&v)[kLanes]) {
  VITRINE_UNROLL
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    VITRINE_UNROLL
    for (size_t i = 0; i < half; ++i) v[i] = ZipLow(v[i], v[i + half]) + ZipHigh(v[i], v[i + half]);
  }
  return v[0];
}

// out += Z^T s with s = sign * Z p + offset, of kLanes rows of z, which are read once from where
// they lie and once from the first-level cache.
template <int kSign>
VITRINE_INLINE void AddNormalBlock(const float* z, size_t width, const float* p,
                                   const float* offset, float* out) {
  Vec dots[kLanes] = {};
  for (size_t k = 0; k < width; k += kLanes) {
    const Vec right = Load(p + k);
    VITRINE_UNROLL
    for (size_t j = 0; j < kLanes; ++j) dots[j] += Load(z + j * width + k) * right;
  }
  const Vec sums = SumsOf(dots);
  float s[kLanes];
  Store(s, kSign > 0 ? sums : Load(offset) - sums);
  Vec by[kLanes];
  VITRINE_UNROLL
  for (size_t j = 0; j < kLanes; ++j) by[j] = All(s[j]);
  for (size_t k = 0; k < width; k += kLanes) {
    Vec even = Load(out + k);
    Vec odd = {};
    VITRINE_UNROLL
    for (size_t j = 0; j < kLanes; j += 2) {
      even += by[j] * Load(z + j * width + k);
      odd += by[j + 1] * Load(z + (j + 1) * width + k);
    }
    Store(out + k, even + odd);
  }
}

VITRINE_INLINE float Dot(const float* a, const float* b, size_t width) {
  Vec sums = {};
  for (size_t k = 0; k < width; k += kLanes) sums += Load(a + k) * Load(b + k);
  return Sum(sums);
}

// z = diag(r) Y D^-1/2 of the cells [first, first + kLanes), beyond the last of which rows are
// zero.
VITRINE_INLINE void PackScaled(const SingleRow& row, size_t first, float* z, float* roots) {
  for (size_t i = first; i < first + kLanes; ++i, z += row.width, ++roots) {
    *roots = i < row.cells ? row.root_weight[i] : 0;
    if (i >= row.cells) {
      Clear(z, row.width);
      continue;
    }
    const float* const y = row.fixed + row.index[i] * row.stride;
    const Vec root = All(*roots);
    for (size_t k = 0; k < row.width; k += kLanes) {
      Store(z + k, Load(y + k) * root * Load(row.inverse_root + k));
    }
  }
}

void SingleCg(SingleRow* row, size_t steps) {
  const size_t width = row->width;
  const size_t rows = RoundUp(row->cells, kLanes);
  float* const z = row->scratch;
  const size_t kept = kCgKeptFloats / width / kLanes * kLanes;  // rows of z; others are made again
  float roots[kLanes];
  float* const residual = z + (kept + kLanes) * width;
  float* const direction = residual + width;
  float* const product = direction + width;
  float* const u = product + width;
  for (size_t k = 0; k < width; k += kLanes) {
    Store(u + k, Load(row->out + k) / Load(row->inverse_root + k));
    Store(residual + k, -Load(u + k));
  }
  for (size_t i = 0; i < rows; i += kLanes) {  // residual = Z^T (r - Z u) - u
    float* const block = z + (i < kept ? i : kept) * width;
    PackScaled(*row, i, block, roots);
    AddNormalBlock<-1>(block, width, u, roots, residual);
  }
  for (size_t k = 0; k < width; k += kLanes) Store(direction + k, Load(residual + k));
  float energy = Dot(residual, residual, width);
  const float enough = 1e-14f * energy;
  for (size_t step = 0; step < steps && energy > enough; ++step) {
    for (size_t k = 0; k < width; k += kLanes) Store(product + k, Load(direction + k));
    for (size_t i = 0; i < rows; i += kLanes) {
      float* const block = z + (i < kept ? i : kept) * width;
      if (i >= kept) PackScaled(*row, i, block, roots);
      AddNormalBlock<1>(block, width, direction, nullptr, product);
    }
    const float alpha = energy / Dot(direction, product, width);
    for (size_t k = 0; k < width; k += kLanes) {
      Store(u + k, Load(u + k) + All(alpha) * Load(direction + k));
      Store(residual + k, Load(residual + k) - All(alpha) * Load(product + k));
    }
    const float next = Dot(residual, residual, width);
    const Vec beta = All(next / energy);
    energy = next;
    for (size_t k = 0; k < width; k += kLanes) {
      Store(direction + k, Load(residual + k) + beta * Load(direction + k));
    }
  }
  for (size_t k = 0; k < width; k += kLanes) {
    Store(row->out + k, Load(u + k) * Load(row->inverse_root + k));
  }
}

void Residuals(const SingleRow& row, const float* x, float* target) {
  for (size_t i = 0; i < row.cells; ++i) {
    target[i] = 1 - Dot(row.fixed + row.index[i] * row.stride, x, row.width);
  }
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_ITERATE_H_
