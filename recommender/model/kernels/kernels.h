// The arithmetic of alternating least squares, in single precision, for the processor that the
// program finds itself on: one table of functions for AVX-512, one for AVX2, one for anything else.
//
// Shapes. Matrices are row-major; a `stride` is in floats. Widths (factors, padded with zeros) are
// multiples of kWidthStep, and a row of a matrix of factors begins at a multiple of 64 bytes where
// speed matters (nothing else depends on it).
//
// The systems. A row of the sparse matrix has n cells; Y (n x d) are the other side's rows, r the
// square roots of their weights, D a positive diagonal. Wanted is x with
//
//   (D + Y^T diag(r^2) Y) x = Y^T r^2.
//
//   direct:   Cholesky of the d x d matrix; n d^2 + d^3 / 3 operations.
//   Woodbury: with Z = diag(r) Y D^-1/2 the solution is x = D^-1/2 Z^T t, (I + Z Z^T) t = r, an
//             n x n system; n^2 d + n^3 / 3 operations. (Woodbury 1950; by the push-through
//             identity (D + V^T V)^-1 V^T = D^-1 V^T (I + V D^-1 V^T)^-1, V = diag(r) Y.)
//             Its condition number is at most 1 + sum r_i^2 y_i^T D^-1 y_i.
//
// Every function is deterministic: the same bits for the same arguments.

#ifndef VITRINE_RECOMMENDER_MODEL_KERNELS_KERNELS_H_
#define VITRINE_RECOMMENDER_MODEL_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace vitrine {

inline constexpr size_t kWidthStep = 16;
inline constexpr size_t kLanesMax = 16;
// A matrix that Multiply reads or writes has its rows padded to a multiple of this.
inline constexpr size_t kRowStep = 8;
// The largest system that SolveBatch solves: sixteen of them just fit into a second-level cache.
inline constexpr size_t kBatchSystemMax = 128;

// Of z, that conjugate gradients keep from one step to the next: a second-level cache holds it.
inline constexpr size_t kCgKeptFloats = 256 << 10;

// `lanes` rows, solved at once, one per lane of a register. Rows with fewer cells than `cells` are
// filled up with cells of root weight 0 (and any valid index).
struct RowBatch {
  const float* fixed = nullptr;  // the other side's rows
  size_t stride = 0;
  size_t width = 0;                           // d, padded
  size_t cells = 0;                           // n, of the longest row
  const uint32_t* index = nullptr;            // cells x lanes
  const float* root_weight = nullptr;         // cells x lanes
  const float* diagonal[kLanesMax] = {};      // D of each lane, `width` floats
  const float* inverse_root[kLanesMax] = {};  // D^-1/2 of each lane
  float* out[kLanesMax] = {};                 // x of each lane, `width` floats
  float trace[kLanesMax] = {};  // written: of the matrix that was factorized, over its smallest
                                // possible eigenvalue (1, or the least of D)
  float* scratch = nullptr;     // BatchScratchFloats(), aligned to 64 bytes
};

// One row, however long; by its n x n system only if n, rounded up to a multiple of kWidthStep, is
// at most d.
struct SingleRow {
  const float* fixed = nullptr;
  size_t stride = 0;
  size_t width = 0;
  size_t cells = 0;
  const uint32_t* index = nullptr;     // cells
  const float* root_weight = nullptr;  // cells
  const float* diagonal = nullptr;
  const float* inverse_root = nullptr;
  // What x.y_i should be: 1 for every cell if null. (The right side is then Y^T diag(r^2) target.)
  const float* target = nullptr;
  float* out = nullptr;
  float trace = 0;           // as above
  float* scratch = nullptr;  // SingleScratchFloats(width), aligned to 64 bytes
};

struct Kernels {
  const char* name;
  size_t lanes;  // of a RowBatch

  // sums (m x m) += x^T x, of `rows` rows of m floats, m a multiple of kWidthStep. Only what is on
  // or above the diagonal has a meaning afterwards.
  void (*add_gramian)(const float* x, size_t rows, size_t stride, size_t m, float* sums,
                      size_t sums_stride);
  // Lays out p (m x m) for `multiply`; `packed` has m * m floats.
  void (*pack)(const float* p, size_t m, float* packed);
  // out = x p, of `rows` rows (a multiple of kRowStep) of m floats. x and out must not overlap.
  void (*multiply)(const float* x, size_t rows, size_t stride, const float* packed, size_t m,
                   float* out, size_t out_stride);

  // The batch by its n x n systems (REQUIRES cells <= kBatchSystemMax) or its d x d ones (REQUIRES
  // width <= kBatchSystemMax). What cannot be solved is not finite, in its lane only.
  void (*batch_woodbury)(RowBatch* batch);
  void (*batch_direct)(RowBatch* batch);
  void (*single_woodbury)(SingleRow* row);
  void (*single_direct)(SingleRow* row);

  // `steps` steps of conjugate gradients towards the solution, from what is in `out`, with D as the
  // preconditioner: 4 n d operations a step. `scratch` holds CgScratchFloats(width).
  void (*single_cg)(SingleRow* row, size_t steps);
  // target[i] = 1 - x.y_i, of `x` (width floats) and the cells of `row`.
  void (*residuals)(const SingleRow& row, const float* x, float* target);
};

size_t BatchScratchFloats();
size_t SingleScratchFloats(size_t width);
size_t CgScratchFloats(size_t width);

// The fastest that this processor runs.
const Kernels& BestKernels();
// All that this processor runs, fastest first, up to a nullptr.
const Kernels* const* AllKernels();

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_KERNELS_KERNELS_H_
