// What goes with what: for each product of a catalogue the others that it is met with most, with
// the evidence. Learned by learn/item_to_item.h, kept in the model file, read by rank.

#ifndef VITRINE_RECOMMENDER_MODEL_ITEM_LINKS_H_
#define VITRINE_RECOMMENDER_MODEL_ITEM_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine {

struct ItemLink {
  uint32_t product = 0;   // index in the catalogue
  uint32_t together = 0;  // persons (or baskets) that had both
  float score = 0;        // above 0; comparable within one kind of links

  bool operator==(const ItemLink&) const = default;
};

// A view: the links of product p are links[offsets[p]] to links[offsets[p + 1]], best first.
struct ItemLinks {
  std::span<const uint64_t> offsets = {};  // products + 1 of them, or none at all
  std::span<const ItemLink> links = {};

  bool empty() const { return links.empty(); }
  // REQUIRES: product < products, or empty().
  std::span<const ItemLink> Of(uint32_t product) const {
    if (empty()) return {};
    return links.subspan(offsets[product], offsets[product + 1] - offsets[product]);
  }
};

// What such a view looks at.
struct ItemLinkLists {
  std::vector<uint64_t> offsets = {0};
  std::vector<ItemLink> links;

  operator ItemLinks() const { return {offsets, links}; }
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_ITEM_LINKS_H_
