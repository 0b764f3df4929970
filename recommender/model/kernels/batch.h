// kLanes systems at once, one per lane of a register, so that even the smallest of them keeps the
// whole register busy. As vector.h, for the kernels only.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_BATCH_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_BATCH_H_

#include "recommender/model/kernels/vector.h"

namespace vitrine {
namespace {

// A tile of kTile x kTile registers: sums, and what is multiplied, fit into all there are.
constexpr size_t kTile = kLanes == 16 ? 5 : 3;

// A lower triangle, row after row.
VITRINE_INLINE size_t RowOfTriangle(size_t i) { return i * (i + 1) / 2; }

// sums[i][j] = sum over k of a_i[k] * b_j[k].
template <size_t kRows, size_t kColumns>
VITRINE_INLINE void DotTile(const Vec* const (&a)[kRows], const Vec* const (&b)[kColumns],
                            size_t count, Vec (&sums)[kRows][kColumns]) {
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) {
    VITRINE_UNROLL
    for (size_t j = 0; j < kColumns; ++j) sums[i][j] = Vec{};
  }
  for (size_t k = 0; k < count; ++k) {
    Vec right[kColumns];
    VITRINE_UNROLL
    for (size_t j = 0; j < kColumns; ++j) right[j] = b[j][k];
    VITRINE_UNROLL
    for (size_t i = 0; i < kRows; ++i) {
      const Vec left = a[i][k];
      VITRINE_UNROLL
      for (size_t j = 0; j < kColumns; ++j) sums[i][j] += left * right[j];
    }
  }
}

// Calls work(std::integral_constant-like kRows) with min(left, kTile) rows: the compiler then knows
// how many there are.
template <size_t kRows>
struct Count {
  static constexpr size_t value = kRows;
};

template <typename Work>
VITRINE_INLINE void WithRows(size_t left, Work work) {
  if (left >= kTile) return work(Count<kTile>());
  if (left == 1) return work(Count<1>());
  if (left == 2) return work(Count<2>());
  if constexpr (kTile > 3) {
    if (left == 3) return work(Count<3>());
    if (left == 4) return work(Count<4>());
  }
}

// --- s (m x m, lower triangle) (+)= p p^T, p m x depth ---

template <size_t kRows, size_t kColumns>
VITRINE_INLINE void GramTile(const Vec* p, size_t p_stride, size_t depth, size_t top, size_t left,
                             bool add, Vec* s) {
  const Vec* a[kRows];
  const Vec* b[kColumns];
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) a[i] = p + (top + i) * p_stride;
  VITRINE_UNROLL
  for (size_t j = 0; j < kColumns; ++j) b[j] = p + (left + j) * p_stride;
  Vec sums[kRows][kColumns];
  DotTile(a, b, depth, sums);
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) {
    Vec* const row = s + RowOfTriangle(top + i) + left;
    VITRINE_UNROLL
    for (size_t j = 0; j < kColumns; ++j) {
      if (left + j > top + i) continue;
      row[j] = add ? row[j] + sums[i][j] : sums[i][j];
    }
  }
}

void BatchGram(const Vec* p, size_t p_stride, size_t m, size_t depth, bool add, Vec* s) {
  for (size_t top = 0; top < m; top += kTile) {
    WithRows(
        m - top, [&](auto rows) __attribute__((always_inline)) {
          constexpr size_t kRows = decltype(rows)::value;
          for (size_t left = 0; left < top; left += kTile) {
            GramTile<kRows, kTile>(p, p_stride, depth, top, left, add, s);
          }
          GramTile<kRows, kRows>(p, p_stride, depth, top, top, add, s);
        });
  }
}

// --- Cholesky: s = L L^T in place; the diagonal of L is left inverted ---

// A tile of L left of the diagonal, from the tile's matrix less what the columns before it say.
template <size_t kRows>
VITRINE_INLINE void FactorTile(Vec* s, size_t top, size_t left) {
  const Vec* a[kRows];
  const Vec* b[kTile];
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) a[i] = s + RowOfTriangle(top + i);
  VITRINE_UNROLL
  for (size_t j = 0; j < kTile; ++j) b[j] = s + RowOfTriangle(left + j);
  Vec sums[kRows][kTile];
  DotTile(a, b, left, sums);
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) {
    Vec* const row = s + RowOfTriangle(top + i) + left;
    Vec x[kTile];
    VITRINE_UNROLL
    for (size_t j = 0; j < kTile; ++j) {
      x[j] = row[j] - sums[i][j];
      VITRINE_UNROLL
      for (size_t k = 0; k < j; ++k) x[j] -= x[k] * b[j][left + k];
      x[j] *= b[j][left + j];
      row[j] = x[j];
    }
  }
}

