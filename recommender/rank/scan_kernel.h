// The inner loop of retrieval: which of many products may score above a bar. Internal to rank.

#ifndef VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_
#define VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recommender/model/quantized_factors.h"

namespace vitrine {

// A taste in the form that a kernel reads.
struct ScanQuery {
  std::vector<int8_t> components;  // groups * kGroup, 0 beyond the last factor
  int32_t zero = 0;                // 128 * sum of components
  float scale = 0;
  // What a block's bounds count: how far off an approximate score may be, rounding included.
  float per_residual = 0;
  float per_norm = 0;
};

// A block in which products may score above the bar: bit i is the product in lane i.
struct ScanHit {
  uint32_t block = 0;
  uint32_t lanes = 0;
};

// Finds those among blocks [first, first + blocks), in order; there is room for as many. How many.
using ScanBlocks = size_t (*)(const QuantizedFactors& products, const ScanQuery& query,
                              size_t first, size_t blocks, float bar, ScanHit* hits);

struct ScanKernel {
  const char* name;
  ScanBlocks scan;
  int component_max;  // of a query, 127 unless the arithmetic would overflow
};

// Those that this processor can run, the fastest first; there is always one.
std::span<const ScanKernel> ScanKernels();

// `taste` for that kernel. REQUIRES: taste is finite, and has as many factors as the products.
ScanQuery MakeScanQuery(std::span<const float> taste, const ScanKernel& kernel);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_
