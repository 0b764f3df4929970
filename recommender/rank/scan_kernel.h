// The inner loop of retrieval: which of many products may score as high as a bar. Internal to rank.

#ifndef VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_
#define VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "recommender/model/quantized_factors.h"

namespace vitrine {

// A taste in the form that a kernel reads.
struct ScanQuery {
  std::vector<int8_t> components;  // slices * kSlice, 0 beyond the last factor
  int32_t zero = 0;                // kZero * kParts (and kFineZero) * sum of components
  float scale = 0;                 // over kParts
  float fine_scale = 0;            // over kFineParts
  // What a block's bounds count: how far off an approximate score may be, rounding included.
  float per_residual = 0;
  float per_norm = 0;
  float norm = 0;  // times a product's: no score is above
  // And by this besides: what products of floats lose that are below the least one of full
  // precision. (So many of them do not come to as much. Less would be slow to add.)
  static constexpr float kUnderflow = std::numeric_limits<float>::min();

  // What no product scores above that has this norm or less.
  float Reach(float product_norm) const { return norm * product_norm + kUnderflow; }
};

// A block in which products may score as high as the bar: bit i is the product in lane i. Lanes
// beyond the last product may be among them.
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
};

// What the product at a place of the order scores at least and at most, by the second look.
struct ScoreRange {
  float low = 0;
  float high = 0;
};
ScoreRange RangeOf(const QuantizedFactors& products, const ScanQuery& query, size_t place);

// Those that this processor can run, the fastest first; there is always one.
std::span<const ScanKernel> ScanKernels();

// REQUIRES: QuantizedFactors::HasCodes(taste).
ScanQuery MakeScanQuery(std::span<const float> taste);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SCAN_KERNEL_H_
