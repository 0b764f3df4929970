#include "recommender/offers/choose.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "store/product_facts.h"

namespace vitrine {
namespace {

bool Has(const std::vector<std::string>& list, absl::string_view value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

struct Order {
  int64_t worth_minor = 0;
  int64_t margin_minor = 0;
};

// The cart, with the pieces of a bundle that it lacks; the usual order if that is nothing.
Order ExpectedOrder(const ShopOffer& offer, const OfferFacts& facts) {
  Order order;
  bool any = false;
  for (const OfferProduct& product : facts.products) {
    const bool is_lacking =
        product.quantity == 0 && offer.kind == BUNDLE && Has(offer.products, product.id);
    const int64_t pieces = is_lacking ? 1 : product.quantity;
    any = any || pieces > 0;
    order.worth_minor += pieces * product.price_minor;
    order.margin_minor += pieces * product.margin_minor;
  }
  return any ? order : Order{facts.usual_order_minor, facts.usual_margin_minor};
}

// What of the order a discount is on.
int64_t DiscountedMinor(const ShopOffer& offer, const OfferFacts& facts) {
  if (offer.products.empty()) return ExpectedOrder(offer, facts).worth_minor;
  int64_t worth_minor = 0;
  for (const OfferProduct& product : facts.products) {
    if (Has(offer.products, product.id)) {
      worth_minor += std::max<int64_t>(product.quantity, 1) * product.price_minor;
    }
  }
  return worth_minor;
}

// --- Eligibility ---

template <typename Test>
bool Any(const OfferFacts& facts, Test test) {
  return std::any_of(facts.products.begin(), facts.products.end(), test);
}

bool AreProductsThere(const ShopOffer& offer, const OfferFacts& facts) {
  const OfferEligibility& who = offer.eligibility;
  if (!who.products.empty() &&
      !Any(facts, [&](const OfferProduct& p) { return Has(who.products, p.id); })) {
    return false;
  }
  const auto is_in_one = [&who](const OfferProduct& product) {
    return std::any_of(
        who.categories.begin(), who.categories.end(),
        [&product](const std::string& wanted) { return IsInCategory(product.category, wanted); });
  };
  if (!who.categories.empty() && !Any(facts, is_in_one)) return false;
  const bool is_about_products =
      offer.kind == BUNDLE || (offer.kind == DISCOUNT && !offer.products.empty());
  return !is_about_products ||
         Any(facts, [&](const OfferProduct& p) { return Has(offer.products, p.id); });
}

bool IsInSegments(const OfferEligibility& who, const OfferFacts& facts) {
  const auto is_in = [&facts](const std::string& segment) {
    return facts.segments.contains(segment);
  };
  if (std::any_of(who.not_segments.begin(), who.not_segments.end(), is_in)) return false;
  return who.segments.empty() || std::any_of(who.segments.begin(), who.segments.end(), is_in);
}

bool IsOfValue(const OfferEligibility& who, const OfferFacts& facts) {
  const auto& set = who.__isset;
  if (!set.value_min_minor && !set.value_max_minor) return true;
  if (!facts.value_minor.has_value()) return false;
  return (!set.value_min_minor || *facts.value_minor >= who.value_min_minor) &&
         (!set.value_max_minor || *facts.value_minor <= who.value_max_minor);
}

bool IsCartRight(const OfferEligibility& who, const OfferFacts& facts) {
  int64_t cart_minor = 0;
  for (const OfferProduct& product : facts.products) {
    cart_minor += product.quantity * product.price_minor;
  }
  return (!who.__isset.cart_min_minor || cart_minor >= who.cart_min_minor) &&
         (!who.__isset.cart_max_minor || cart_minor <= who.cart_max_minor);
}

std::optional<OfferRefusal> WhyNotEligible(const ShopOffer& offer, const OfferFacts& facts) {
  const OfferEligibility& who = offer.eligibility;
  if (!offer.enabled) return NOT_ENABLED;
  const bool begun = !who.__isset.from_ms || facts.now_ms >= who.from_ms;
  const bool over = who.__isset.to_ms && facts.now_ms >= who.to_ms;
  if (!begun || over) return OFFER_NOT_RUNNING;
  if (offer.currency != facts.currency) return OTHER_CURRENCY;
  const bool is_on_channel =
      who.channels.empty() ||
      std::find(who.channels.begin(), who.channels.end(), facts.channel) != who.channels.end();
  if (!is_on_channel) return WRONG_CHANNEL;
  if (!IsInSegments(who, facts)) return WRONG_SEGMENT;
  if (!IsOfValue(who, facts)) return WRONG_VALUE;
  if (!AreProductsThere(offer, facts)) return NO_SUCH_PRODUCT;
  if (!IsCartRight(who, facts)) return WRONG_CART;
  return std::nullopt;
}

std::optional<OfferRefusal> WhyNotAffordable(const ShopOffer& offer, const OfferFacts& facts,
                                             int64_t cost_minor) {
  const auto found = facts.left.find(offer.id);
  const OfferLeft left = found != facts.left.end() ? found->second : OfferLeft();
  if (left.budget_minor.has_value() && *left.budget_minor < cost_minor) return BUDGET_SPENT;
  if (left.uses.has_value() && *left.uses < 1) return USED_UP;
  if (left.uses_by_customer.has_value() && *left.uses_by_customer < 1) return USED_UP_BY_CUSTOMER;
  if (!offer.__isset.margin_floor) return std::nullopt;
  const Order order = ExpectedOrder(offer, facts);
  const auto margin = static_cast<double>(order.margin_minor - cost_minor);
  if (margin < offer.margin_floor * static_cast<double>(order.worth_minor)) {
    return BELOW_MARGIN_FLOOR;
  }
  return std::nullopt;
}

// --- The contact policy ---

class ContactGate {
 public:
  explicit ContactGate(const OfferFacts& facts) : facts_(facts) {}

  // What stands in the way of making the offer now; nothing does if none.
  std::optional<ContactVerdict> Blocks(const ShopOffer& offer) {
    if (facts_.contact == nullptr) return std::nullopt;
    const auto found = allows_.find(offer.purpose);
    if (found != allows_.end() && found->second) return std::nullopt;
    // Whether it may be made now does not depend on its dates, but until when it is held does.
    ProposedContact proposed;
    proposed.channel = facts_.channel;
    proposed.purpose = offer.purpose;
    if (offer.eligibility.__isset.to_ms) proposed.__set_to_ms(offer.eligibility.to_ms);
    ContactVerdict verdict = JudgeContact(*facts_.contact, proposed, facts_.now_ms);
    const bool allows = verdict.outcome == CONTACT_ALLOWED;
    allows_[offer.purpose] = allows;
    if (allows) return std::nullopt;
    return verdict;
  }

 private:
  const OfferFacts& facts_;
  absl::flat_hash_map<std::string, bool> allows_;  // by purpose
};

// --- The choice ---

double ExpectedMargin(const ShopOffer& offer, const OfferFacts& facts, int64_t cost_minor) {
  const auto found = facts.odds.find(offer.id);
  const OfferOdds odds = found != facts.odds.end() ? found->second : OfferOdds();
  const auto margin = static_cast<double>(ExpectedOrder(offer, facts).margin_minor);
  return odds.buys_with * (margin - static_cast<double>(cost_minor)) - odds.buys_without * margin +
         odds.later_minor;
}

struct Candidate {
  const ShopOffer* offer;
  OfferDecision decision;
};

bool DoNotGoTogether(const ShopOffer& a, const ShopOffer& b) {
  return (!a.group.empty() && a.group == b.group) || Has(a.excludes, b.id) || Has(b.excludes, a.id);
}

// Moves the one that is to stand first there, and says with what probability it would.
void PutFirst(const OfferFacts& facts, std::vector<Candidate>* candidates) {
  if (candidates->empty()) return;
  const double each = facts.explore / static_cast<double>(candidates->size());
  const bool has_best = candidates->front().decision.expected_margin_minor > 0;
  size_t first = 0;
  const bool tries_out = facts.draw_whether < facts.explore;
  if (tries_out) {
    first = std::min(static_cast<size_t>(facts.draw_which * candidates->size()),
                     candidates->size() - 1);
  }
  OfferDecision& chosen = (*candidates)[first].decision;
  const bool is_best = first == 0 && has_best;
  chosen.probability = is_best ? 1 - facts.explore + each : each;
  if (tries_out && !is_best) chosen.__set_reason(TRIED_OUT);
  std::rotate(candidates->begin(), candidates->begin() + static_cast<ptrdiff_t>(first),
              candidates->begin() + static_cast<ptrdiff_t>(first) + 1);
}

// Down the list, whatever goes with those above it.
void Take(const OfferFacts& facts, std::vector<Candidate> candidates, OfferChoice* choice) {
  std::vector<const ShopOffer*> taken;
  for (Candidate& candidate : candidates) {
    OfferDecision& decision = candidate.decision;
    const auto other = std::find_if(taken.begin(), taken.end(), [&](const ShopOffer* above) {
      return DoNotGoTogether(*above, *candidate.offer);
    });
    const bool is_tried = decision.__isset.reason;
    if (!is_tried && decision.expected_margin_minor <= 0) {
      decision.__set_refusal(NO_GAIN);
    } else if (other != taken.end()) {
      decision.__set_refusal(EXCLUDED);
      decision.excluded_by = (*other)->id;
    } else if (taken.size() >= facts.k) {
      decision.__set_refusal(NOT_AMONG_BEST);
    } else {
      if (!is_tried) decision.__set_reason(BEST_MARGIN);
      taken.push_back(candidate.offer);
      choice->made.push_back(std::move(decision));
      continue;
    }
    decision.__isset.reason = false;
    choice->refused.push_back(std::move(decision));
  }
}

}  // namespace

int64_t CostOf(const ShopOffer& offer, const OfferFacts& facts) {
  switch (offer.kind) {
    case DISCOUNT: {
      const int64_t base_minor = DiscountedMinor(offer, facts);
      if (offer.__isset.amount_minor) return std::min(offer.amount_minor, base_minor);
      return std::llround(static_cast<double>(base_minor) * offer.percent / 100);
    }
    case BUNDLE:
      return offer.amount_minor;
    default:
      return offer.cost_minor;
  }
}

OfferChoice ChooseOffers(std::span<const ShopOffer> offers, const OfferFacts& facts) {
  OfferChoice choice;
  ContactGate gate(facts);
  std::vector<Candidate> candidates;
  for (const ShopOffer& offer : offers) {
    OfferDecision decision;
    decision.offer_id = offer.id;
    std::optional<OfferRefusal> refusal = WhyNotEligible(offer, facts);
    if (!refusal.has_value()) {
      decision.cost_minor = CostOf(offer, facts);
      decision.expected_margin_minor = ExpectedMargin(offer, facts, decision.cost_minor);
      refusal = WhyNotAffordable(offer, facts, decision.cost_minor);
    }
    if (!refusal.has_value()) {
      if (std::optional<ContactVerdict> verdict = gate.Blocks(offer)) {
        refusal = BY_CONTACT_POLICY;
        decision.__set_contact(*std::move(verdict));
      }
    }
    if (refusal.has_value()) {
      decision.__set_refusal(*refusal);
      choice.refused.push_back(std::move(decision));
    } else {
      candidates.push_back({&offer, std::move(decision)});
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    const double a_margin = a.decision.expected_margin_minor;
    const double b_margin = b.decision.expected_margin_minor;
    return a_margin != b_margin ? a_margin > b_margin : a.offer->id < b.offer->id;
  });
  PutFirst(facts, &candidates);
  Take(facts, std::move(candidates), &choice);
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (size_t i = 0; i < offers.size(); ++i) places[offers[i].id] = i;
  std::sort(choice.refused.begin(), choice.refused.end(),
            [&places](const OfferDecision& a, const OfferDecision& b) {
              return places[a.offer_id] < places[b.offer_id];
            });
  return choice;
}

absl::string_view NameOf(OfferRefusal refusal) {
  switch (refusal) {
    case NOT_ENABLED:
      return "not_enabled";
    case OFFER_NOT_RUNNING:
      return "not_running";
    case OTHER_CURRENCY:
      return "other_currency";
    case WRONG_CHANNEL:
      return "wrong_channel";
    case WRONG_SEGMENT:
      return "wrong_segment";
    case WRONG_VALUE:
      return "wrong_value";
    case NO_SUCH_PRODUCT:
      return "no_such_product";
    case WRONG_CART:
      return "wrong_cart";
    case BUDGET_SPENT:
      return "budget_spent";
    case USED_UP:
      return "used_up";
    case USED_UP_BY_CUSTOMER:
      return "used_up_by_customer";
    case BELOW_MARGIN_FLOOR:
      return "below_margin_floor";
    case BY_CONTACT_POLICY:
      return "by_contact_policy";
    case NO_GAIN:
      return "no_gain";
    case EXCLUDED:
      return "excluded";
    case NOT_AMONG_BEST:
      return "not_among_best";
  }
  return "unknown";
}

absl::string_view NameOf(OfferReason reason) {
  switch (reason) {
    case BEST_MARGIN:
      return "best_margin";
    case TRIED_OUT:
      return "tried_out";
  }
  return "unknown";
}

}  // namespace vitrine
