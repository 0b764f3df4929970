// Products of dense matrices, and Cholesky of one matrix, from one register tile.
// As vector.h, for the kernels only.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_DENSE_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_DENSE_H_

#include "recommender/model/kernels/vector.h"

namespace vitrine {
namespace {

// A tile of kTileRows x (kTileVectors registers): as many sums as the registers hold beside what is
// being multiplied, so that a sum costs less than half a load.
constexpr size_t kTileRows = kLanes == 16 ? 8 : 4;
constexpr size_t kTileVectors = 3;
static_assert(kRowStep % kTileRows == 0 && kWidthStep % kLanes == 0);

// sums[i][j] = sum over k of a[i * a_row + k * a_step] * b[k * b_stride + j].
template <size_t kVectors>
VITRINE_INLINE void TileSums(const float* a, size_t a_row, size_t a_step, const float* b,
                             size_t b_stride, size_t count, Vec (&sums)[kTileRows][kVectors]) {
  VITRINE_UNROLL
  for (size_t i = 0; i < kTileRows; ++i) {
    VITRINE_UNROLL
    for (size_t j = 0; j < kVectors; ++j) sums[i][j] = Vec{};
  }
  for (size_t k = 0; k < count; ++k, a += a_step, b += b_stride) {
    Vec right[kVectors];
    VITRINE_UNROLL
    for (size_t j = 0; j < kVectors; ++j) right[j] = Load(b + j * kLanes);
    VITRINE_UNROLL
    for (size_t i = 0; i < kTileRows; ++i) {
      const Vec left = All(a[i * a_row]);
      VITRINE_UNROLL
      for (size_t j = 0; j < kVectors; ++j) sums[i][j] += left * right[j];
    }
  }
}

// c += sign * tile.
template <size_t kVectors, int kSign>
VITRINE_INLINE void AddTile(const float* a, size_t a_row, size_t a_step, const float* b,
                            size_t b_stride, size_t count, float* c, size_t c_stride) {
  Vec sums[kTileRows][kVectors];
  TileSums<kVectors>(a, a_row, a_step, b, b_stride, count, sums);
  VITRINE_UNROLL
  for (size_t i = 0; i < kTileRows; ++i) {
    VITRINE_UNROLL
    for (size_t j = 0; j < kVectors; ++j) {
      float* const to = c + i * c_stride + j * kLanes;
      Store(to, kSign > 0 ? Load(to) + sums[i][j] : Load(to) - sums[i][j]);
    }
  }
}

// c (kTileRows x width) += sign * a^T b, where a has `count` rows of stride `stride`, b too.
template <int kSign>
VITRINE_INLINE void AddStrip(const float* a, const float* b, size_t stride, size_t count,
                             size_t width, float* c, size_t c_stride) {
  size_t j = 0;
  for (; j + kTileVectors * kLanes <= width; j += kTileVectors * kLanes) {
    AddTile<kTileVectors, kSign>(a, 1, stride, b + j, stride, count, c + j, c_stride);
  }
  if (width - j == 2 * kLanes) {
    AddTile<2, kSign>(a, 1, stride, b + j, stride, count, c + j, c_stride);
  } else if (width - j == kLanes) {
    AddTile<1, kSign>(a, 1, stride, b + j, stride, count, c + j, c_stride);
  }
}

constexpr size_t FloorToLanes(size_t i) { return i / kLanes * kLanes; }

// Rows that are multiplied before the next ones: few enough for the tiles to stay in the caches.
constexpr size_t kDepth = 128;

void AddGramian(const float* x, size_t rows, size_t stride, size_t m, float* sums,
                size_t sums_stride) {
  for (size_t begin = 0; begin < rows; begin += kDepth) {
    const size_t depth = rows - begin < kDepth ? rows - begin : kDepth;
    const float* const block = x + begin * stride;
    for (size_t i = 0; i < m; i += kTileRows) {
      const size_t j = FloorToLanes(i);
      AddStrip<1>(block + i, block + j, stride, depth, m - j, sums + i * sums_stride + j,
                  sums_stride);
    }
  }
}

// Panels of kTileVectors registers, one after the other, each row after row.
void Pack(const float* p, size_t m, float* packed) {
  for (size_t j = 0; j < m; j += kTileVectors * kLanes) {
    const size_t width = m - j < kTileVectors * kLanes ? m - j : kTileVectors * kLanes;
    for (size_t k = 0; k < m; ++k) {
      for (size_t i = 0; i < width; i += kLanes, packed += kLanes) {
        Store(packed, Load(p + k * m + j + i));
      }
    }
  }
}

template <size_t kVectors>
VITRINE_INLINE void MultiplyPanel(const float* x, size_t rows, size_t stride, const float* panel,
                                  size_t m, float* out, size_t out_stride) {
  for (size_t r = 0; r < rows; r += kTileRows) {
    Vec sums[kTileRows][kVectors];
    TileSums<kVectors>(x + r * stride, stride, 1, panel, kVectors * kLanes, m, sums);
    VITRINE_UNROLL
    for (size_t i = 0; i < kTileRows; ++i) {
      VITRINE_UNROLL
      for (size_t j = 0; j < kVectors; ++j) {
        Store(out + (r + i) * out_stride + j * kLanes, sums[i][j]);
      }
    }
  }
}

void Multiply(const float* x, size_t rows, size_t stride, const float* packed, size_t m, float* out,
              size_t out_stride) {
  for (size_t begin = 0; begin < rows; begin += kDepth) {
    const size_t count = rows - begin < kDepth ? rows - begin : kDepth;
    const float* const block = x + begin * stride;
    float* const to = out + begin * out_stride;
    size_t j = 0;
    for (; j + kTileVectors * kLanes <= m; j += kTileVectors * kLanes) {
      MultiplyPanel<kTileVectors>(block, count, stride, packed + j * m, m, to + j, out_stride);
    }
    if (m - j == 2 * kLanes) {
      MultiplyPanel<2>(block, count, stride, packed + j * m, m, to + j, out_stride);
    } else if (m - j == kLanes) {
      MultiplyPanel<1>(block, count, stride, packed + j * m, m, to + j, out_stride);
    }
  }
}

// --- Cholesky of one matrix: a = U^T U, of which the upper triangle is read and written,
// row-major. kLanes rows at a time: what the rows above say is subtracted (almost all of the work),
// then these rows are finished among themselves. m is a multiple of kLanes. ---

// Rows [top, top + kLanes) from what is left of them.
VITRINE_INLINE void FinishRows(float* a, size_t top, size_t m, size_t stride,
                               float* inverse_diagonal) {
  Vec corner[kLanes];  // what is left of the diagonal in it has no meaning
  VITRINE_UNROLL
  for (size_t i = 0; i < kLanes; ++i) corner[i] = Load(a + (top + i) * stride + top);
  VITRINE_UNROLL
  for (size_t k = 0; k < kLanes; ++k) {
    float* const row = a + (top + k) * stride + top;
    inverse_diagonal[top + k] = 1 / __builtin_sqrtf(corner[k][k]);
    corner[k] *= All(inverse_diagonal[top + k]);
    Store(row, corner[k]);
    VITRINE_UNROLL
    for (size_t i = k + 1; i < kLanes; ++i) corner[i] -= All(row[i]) * corner[k];
  }
  for (size_t j = top + kLanes; j < m; j += kLanes) {
    Vec v[kLanes];
    VITRINE_UNROLL
    for (size_t i = 0; i < kLanes; ++i) v[i] = Load(a + (top + i) * stride + j);
    VITRINE_UNROLL
    for (size_t k = 0; k < kLanes; ++k) {
      const float* const row = a + (top + k) * stride + top;
      v[k] *= All(inverse_diagonal[top + k]);
      VITRINE_UNROLL
      for (size_t i = k + 1; i < kLanes; ++i) v[i] -= All(row[i]) * v[k];
    }
    VITRINE_UNROLL
    for (size_t i = 0; i < kLanes; ++i) Store(a + (top + i) * stride + j, v[i]);
  }
}

void Cholesky(float* a, size_t m, size_t stride, float* inverse_diagonal) {
  for (size_t top = 0; top < m; top += kLanes) {
    for (size_t i = top; i < top + kLanes && top > 0; i += kTileRows) {
      AddStrip<-1>(a + i, a + top, stride, top, m - top, a + i * stride + top, stride);
    }
    FinishRows(a, top, m, stride, inverse_diagonal);
  }
}

// x becomes the solution of U^T U x = x.
void SolveCholesky(const float* a, size_t m, size_t stride, const float* inverse_diagonal,
                   float* x) {
  for (size_t k = 0; k < m; ++k) {  // U^T y = x
    const float* const row = a + k * stride;
    x[k] *= inverse_diagonal[k];
    const size_t aligned = FloorToLanes(k) + kLanes;
    for (size_t j = k + 1; j < aligned; ++j) x[j] -= row[j] * x[k];
    const Vec value = All(x[k]);
    for (size_t j = aligned; j < m; j += kLanes) Store(x + j, Load(x + j) - Load(row + j) * value);
  }
  for (size_t k = m; k-- > 0;) {  // U x = y
    const float* const row = a + k * stride;
    const size_t aligned = FloorToLanes(k) + kLanes;
    Vec sums = {};
    for (size_t j = aligned; j < m; j += kLanes) sums += Load(row + j) * Load(x + j);
    float sum = Sum(sums);
    for (size_t j = k + 1; j < aligned; ++j) sum += row[j] * x[j];
    x[k] = (x[k] - sum) * inverse_diagonal[k];
  }
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_DENSE_H_
