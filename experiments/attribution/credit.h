// Which shelf earned what a person did afterwards: last touch within a window, or what the event
// itself says.
//
// An event is about its items, and each is credited once, on its own:
//   - to the shelf that the event names (Event.recommendation_id), whenever that was, at the place
//     of the product; a named shelf that nobody knows of leaves the event without credit;
//   - else, also where the named shelf does not hold the product, to the newest shelf that showed
//     the product and is not newer than the event nor older than the window.
// What is refunded is taken off where its purchase was credited, at most as much as that was worth.
//
// Pure functions: the order in which shelves and events come makes no difference.

#ifndef VITRINE_EXPERIMENTS_ATTRIBUTION_CREDIT_H_
#define VITRINE_EXPERIMENTS_ATTRIBUTION_CREDIT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "store/records_types.h"

namespace vitrine {

struct CreditWindows {
  int64_t click_ms = int64_t{30} * 60 * 1000;           // clicks and what is put into the cart
  int64_t order_ms = int64_t{7} * 24 * 60 * 60 * 1000;  // purchases
};

enum class Credited {
  kClick,     // select_item, view_item
  kCart,      // add_to_cart
  kPurchase,  // purchase
  kRefund,    // refund: of a purchase that was credited
};

// What events of this kind are credited as; none: they never are.
std::optional<Credited> CreditedKind(EventKind kind);

struct Credit {
  size_t event = 0;     // place in `events`; of a refund, that of the refund
  size_t purchase = 0;  // of a refund: the purchase it takes off; else `event`
  size_t shelf = 0;     // place in `shelves`
  size_t position = 0;  // place in the shelf's products
  Credited as = Credited::kClick;
  bool named = false;  // the event said so itself
  int32_t pieces = 0;
  int64_t value_minor = 0;  // in the purchase's currency; of a refund below 0; 0 without a price

  bool operator==(const Credit&) const = default;
};

struct Crediting {
  std::vector<Credit> credits;  // by time of the event, then its id
  size_t unknown = 0;           // events that name a shelf which is not among `shelves`
};

// `shelves`: all that the person was shown, and those that their events name; `events`: the
// person's. Events of other kinds than CreditedKind knows are passed over. O((shown products +
// items) log of them).
Crediting CreditEvents(std::span<const Exposure> shelves, std::span<const Event> events,
                       const CreditWindows& windows);

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_ATTRIBUTION_CREDIT_H_
