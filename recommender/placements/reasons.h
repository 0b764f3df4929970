// Why a product is on a shelf, in words: the evidence is looked for, the words come from templates
// that a shop can change and add languages to.
//
// A template is plain text with {a} for a product's name (or what was searched for), {n} for a
// number and {c} for a category. Reasons, and what they have:
//   viewed, bought {a}        the product of the history that gives most to its score (Hu et al.
//                             2008, section 5, rank/explain.h; or the strongest link)
//   visit {a}                 the last product of the visit
//   also_viewed {a} {n}       persons who viewed both
//   bought_with {a} {n}       orders with both
//   similar, alike {a}        the page's product
//   popular, popular_today, popular_week, popular_month, trending; each with _in {c}
//   recently_viewed, buy_again, newest, search {a}, pinned, explore, for_you

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_REASONS_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_REASONS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "recommender/placements/offers.h"
#include "recommender/placements/shelf.h"
#include "recommender/rank/explain.h"
#include "store/records_types.h"

namespace vitrine {

struct Reason {
  absl::string_view key;                           // as above
  std::optional<uint32_t> product = std::nullopt;  // {a}
  uint32_t count = 0;                              // {n}
};

// Finds reasons for the products of one request. Thread-compatible.
class ReasonFinder {
 public:
  // `context` must outlive it.
  explicit ReasonFinder(const OfferContext& context) : context_(context) {}

  // Explains all of a shelf that is due to taste at once, which takes a fraction of the time that
  // one at a time would. As for an Explainer, and O(n (n + d)) each of n products in the history.
  void Prepare(std::span<const ShownProduct> shelf);

  // O(1) beside links; for one of TASTE that was not prepared as above.
  Reason Find(const ShownProduct& shown, std::span<const RecipeSource> recipe);

 private:
  bool CanExplainTaste(uint32_t product) const;
  void Explain(std::span<const uint32_t> products);
  Reason OfTaste(uint32_t product);
  Reason OfLinks(uint32_t product);
  Reason OfVisit() const;
  Reason OfOrders(uint32_t product) const;
  Reason OfHistory(uint32_t product) const;
  bool IsKnown(uint32_t product) const { return product < context_.model->products.size(); }

  const OfferContext& context_;
  std::unique_ptr<Explainer> explainer_;
  RankMemo::Strongest strongest_;                 // of products explained
  absl::flat_hash_map<uint32_t, float> weights_;  // of the history's products; made when asked for
};

// The reason in a language (BCP 47; "fa-IR" is "fa" where there is no other; English where there
// is none), from the shop's templates or the built-in ones. `name` is {a}, cut to some length;
// empty: the reason is told without, as for_you. Names are set apart from the text (U+2068,
// U+2069), so that each may run its own way. Persian has its own digits.
std::string ReasonText(const Reason& reason, const PlacementSet& set, absl::string_view language,
                       absl::string_view name, absl::string_view category);

// The text of a map by language: this one, its base, English; empty if there is none.
absl::string_view InLanguage(const std::map<std::string, std::string>& texts,
                             absl::string_view language);

// What stands above a shelf, likewise; the placement's id where it has no title at all.
std::string TitleText(const Placement& placement, absl::string_view language);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_REASONS_H_
