// Layers: experiments of one layer share its slots and so never meet in one unit; a holdout: units
// that no experiment gets.

#ifndef VITRINE_EXPERIMENTS_ASSIGNMENT_LAYER_H_
#define VITRINE_EXPERIMENTS_ASSIGNMENT_LAYER_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/bucket.h"

namespace vitrine::experiments {

inline constexpr int kLayerSlots = 10'000;  // in which a layer is given away

// The part of a layer that an experiment holds. Immutable, thread-safe.
class LayerPart {
 public:
  // A unit's place in the layer is its native point for the seed "layer/<name>".
  LayerPart(absl::string_view layer, std::vector<BucketRange> ranges)
      : LayerPart(UnitHash(HashVersion::kNative,
                           std::string("layer/").append(layer.data(), layer.size())),
                  std::move(ranges)) {}
  LayerPart(UnitHash hash, std::vector<BucketRange> ranges)
      : hash_(std::move(hash)), ranges_(std::move(ranges)) {}

  // GrowthBook's namespace [name, begin, end], which hashes by version 1.
  static LayerPart GrowthBookNamespace(absl::string_view name, BucketRange range);

  bool Holds(absl::string_view unit) const { return ChooseArm(hash_.Point(unit), ranges_) >= 0; }

 private:
  UnitHash hash_;
  std::vector<BucketRange> ranges_;
};

// Free ranges of a layer that hold `share` (in (0, 1], rounded to a slot, at least one) together,
// from the left, while `taken` is what its other experiments hold. ResourceExhausted, saying how
// much is left, if there is less. What was given stays where it is: an experiment that grows asks
// for the difference.
absl::StatusOr<std::vector<BucketRange>> FreeSlots(std::span<const BucketRange> taken,
                                                   double share);

// Units that get no experiment at all, so that all of them together can be measured.
class Holdout {
 public:
  // REQUIRES: 0 <= share <= 1. The seed is the site's and stays, or units change sides.
  Holdout(absl::string_view seed, double share);

  bool Holds(absl::string_view unit) const { return range_.Holds(hash_.Point(unit)); }

 private:
  UnitHash hash_;
  BucketRange range_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ASSIGNMENT_LAYER_H_
