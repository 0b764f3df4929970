// What a shop's rules (store/records.thrift, Rule) say of a product that a shelf might show.
//
//   ShelfRules rules(set, placement, facts);
//   rules.Judge(number, product).may_show()
//
// Some rules are hard: what they forbid is never shown, and a shelf is rather short. Others (bought
// before, seen, shown often) are wishes: what they hide comes last, where nothing else is left.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_RULES_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_RULES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

#include "store/product_facts.h"
#include "store/records_types.h"

namespace vitrine {

// Whether the shop can sell it at that time, by what its catalogue says: not withdrawn, in stock,
// within its dates. A product of which nothing is known is on sale.
bool IsOnSale(const Product& product, int64_t now_ms);

// What a person did with products lately, by their numbers.
struct PersonFacts {
  absl::flat_hash_map<uint32_t, int64_t> bought_ms;  // the newest purchase
  absl::flat_hash_set<uint32_t> seen;                // in this visit
  // Times at which a product was shown and not clicked, newest first.
  absl::flat_hash_map<uint32_t, std::vector<int64_t>> shown_ms;
};

// What rules ask of a request, beside the product. Everything it points at must outlive it.
struct ShelfFacts {
  int64_t now_ms = 0;
  Channel channel = WEB;
  Device device = UNKNOWN_DEVICE;
  absl::string_view country = {};
  const Product* current = nullptr;  // the page's product, if it is about one
  absl::string_view category = {};   // the page's, or its product's
  std::span<const uint32_t> cart = {};
  std::optional<int64_t> cart_gap_minor = std::nullopt;  // above 0: what free sending lacks
  const PersonFacts* person = nullptr;                   // null: nobody is known
  bool hide_bought = true;  // false: HIDE_BOUGHT and HIDE_SEEN do not hold for this request
  bool hide_seen = true;
};

struct RuleVerdict {
  enum class Kind {
    kShow,
    kLast,   // a wish hides it: only where nothing else is left
    kNever,  // hard
  };
  Kind kind = Kind::kShow;
  absl::string_view by =
      {};  // the rule, or "stock" where the catalogue says that it is not on sale

  bool may_show() const { return kind == Kind::kShow; }
};

// The rules that hold for one request at one placement. Immutable once made.
class ShelfRules {
 public:
  struct Pin {
    size_t position;  // from 0
    absl::string_view product_id;
    absl::string_view rule;
  };

  // The set's rules, then the placement's. All arguments must outlive it.
  ShelfRules(const PlacementSet& set, const Placement& placement, const ShelfFacts& facts);

  // O(rules). Thread-safe.
  RuleVerdict Judge(uint32_t number, const Product& product) const;

  // What its score is multiplied by; appends the rules that say so.
  double Boost(const Product& product, std::vector<absl::string_view>* by) const;
  bool has_boosts() const { return !boosts_.empty(); }

  const std::vector<Pin>& pins() const { return pins_; }  // by position; one for a position
  const std::vector<const Rule*>& caps() const { return caps_; }
  // The value of which this product is one more under a cap; nullopt: it does not count.
  std::optional<absl::string_view> CappedValue(const Rule& cap, const Product& product) const;
  // Only products of this category may be shown; empty: of all.
  absl::string_view only_category() const { return only_category_; }

 private:
  void Take(const Rule& rule);
  bool Holds(const Rule& rule) const;
  bool IsAbout(const Rule& rule, const Product& product) const;
  bool Satisfies(const ProductCondition& condition, const Product& product) const;
  bool InWindow(const PriceWindow& window, const Product& product) const;
  bool HidesFor(const Rule& rule, uint32_t number) const;  // wishes, and what the cart holds

  const ShelfFacts& facts_;
  std::vector<const Rule*> judges_;  // hard ones in front of wishes
  std::vector<const Rule*> boosts_;
  std::vector<Pin> pins_;
  std::vector<const Rule*> caps_;
  absl::string_view only_category_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_RULES_H_
