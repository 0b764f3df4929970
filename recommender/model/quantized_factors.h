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
#include <vector>

#include "recommender/model/factors.h"

namespace vitrine {

// Immutable; thread-safe. d + 4.5 bytes a product.
class QuantizedFactors {
 public:
  // Products of a block lie side by side, so that one instruction works on all of them.
  static constexpr size_t kLanes = 16;
  // So many components of a product lie together: what one lane takes at once.
  static constexpr size_t kGroup = 4;

  QuantizedFactors() = default;
  // O(products * d).
  explicit QuantizedFactors(const FactorMatrix& factors);

  size_t products() const { return products_; }
  size_t blocks() const { return bounds_.size(); }
  size_t groups() const { return groups_; }

  // Of a block: groups() x kLanes x kGroup codes. Lanes beyond the last product, and components
  // beyond the last factor, hold 128.
  const uint8_t* codes(size_t block) const {
    return codes_.data() + block * groups_ * kLanes * kGroup;
  }
  // Of a block: kLanes scales.
  const float* scales(size_t block) const { return scales_.data() + block * kLanes; }

  // The largest of a block's products, in units of their scales.
  struct Bounds {
    float residual = 0;
    float norm = 0;
  };
  const Bounds& bounds(size_t block) const { return bounds_[block]; }

  // Products that have no codes, because a factor of theirs is no number, infinite, or all are
  // next to nothing: their scores must be computed. Ascending. Their scales are 0.
  const std::vector<uint32_t>& uncoded() const { return uncoded_; }

 private:
  void Encode(const FactorMatrix& factors, size_t product);

  size_t products_ = 0;
  size_t groups_ = 0;
  std::vector<uint8_t> codes_;
  std::vector<float> scales_;
  std::vector<Bounds> bounds_;
  std::vector<uint32_t> uncoded_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_
