// Factors once more, those of great norm first, with half a byte for each, for a first pass that
// reads an eighth of the bytes and stops where nothing that follows can be among the best; and with
// a byte for each, for a second look at what passes. Both know how far off they may be.
//
// Product v is kept as v' = scale * code, component by component. For a query q, approximated as
// q' = q_scale * c (whole numbers c from -127 to 127),
//
//   v.q  lies within  |q'| * scale * residual + |q - q'| * |v|
//   of                scale * q_scale * code.c,
//
// where residual = |v / scale - code|: v.q - v'.q' is (v - v').q' + v.(q - q'), each bounded by
// Cauchy-Schwarz. So a product whose bound lies below the k-th best score known need not be looked
// at, and neither need any from there on where |v||q| lies below it: nothing is lost.

#ifndef VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_
#define VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "recommender/model/factors.h"

namespace vitrine {

// Immutable; thread-safe; copies share what they look at. 1.5 d + 8.75 bytes a product.
class QuantizedFactors {
 public:
  // Products of a block lie side by side, so that one instruction works on all of them.
  static constexpr size_t kLanes = 16;
  // So many components of a product lie together: what one lane takes at once.
  static constexpr size_t kGroup = 4;
  // Two groups of each lane share their bytes. The first has the lower halves: its codes are those
  // less 8. The second has the whole bytes, in sixteenths: its codes are those, less 8. (What the
  // lower half adds is known when the upper is chosen, and does no harm; and no instruction is
  // spent on taking it away.)
  static constexpr size_t kSlice = 2 * kGroup;
  static constexpr size_t kSliceBytes = kLanes * kGroup;
  static constexpr int kZero = 8;
  static constexpr int kParts = 16;
  // The second look has codes in twelfths, which leaves room for a largest factor of 10 scales: its
  // bytes less 128.
  static constexpr int kFineParts = 12;
  static constexpr int kFineZero = 128;

  // The largest of a block's products. The norm is infinite for rows that are not of zeros and have
  // no codes: their scores must always be computed.
  struct Bounds {
    float residual = 0;       // in units of their scales
    float fine_residual = 0;  // likewise, of the second look
    float norm = 0;
  };

  // What there is to keep, block after block, as the accessors below say.
  struct Arrays {
    std::span<const uint8_t> codes = {};
    std::span<const uint8_t> fine_codes = {};
    std::span<const float> scales = {};
    std::span<const Bounds> bounds = {};
    std::span<const uint32_t> order = {};
  };

  static constexpr size_t Blocks(size_t products) { return (products + kLanes - 1) / kLanes; }
  static constexpr size_t Slices(size_t factors) { return (factors + kSlice - 1) / kSlice; }

  // Whether a row can be kept so: all factors are finite, and the largest is neither so small nor
  // so large that bounds, which are floats, would be all zeros or infinite. Goes for queries too.
  static bool HasCodes(std::span<const float> row);

  QuantizedFactors() = default;
  // Computes them, on all cores. O(products * (d + log products)).
  explicit QuantizedFactors(const FactorView& factors);
  // Looks at arrays that lie elsewhere. REQUIRES: they have the lengths that follow from the number
  // of products and of factors, norms never rise, and `order` has each product once.
  QuantizedFactors(size_t factors, const Arrays& arrays)
      : factors_(factors), slices_(Slices(factors)), arrays_(arrays) {}

  const Arrays& arrays() const { return arrays_; }
  size_t products() const { return arrays_.order.size(); }
  size_t blocks() const { return arrays_.bounds.size(); }
  size_t slices() const { return slices_; }

  // Of a block: slices() x kLanes x kGroup bytes. The byte j of a lane has the component j of the
  // slice, and kGroup + j. Lanes beyond the last product hold zeros.
  const uint8_t* codes(size_t block) const {
    return arrays_.codes.data() + block * slices_ * kSliceBytes;
  }
  // Of the product at a place of the order: its factors, a code each.
  std::span<const uint8_t> fine_codes(size_t place) const {
    return arrays_.fine_codes.subspan(place * factors_, factors_);
  }
  // Of a block: kLanes scales; 0 for rows of zeros and those without codes.
  const float* scales(size_t block) const { return arrays_.scales.data() + block * kLanes; }

  // Their norms never rise from one block to the next.
  const Bounds& bounds(size_t block) const { return arrays_.bounds[block]; }

  // The products in the order in which they lie in the blocks: by falling norm; of equals, the
  // lower number first.
  std::span<const uint32_t> order() const { return arrays_.order; }

 private:
  struct Storage {
    std::vector<uint8_t> codes;
    std::vector<uint8_t> fine_codes;
    std::vector<float> scales;
    std::vector<Bounds> bounds;
    std::vector<uint32_t> order;
  };

  // The block that follows from the products of its part of the order.
  void EncodeBlock(const FactorView& factors, std::span<const float> norms, size_t block,
                   Storage* storage) const;

  size_t factors_ = 0;
  size_t slices_ = 0;
  Arrays arrays_;
  std::shared_ptr<const Storage> storage_;  // of computed ones
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_QUANTIZED_FACTORS_H_
