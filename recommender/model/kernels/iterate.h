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

// out += Z^T s with s = sign * Z p + offset: kLanes rows of z at a time, so that they are read once
// from where they lie and once from the first-level cache. `rows` is a multiple of kLanes.
template <int kSign>
VITRINE_INLINE void AddNormal(const float* z, size_t rows, size_t width, const float* p,
                              const float* offset, float* out) {
  for (size_t i = 0; i < rows; i += kLanes, z += kLanes * width) {
    Vec dots[kLanes] = {};
    for (size_t k = 0; k < width; k += kLanes) {
      const Vec right = Load(p + k);
      VITRINE_UNROLL
      for (size_t j = 0; j < kLanes; ++j) dots[j] += Load(z + j * width + k) * right;
    }
    const Vec sums = SumsOf(dots);
    float s[kLanes];
    Store(s, kSign > 0 ? sums : Load(offset + i) - sums);
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
}

VITRINE_INLINE float Dot(const float* a, const float* b, size_t width) {
  Vec sums = {};
  for (size_t k = 0; k < width; k += kLanes) sums += Load(a + k) * Load(b + k);
  return Sum(sums);
}

// z = diag(r) Y D^-1/2, filled up with zero rows; the number of rows.
VITRINE_INLINE size_t PackScaled(const SingleRow& row, float* z, float* roots) {
  const size_t rows = RoundUp(row.cells, kLanes);
  for (size_t i = 0; i < rows; ++i) {
    float* const to = z + i * row.width;
    roots[i] = i < row.cells ? row.root_weight[i] : 0;
    if (i >= row.cells) {
      Clear(to, row.width);
      continue;
    }
    const float* const y = row.fixed + row.index[i] * row.stride;
    const Vec root = All(roots[i]);
    for (size_t k = 0; k < row.width; k += kLanes) {
      Store(to + k, Load(y + k) * root * Load(row.inverse_root + k));
    }
  }
  return rows;
}

void SingleCg(SingleRow* row, size_t steps) {
  const size_t width = row->width;
  float* const z = row->scratch;
  float* const residual = z + RoundUp(row->cells, kLanes) * width;
  float* const direction = residual + width;
  float* const product = direction + width;
  float* const u = product + width;
  float* const roots = u + width;
  const size_t rows = PackScaled(*row, z, roots);
  for (size_t k = 0; k < width; k += kLanes) {
    Store(u + k, Load(row->out + k) / Load(row->inverse_root + k));
    Store(residual + k, -Load(u + k));
  }
  AddNormal<-1>(z, rows, width, u, roots, residual);  // Z^T (r - Z u) - u
  for (size_t k = 0; k < width; k += kLanes) Store(direction + k, Load(residual + k));
  float energy = Dot(residual, residual, width);
  const float enough = 1e-14f * energy;
  for (size_t step = 0; step < steps && energy > enough; ++step) {
    for (size_t k = 0; k < width; k += kLanes) Store(product + k, Load(direction + k));
    AddNormal<1>(z, rows, width, direction, nullptr, product);
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