template <size_t kRows>
VITRINE_INLINE void FactorCorner(Vec* s, size_t top) {
  const Vec* a[kRows];
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) a[i] = s + RowOfTriangle(top + i);
  Vec sums[kRows][kRows];
  DotTile(a, a, top, sums);
  Vec x[kRows][kRows];
  VITRINE_UNROLL
  for (size_t i = 0; i < kRows; ++i) {
    Vec* const row = s + RowOfTriangle(top + i) + top;
    VITRINE_UNROLL
    for (size_t j = 0; j <= i; ++j) {
      x[i][j] = row[j] - sums[i][j];
      VITRINE_UNROLL
      for (size_t k = 0; k < j; ++k) x[i][j] -= x[i][k] * x[j][k];
      x[i][j] = j == i ? 1 / SquareRoot(x[i][j]) : x[i][j] * x[j][j];
      row[j] = x[i][j];
    }
  }
}

void BatchCholesky(Vec* s, size_t m) {
  for (size_t top = 0; top < m; top += kTile) {
    WithRows(
        m - top, [&](auto rows) __attribute__((always_inline)) {
          constexpr size_t kRows = decltype(rows)::value;
          for (size_t left = 0; left < top; left += kTile) FactorTile<kRows>(s, top, left);
          FactorCorner<kRows>(s, top);
        });
  }
}

// x becomes the solution of L L^T x = x.
void BatchSolve(const Vec* s, size_t m, Vec* x) {
  for (size_t i = 0; i < m; ++i) {
    const Vec* const row = s + RowOfTriangle(i);
    Vec sums[2] = {};
    size_t k = 0;
    for (; k + 2 <= i; k += 2) {
      sums[0] += row[k] * x[k];
      sums[1] += row[k + 1] * x[k + 1];
    }
    if (k < i) sums[0] += row[k] * x[k];
    x[i] = (x[i] - (sums[0] + sums[1])) * row[i];
  }
  for (size_t i = m; i-- > 0;) {
    const Vec* const row = s + RowOfTriangle(i);
    x[i] *= row[i];
    for (size_t k = 0; k < i; ++k) x[k] -= row[k] * x[i];
  }
}

// --- The systems of a batch. A panel holds kLanes columns of Y for all cells, or kLanes cells for
// all columns, lane by lane. ---

struct BatchScratch {
  Vec* triangle;  // kBatchSystemMax * (kBatchSystemMax + 1) / 2
  Vec* panel;     // kBatchSystemMax * kLanes
  Vec* x;         // kBatchSystemMax
  static constexpr size_t kVectors =
      kBatchSystemMax * (kBatchSystemMax + 1) / 2 + kBatchSystemMax * kLanes + kBatchSystemMax;

  explicit BatchScratch(float* scratch)
      : triangle(reinterpret_cast<Vec*>(scratch)),
        panel(triangle + kBatchSystemMax * (kBatchSystemMax + 1) / 2),
        x(panel + kBatchSystemMax * kLanes) {}
};

// block[k] = column `column + k` of cell `cell` of every lane.
VITRINE_INLINE void GatherCell(const RowBatch& batch, size_t cell, size_t column, bool scaled,
                               Vec (&block)[kLanes]) {
  const uint32_t* const index = batch.index + cell * kLanes;
  VITRINE_UNROLL
  for (size_t lane = 0; lane < kLanes; ++lane) {
    block[lane] = Load(batch.fixed + index[lane] * batch.stride + column);
    if (scaled) block[lane] *= Load(batch.inverse_root[lane] + column);
  }
  Transpose(block);
}

VITRINE_INLINE Vec RootWeights(const RowBatch& batch, size_t cell) {
  return Load(batch.root_weight + cell * kLanes);
}

// triangle = I + Z Z^T and x = r.
void WoodburySystem(const RowBatch& batch, const BatchScratch& to) {
  const size_t n = batch.cells;
  for (size_t column = 0; column < batch.width; column += kLanes) {
    for (size_t i = 0; i < n; ++i) {
      Vec block[kLanes];
      GatherCell(batch, i, column, /*scaled=*/true, block);
      VITRINE_UNROLL
      for (size_t k = 0; k < kLanes; ++k) to.panel[i * kLanes + k] = block[k];
    }
    BatchGram(to.panel, kLanes, n, kLanes, column > 0, to.triangle);
  }
  for (size_t i = 0; i < n; ++i) {
    Vec* const row = to.triangle + RowOfTriangle(i);
    to.x[i] = RootWeights(batch, i);
    for (size_t j = 0; j <= i; ++j) row[j] *= to.x[i] * to.x[j];
    row[i] += All(1);
  }
}

