// One row, however long, by products of dense matrices. As vector.h, for the kernels only.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_SINGLE_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_SINGLE_H_

#include "recommender/model/kernels/dense.h"

namespace vitrine {
namespace {

VITRINE_INLINE size_t RoundUp(size_t size, size_t step) { return (size + step - 1) / step * step; }

// An odd number of cache lines, so that the rows of a tile do not all fall into the same sets.
VITRINE_INLINE size_t SystemStride(size_t m) { return (m / kWidthStep | 1) * kWidthStep; }

struct SingleScratch {
  float* system;            // m x stride
  float* panel;             // kDepth x stride
  float* inverse_diagonal;  // m
  float* x;                 // m

  SingleScratch(float* scratch, size_t m)
      : system(scratch),
        panel(system + m * SystemStride(m)),
        inverse_diagonal(panel + kDepth * SystemStride(m)),
        x(inverse_diagonal + m) {}
};

void Clear(float* values, size_t count) {
  for (size_t i = 0; i < count; i += kLanes) Store(values + i, Vec{});
}

float TraceOf(const float* system, size_t m, size_t stride) {
  float trace = 0;
  for (size_t i = 0; i < m; ++i) trace += system[i * stride + i];
  return trace;
}

VITRINE_INLINE float TargetOf(const SingleRow& row, size_t i) {
  return row.target == nullptr ? 1 : row.target[i];
}

// panel[k][i] = z_i[column + k] for `depth` columns; cells beyond the last are zero.
VITRINE_INLINE void PackTransposed(const SingleRow& row, size_t column, size_t depth, size_t m,
                                   float* panel, size_t stride) {
  for (size_t i = 0; i < m; i += kLanes) {
    for (size_t k = 0; k < depth; k += kLanes) {
      const Vec root = Load(row.inverse_root + column + k);
      Vec block[kLanes];
      for (size_t lane = 0; lane < kLanes; ++lane) {
        block[lane] = i + lane < row.cells
                          ? Load(row.fixed + row.index[i + lane] * row.stride + column + k) * root *
                                All(row.root_weight[i + lane])
                          : Vec{};
      }
      Transpose(block);
      for (size_t lane = 0; lane < kLanes; ++lane) {
        Store(panel + (k + lane) * stride + i, block[lane]);
      }
    }
  }
}

void SingleWoodbury(SingleRow* row) {
  const size_t m = RoundUp(row->cells, kLanes);
  const size_t stride = SystemStride(RoundUp(m, kWidthStep));
  const SingleScratch scratch(row->scratch, RoundUp(m, kWidthStep));
  Clear(scratch.system, m * stride);
  for (size_t column = 0; column < row->width; column += kDepth) {
    const size_t depth = row->width - column < kDepth ? row->width - column : kDepth;
    PackTransposed(*row, column, depth, m, scratch.panel, stride);
    AddGramian(scratch.panel, depth, stride, m, scratch.system, stride);
  }
  for (size_t i = 0; i < m; ++i) {
    scratch.system[i * stride + i] += 1;
    scratch.x[i] = i < row->cells ? row->root_weight[i] * TargetOf(*row, i) : 0;
  }
  row->trace = TraceOf(scratch.system, m, stride);
  Cholesky(scratch.system, m, stride, scratch.inverse_diagonal);
  SolveCholesky(scratch.system, m, stride, scratch.inverse_diagonal, scratch.x);

  Clear(row->out, row->width);
  for (size_t i = 0; i < row->cells; ++i) {
    const float* const y = row->fixed + row->index[i] * row->stride;
    const Vec by = All(scratch.x[i] * row->root_weight[i]);
    for (size_t k = 0; k < row->width; k += kLanes) {
      Store(row->out + k, Load(row->out + k) + by * Load(y + k));
    }
  }
  for (size_t k = 0; k < row->width; k += kLanes) {
    const Vec root = Load(row->inverse_root + k);
    Store(row->out + k, Load(row->out + k) * root * root);
  }
}

void SingleDirect(SingleRow* row) {
  const size_t m = row->width;
  const size_t stride = SystemStride(m);
  const SingleScratch scratch(row->scratch, m);
  Clear(scratch.system, m * stride);
  Clear(scratch.x, m);
  for (size_t begin = 0; begin < row->cells; begin += kDepth) {
    const size_t depth = row->cells - begin < kDepth ? row->cells - begin : kDepth;
    for (size_t i = 0; i < depth; ++i) {
      const float* const y = row->fixed + row->index[begin + i] * row->stride;
      const Vec root = All(row->root_weight[begin + i]);
      const Vec goal = root * All(TargetOf(*row, begin + i));
      for (size_t k = 0; k < m; k += kLanes) {
        const Vec weighted = root * Load(y + k);
        Store(scratch.panel + i * stride + k, weighted);
        Store(scratch.x + k, Load(scratch.x + k) + goal * weighted);
      }
    }
    AddGramian(scratch.panel, depth, stride, m, scratch.system, stride);
  }
  for (size_t k = 0; k < m; ++k) scratch.system[k * stride + k] += row->diagonal[k];
  row->trace = TraceOf(scratch.system, m, stride);
  Cholesky(scratch.system, m, stride, scratch.inverse_diagonal);
  SolveCholesky(scratch.system, m, stride, scratch.inverse_diagonal, scratch.x);
  for (size_t k = 0; k < m; k += kLanes) Store(row->out + k, Load(scratch.x + k));
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_SINGLE_H_
