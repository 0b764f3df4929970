// From what sources offer to what a shelf shows: one order, rules kept, never short for want of
// trying. Pure functions of what they are handed.
//
// Products are walked in the order of their scores times the boosts of rules, then as the fillers
// offer them, then by popularity, at last those that a wish hides (rules.h). Each is shown unless a
// rule forbids it, the page has it already, or a cap is reached. Pinned ones stand where their
// rules say, and one that is tried, at a place that is drawn: never before all others.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_SHELF_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_SHELF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

#include "recommender/placements/rules.h"
#include "store/records_types.h"

namespace vitrine {

// A product that a source offers.
struct Offer {
  uint32_t product = 0;  // the site's number
  double score = 0;      // above 0; 0: of a filler
  Source source = POPULAR;
};

// What became of a product (vitrine.thrift, TraceStep).
struct TraceLine {
  uint32_t product = 0;
  const char* what = "";
  std::string by;
};

struct ShownProduct {
  uint32_t product = 0;
  double score = 0;
  Source source = POPULAR;
  std::vector<absl::string_view> rules;  // that moved it
};

struct ShelfRequest {
  size_t k = 10;
  // Each product once in either; the scored need not be in order.
  std::span<const Offer> scored;
  std::span<const Offer> fillers;
  // The first of these that may be shown has a place to find out whether it is wanted; they may be
  // among the others. None on a shelf with less than two places that are not pinned.
  std::span<const Offer> tried = {};
  uint64_t seed = 0;  // of which place (rank/explore.h)
  // More products, best first, each once; nullopt at the end. They may be among the offers.
  absl::FunctionRef<std::optional<uint32_t>(size_t)> refill;
  // Shown on this page already, or never to be shown.
  const absl::flat_hash_set<uint32_t>* on_page;
  // What the store knows of a product; never null.
  absl::FunctionRef<const Product*(uint32_t)> product;
  // The number of a pinned product; nullopt: the site does not know it.
  absl::FunctionRef<std::optional<uint32_t>(absl::string_view)> find;
  // Rather fewer products than refill, or than what a wish hides.
  bool may_be_short = false;
  std::vector<TraceLine>* trace = nullptr;
};

// At most k products, none twice: fewer only where the offers and the refill together have fewer
// that hard rules, caps and the page allow, or where they may be. O(n log n) of the scored, and of
// the rest as many as are needed.
std::vector<ShownProduct> FillShelf(const ShelfRules& rules, const ShelfRequest& request);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_SHELF_H_
