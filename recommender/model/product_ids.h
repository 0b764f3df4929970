// The ids of a catalogue's products, in ascending order, where they lie: in a mapped file, as a
// rule.

#ifndef VITRINE_RECOMMENDER_MODEL_PRODUCT_IDS_H_
#define VITRINE_RECOMMENDER_MODEL_PRODUCT_IDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"

namespace vitrine {

// A view: id i is the bytes from offsets[i] to offsets[i + 1]; each id lies above the one before.
class ProductIds {
 public:
  ProductIds() = default;
  // `offsets`: one more than there are ids, or none at all.
  ProductIds(std::span<const uint64_t> offsets, absl::string_view bytes)
      : offsets_(offsets), bytes_(bytes) {}

  size_t size() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }
  // REQUIRES: i < size().
  absl::string_view operator[](size_t i) const {
    return bytes_.substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

  // The index of an id. O(log size).
  std::optional<uint32_t> Find(absl::string_view id) const;

 private:
  std::span<const uint64_t> offsets_;
  absl::string_view bytes_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_PRODUCT_IDS_H_
