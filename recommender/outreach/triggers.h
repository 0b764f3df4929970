// What gives a shop cause to write to somebody by itself: pure functions of the facts.
//
//   for (const Cause& cause : CausesOf(trigger, facts)) ...  // of one customer
//
// A cause has an id that follows from what happened, to whom and when, so that the same facts give
// the same id whenever they are looked at, and it is never spoken of twice. It goes away when the
// facts do (they ordered meanwhile): whoever waits for its time asks again before they speak.
//
// - CART_ABANDONED: the cart holds something; due `delay_minutes` after the last thing was put in.
// - BACK_IN_STOCK, PRICE_DROP: they viewed the product, wished for it or put it into the cart
// within
//   `interest_days` before it changed, and have not bought it since.
// - LAPSE_RISK: due `gap_factor` usual gaps after the last order. The usual gap is the median of
//   those between the days of their own orders, from three orders on.
// - BUY_AGAIN_DUE: for each product bought three times or more, the median of their own gaps after
//   the last time; bought twice or once, the product's usual gap, if the caller knows one.
// - BIRTHDAY: at `at_minute` of the day by their clock; of 29 February, in other years, the 28th.
// - FIRST_ORDER: due `delay_minutes` after it.
//
// A refund takes no order back: what came back was ordered all the same.

#ifndef VITRINE_RECOMMENDER_OUTREACH_TRIGGERS_H_
#define VITRINE_RECOMMENDER_OUTREACH_TRIGGERS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/outreach_types.h"
#include "store/records_types.h"

namespace vitrine {

// A product whose price or stock is not what it was.
struct ProductChange {
  std::string product_id;
  int64_t back_ms = 0;  // since when it is in stock again; 0: that is no news
  int64_t drop_ms = 0;  // since when it costs less; 0: it does not
  int64_t price_before_minor = 0;
  int64_t price_minor = 0;
};

struct TriggerFacts {
  std::string customer_id;
  std::span<const Event> events;  // of the customer, newest first
  // IANA name; empty or unknown: UTC. And "MM-DD" or "YYYY-MM-DD"; anything else: not known.
  std::string time_zone;
  std::string birthday;
  int64_t now_ms = 0;
  std::span<const ProductChange> changes;  // of products they may have an interest in
  // Usual days between two purchases of a product by one customer; may be null.
  const absl::flat_hash_map<std::string, double>* product_gap_days = nullptr;
};

struct Cause {
  std::string id;                     // "<trigger>-<32 hexadecimal digits>"
  int64_t due_ms = 0;                 // not to be spoken of before
  int64_t until_ms = 0;               // nor from then on
  std::vector<std::string> products;  // that it is about, may be empty
};

// Those that are due or will be, not those whose time is over. At most one but for BACK_IN_STOCK,
// PRICE_DROP and BUY_AGAIN_DUE, which have one for each product. O(events + changes).
std::vector<Cause> CausesOf(const Trigger& trigger, const TriggerFacts& facts);

// OK, or InvalidArgument that begins with the place of the first mistake.
absl::Status ValidateTriggers(const TriggerSet& triggers);

// "cart_abandoned" and so on.
absl::string_view NameOf(TriggerKind kind);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OUTREACH_TRIGGERS_H_
