// What a customer's purchases come to in the terms of customer-base analysis: how often, how
// recently, known for how long, how much.
//
// The conventions are those of R's BTYD and Python's lifetimes, so that figures can be compared
// with theirs: all that is bought on one day is one purchase; the first one is not counted, as it
// is how the customer came to be known; time runs from the first purchase, in weeks (or whatever
// `days_per_unit` says).

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_SUMMARY_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace vitrine {

// An order line, or something given back, in one currency.
struct Transaction {
  int64_t time_ms = 0;       // UTC
  int64_t amount_minor = 0;  // paid, or paid back; not negative
  int64_t margin_minor = 0;  // the part of the amount that the shop earned; may be negative
  bool refund = false;
  std::string order_id = {};  // lines of one order have one id; empty: an order of its own
};

// A day on which something was bought or given back.
struct PurchaseDay {
  int32_t day = 0;     // since 1970-01-01, in the shop's time zone
  int32_t orders = 0;  // 0: something came back, nothing was bought
  int64_t amount_minor = 0;
  int64_t margin_minor = 0;
  int64_t refunded_minor = 0;         // not negative
  int64_t refunded_margin_minor = 0;  // the part of it that had been earned

  bool operator==(const PurchaseDay&) const = default;
};

int32_t DayNumber(absl::CivilDay day);
absl::CivilDay CivilDayOf(int32_t day_number);

// The days of one customer, ascending, each once. O(n log n).
std::vector<PurchaseDay> MergeDays(std::span<const Transaction> transactions,
                                   absl::TimeZone time_zone);

// Repeat purchases, for the models of purchase_model.h: x, t_x and T of the literature.
// INVARIANT: 0 <= recency <= age; recency is 0 if there is no repeat purchase.
struct RepeatHistory {
  int64_t purchases = 0;  // x: days with a purchase, without the first
  double recency = 0;     // t_x: from the first purchase to the last
  double age = 0;         // T: from the first purchase to the end of the period

  auto operator<=>(const RepeatHistory&) const = default;
};

// Of a customer who bought something, up to and including a day.
struct PurchaseSummary {
  RepeatHistory history;
  // z: the mean amount of the repeat purchase days on which something was paid, in minor units;
  // without the first, which is how lifetimes and the Gamma-Gamma model have it. 0: there is none.
  double monetary_value = 0;
  int64_t paid_repeats = 0;  // days that the mean is of
  int32_t first_day = 0;     // of a purchase
  int32_t last_day = 0;      // of a purchase
  int32_t previous_day = 0;  // of the purchase before the last; of the last where there is one only
  int64_t orders = 0;
  // Sums over everything, the first purchase too.
  int64_t bought_minor = 0;
  int64_t margin_minor = 0;
  int64_t refunded_minor = 0;
  int64_t refunded_margin_minor = 0;

  int64_t net_minor() const { return bought_minor - refunded_minor; }
};

constexpr double kDaysPerWeek = 7;

// Days after `end_day` do not count; none if nothing was bought by then. `days`: ascending, as
// MergeDays gives them. `days_per_unit` above 0. O(days).
std::optional<PurchaseSummary> SummarizePurchases(std::span<const PurchaseDay> days,
                                                  int32_t end_day,
                                                  double days_per_unit = kDaysPerWeek);

// How the customer's history looked on the day of their last purchase, without that purchase. Of a
// customer with one purchase: RepeatHistory{}.
RepeatHistory BeforeLastPurchase(const PurchaseSummary& summary,
                                 double days_per_unit = kDaysPerWeek);

// Days with a purchase after `after_day`, up to and including `end_day`.
int64_t PurchasesBetween(std::span<const PurchaseDay> days, int32_t after_day, int32_t end_day);

// What the shop earned by the customer: margin less returns. Of what came back, it keeps or sells
// again the part `resold_share` (0 to 1) of what it had cost. Negative: the customer cost more than
// they brought.
double EarnedMinor(const PurchaseSummary& summary, double resold_share);

// Histories that are alike, once: a likelihood then costs a row instead of a customer.
struct RepeatRow {
  RepeatHistory history;
  int64_t customers = 0;
};

// By purchases, then recency, then age. O(n log n).
std::vector<RepeatRow> Compress(std::vector<RepeatHistory> histories);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_SUMMARY_H_
