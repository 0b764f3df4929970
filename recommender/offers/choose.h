// Which of a shop's offers to make to this person now: a pure function of the offers and the facts.
//
//   const OfferChoice choice = ChooseOffers(offers, facts);
//   for (const OfferDecision& made : choice.made) ...     // best first
//   for (const OfferDecision& refused : choice.refused) ...  // each with why
//
// Every offer handed in is in exactly one of the two lists. One is made if its terms allow (dates,
// currency, channel, segments, value, products, cart), budget and uses are left, the order keeps
// the margin floor, the contact policy allows it at this moment, it is expected to bring more than
// it costs, and none that stands higher excludes it.
//
// Expected incremental margin, in minor units, of an order of worth V with margin M (both in minor
// units), which comes about with probability p with the offer and q without it, at a cost c of the
// offer:
//
//   p (M - c) - q M
//
// With q = 0 and no cost that is propensity x margin x value. What is counted is the difference
// that the offer makes: a discount for somebody who buys anyway costs c and brings nothing.
// (Hansotia and Rukstales, "Incremental value modeling", Journal of Interactive Marketing 16(3),
// 2002.) A gain in what the customer is worth later may be handed in beside it and is added.
//
// Exploration: with probability `explore` the first place goes to one drawn among those that could
// have it, each alike. Where n could, the best stands first with probability 1 - e + e/n, another
// with e/n: OfferDecision.probability, for off-policy evaluation.

#ifndef VITRINE_RECOMMENDER_OFFERS_CHOOSE_H_
#define VITRINE_RECOMMENDER_OFFERS_CHOOSE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

#include "recommender/offers/contact_policy.h"
#include "store/offers_types.h"

namespace vitrine {

// A product in the cart or on the page, in minor units of OfferFacts.currency.
struct OfferProduct {
  std::string id;
  std::string category;  // "Shoes > Boots"; empty: not known
  int64_t quantity = 1;  // in the cart; 0: only on the page
  int64_t price_minor = 0;
  int64_t margin_minor = 0;  // of one piece
};

// What a model thinks of one offer and this person; all probabilities.
struct OfferOdds {
  double buys_with = 0;     // p: orders, if the offer is made
  double buys_without = 0;  // q: orders all the same
  double later_minor = 0;   // worth of what it changes after this order
};

// What is left of an offer (store/ledger.h): absent, it has no end there.
struct OfferLeft {
  std::optional<int64_t> budget_minor;
  std::optional<int64_t> uses;
  std::optional<int64_t> uses_by_customer;
};

struct OfferFacts {
  int64_t now_ms = 0;
  Channel channel = WEB;
  std::string currency;  // ISO 4217: of the amounts below
  absl::flat_hash_set<std::string> segments;
  std::optional<int64_t> value_minor;  // what the customer is worth; absent: not known
  std::vector<OfferProduct> products;
  // The order that is expected, where the cart does not say: its worth and its margin.
  int64_t usual_order_minor = 0;
  int64_t usual_margin_minor = 0;
  // By offer id; one that is not here has the default.
  absl::flat_hash_map<std::string, OfferOdds> odds;
  absl::flat_hash_map<std::string, OfferLeft> left;
  // Null: contacts are not judged (a preview for the shop's own eyes).
  const ContactFacts* contact = nullptr;
  size_t k = 3;  // made at most
  // Exploration: probability in [0, 1], and two numbers in [0, 1) drawn by the caller: whether, and
  // which.
  double explore = 0;
  double draw_whether = 1;
  double draw_which = 0;
};

struct OfferChoice {
  std::vector<OfferDecision> made;     // best first, but for one that is tried out
  std::vector<OfferDecision> refused;  // as they were handed in
};

// REQUIRES: ValidateOffer says OK of each, and their ids differ. Thread-safe. O(n log n) in the
// offers, times the lists of one; the contact policy is judged once for each purpose.
OfferChoice ChooseOffers(std::span<const ShopOffer> offers, const OfferFacts& facts);

// What the offer would cost, used on this cart (or on the usual order), in minor units.
int64_t CostOf(const ShopOffer& offer, const OfferFacts& facts);

// "wrong_segment" and so on.
absl::string_view NameOf(OfferRefusal refusal);
absl::string_view NameOf(OfferReason reason);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFERS_CHOOSE_H_