VITRINE_INLINE void StoreTrace(const Vec* triangle, size_t m, float* trace) {
  Vec sum = {};
  for (size_t i = 0; i < m; ++i) sum += triangle[RowOfTriangle(i) + i];
  Store(trace, sum);
}

// out of one lane = D^-1/2 Z^T t = D^-1 Y^T r t; scale[i * kLanes] = r_i t_i.
template <size_t kVectors>
VITRINE_INLINE void CombineRows(const RowBatch& batch, size_t lane, const float* scale,
                                size_t column) {
  Vec sums[kVectors] = {};
  for (size_t i = 0; i < batch.cells; ++i) {
    const float* const row = batch.fixed + batch.index[i * kLanes + lane] * batch.stride + column;
    const Vec by = All(scale[i * kLanes]);
    VITRINE_UNROLL
    for (size_t k = 0; k < kVectors; ++k) sums[k] += by * Load(row + k * kLanes);
  }
  VITRINE_UNROLL
  for (size_t k = 0; k < kVectors; ++k) {
    const Vec root = Load(batch.inverse_root[lane] + column + k * kLanes);
    Store(batch.out[lane] + column + k * kLanes, sums[k] * root * root);
  }
}

void BatchWoodbury(RowBatch* batch) {
  const BatchScratch scratch(batch->scratch);
  WoodburySystem(*batch, scratch);
  StoreTrace(scratch.triangle, batch->cells, batch->trace);
  BatchCholesky(scratch.triangle, batch->cells);
  BatchSolve(scratch.triangle, batch->cells, scratch.x);
  for (size_t i = 0; i < batch->cells; ++i) scratch.x[i] *= RootWeights(*batch, i);
  constexpr size_t kAtOnce = 8;
  for (size_t lane = 0; lane < kLanes; ++lane) {
    const float* const scale = reinterpret_cast<const float*>(scratch.x) + lane;
    size_t column = 0;
    for (; column + kAtOnce * kLanes <= batch->width; column += kAtOnce * kLanes) {
      CombineRows<kAtOnce>(*batch, lane, scale, column);
    }
    for (; column + 4 * kLanes <= batch->width; column += 4 * kLanes) {
      CombineRows<4>(*batch, lane, scale, column);
    }
    for (; column < batch->width; column += kLanes) CombineRows<1>(*batch, lane, scale, column);
  }
}

// triangle = D + Y^T r^2 Y and x = Y^T r^2.
void DirectSystem(const RowBatch& batch, const BatchScratch& to) {
  const size_t m = batch.width;
  for (size_t k = 0; k < m; ++k) to.x[k] = Vec{};
  for (size_t begin = 0; begin < batch.cells; begin += kLanes) {
    const size_t depth = batch.cells - begin < kLanes ? batch.cells - begin : kLanes;
    for (size_t i = 0; i < depth; ++i) {
      const Vec root = RootWeights(batch, begin + i);
      for (size_t column = 0; column < m; column += kLanes) {
        Vec block[kLanes];
        GatherCell(batch, begin + i, column, /*scaled=*/false, block);
        VITRINE_UNROLL
        for (size_t k = 0; k < kLanes; ++k) {
          const Vec weighted = block[k] * root;
          to.panel[(column + k) * kLanes + i] = weighted;
          to.x[column + k] += weighted * root;
        }
      }
    }
    BatchGram(to.panel, kLanes, m, depth, begin > 0, to.triangle);
  }
  for (size_t column = 0; column < m; column += kLanes) {
    Vec diagonal[kLanes];
    VITRINE_UNROLL
    for (size_t lane = 0; lane < kLanes; ++lane)
      diagonal[lane] = Load(batch.diagonal[lane] + column);
    Transpose(diagonal);
    for (size_t k = 0; k < kLanes; ++k) {
      to.triangle[RowOfTriangle(column + k) + column + k] += diagonal[k];
    }
  }
}

void BatchDirect(RowBatch* batch) {
  const BatchScratch scratch(batch->scratch);
  DirectSystem(*batch, scratch);
  StoreTrace(scratch.triangle, batch->width, batch->trace);
  BatchCholesky(scratch.triangle, batch->width);
  BatchSolve(scratch.triangle, batch->width, scratch.x);
  for (size_t column = 0; column < batch->width; column += kLanes) {
    Vec block[kLanes];
    VITRINE_UNROLL
    for (size_t k = 0; k < kLanes; ++k) block[k] = scratch.x[column + k];
    Transpose(block);
    VITRINE_UNROLL
    for (size_t lane = 0; lane < kLanes; ++lane) Store(batch->out[lane] + column, block[lane]);
  }
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_BATCH_H_
