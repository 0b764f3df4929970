#include "experiments/assignment/layer.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

double SlotBegin(int slot) { return slot / static_cast<double>(kLayerSlots); }

std::vector<bool> TakenSlots(std::span<const BucketRange> taken) {
  std::vector<bool> slots(kLayerSlots, false);
  for (int slot = 0; slot < kLayerSlots; ++slot) {
    slots[slot] = std::any_of(taken.begin(), taken.end(), [slot](const BucketRange& range) {
      return range.begin < SlotBegin(slot + 1) && SlotBegin(slot) < range.end;
    });
  }
  return slots;
}

}  // namespace

LayerPart LayerPart::GrowthBookNamespace(absl::string_view name, BucketRange range) {
  return LayerPart(UnitHash(HashVersion::kGrowthBook1, absl::StrCat("__", name)), {range});
}

absl::StatusOr<std::vector<BucketRange>> FreeSlots(std::span<const BucketRange> taken,
                                                   double share) {
  if (!(share > 0 && share <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("share ", share, " is not in (0, 1]"));
  }
  const std::vector<bool> slots = TakenSlots(taken);
  const int wanted = std::max(1, static_cast<int>(std::lround(share * kLayerSlots)));
  std::vector<BucketRange> given;
  int found = 0;
  for (int slot = 0; slot < kLayerSlots && found < wanted; ++slot) {
    if (slots[slot]) continue;
    if (given.empty() || given.back().end != SlotBegin(slot)) {
      given.push_back({SlotBegin(slot), SlotBegin(slot)});
    }
    given.back().end = SlotBegin(slot + 1);
    ++found;
  }
  if (found < wanted) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the layer has ", SlotBegin(found), " of its units left, and ", share, " are asked for"));
  }
  return given;
}

Holdout::Holdout(absl::string_view seed, double share)
    : hash_(HashVersion::kNative, absl::StrCat("holdout/", seed)), range_{0, share} {
  CHECK(share >= 0 && share <= 1) << share;
}

}  // namespace vitrine::experiments
