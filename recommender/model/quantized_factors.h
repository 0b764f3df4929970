// Factors once more with a byte for each, for a first pass over all products that reads a quarter
// of the bytes; and what is needed to know how far off such a pass may be.
//
// Product v is kept as scale * (code - 128), component by component, codes 1 to 255. For a query q,
// approximated likewise by q_scale * c (c in -127 to 127),
//
//   v.q  lies within  scale * (|q| * residual + |q - q_scale * c| * norm)
//   of                scale * q_scale * (code.c - 128 * sum of c),
//
// where residual = |v / scale - (code - 128)| and norm = |code - 128|: v.q less its approximation
// is (v - v').q + v'.(q - q'), each bounded by Cauchy-Schwarz. So a product whose bound lies below
// the k-th best score known need not be looked at, and nothing is lost by the first pass.

#ifndef VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_
#define VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "recommender/model/factors.h"

namespace vitrine {

// Immutable; thread-safe; copies share what they look at. d + 4.5 bytes a product.
class QuantizedFactors {
 public:
  // Products of a block lie side by side, so that one instruction works on all of them.
  static constexpr size_t kLanes = 16;
  // So many components of a product lie together: what one lane takes at once.
  static constexpr size_t kGroup = 4;

  // The largest of a block's products, in units of their scales.
  struct Bounds {
    float residual = 0;
    float norm = 0;
  };

  // What there is to keep, block after block, as the accessors below say.
  struct Arrays {
    std::span<const uint8_t> codes = {};
    std::span<const float> scales = {};
    std::span<const Bounds> bounds = {};
    std::span<const uint32_t> uncoded = {};
  };

  static constexpr size_t Blocks(size_t products) { return (products + kLanes - 1) / kLanes; }
  static constexpr size_t Groups(size_t factors) { return (factors + kGroup - 1) / kGroup; }

  QuantizedFactors() = default;
  // Computes them. O(products * d).
  explicit QuantizedFactors(const FactorView& factors);
  // Looks at arrays that lie elsewhere. REQUIRES: they have the lengths that follow from both
  // numbers, and `uncoded` is ascending and below `products`.
  QuantizedFactors(size_t products, size_t factors, const Arrays& arrays)
      : products_(products), groups_(Groups(factors)), arrays_(arrays) {}

  const Arrays& arrays() const { return arrays_; }
  size_t products() const { return products_; }
  size_t blocks() const { return arrays_.bounds.size(); }
  size_t groups() const { return groups_; }

  // Of a block: groups() x kLanes x kGroup codes. Lanes beyond the last product, and components
  // beyond the last factor, hold 128.
  const uint8_t* codes(size_t block) const {
    return arrays_.codes.data() + block * groups_ * kLanes * kGroup;
  }
  // Of a block: kLanes scales.
  const float* scales(size_t block) const { return arrays_.scales.data() + block * kLanes; }

  const Bounds& bounds(size_t block) const { return arrays_.bounds[block]; }

  // Products that have no codes, because a factor of theirs is no number, infinite, or all are
  // next to nothing: their scores must be computed. Ascending. Their scales are 0.
  std::span<const uint32_t> uncoded() const { return arrays_.uncoded; }

 private:
  struct Storage {
    std::vector<uint8_t> codes;
    std::vector<float> scales;
    std::vector<Bounds> bounds;
    std::vector<uint32_t> uncoded;
  };

  void Encode(const FactorView& factors, size_t product, Storage* storage) const;

  size_t products_ = 0;
  size_t groups_ = 0;
  Arrays arrays_;
  std::shared_ptr<const Storage> storage_;  // of computed ones
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_
