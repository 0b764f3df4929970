#include "recommender/customers/purchase_summary.h"

#include <algorithm>
#include <limits>

namespace vitrine {
namespace {

constexpr absl::CivilDay kEpoch(1970, 1, 1);

// Absurd amounts stay at the end of the range.
void Add(int64_t amount, int64_t* sum) {
  if (!__builtin_add_overflow(*sum, amount, sum)) return;
  *sum = amount < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

}  // namespace

int32_t DayNumber(absl::CivilDay day) { return static_cast<int32_t>(day - kEpoch); }

absl::CivilDay CivilDayOf(int32_t day_number) { return kEpoch + day_number; }

std::vector<PurchaseDay> MergeDays(std::span<const Transaction> transactions,
                                   absl::TimeZone time_zone) {
  struct Line {
    int32_t day;
    const Transaction* transaction;
  };
  std::vector<Line> lines;
  lines.reserve(transactions.size());
  for (const Transaction& transaction : transactions) {
    const absl::Time time = absl::FromUnixMillis(transaction.time_ms);
    lines.push_back({DayNumber(absl::ToCivilDay(time, time_zone)), &transaction});
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return a.day != b.day ? a.day < b.day : a.transaction->order_id < b.transaction->order_id;
  });
  std::vector<PurchaseDay> days;
  const Transaction* bought = nullptr;  // the last line of this day that was
  for (const auto& [day, line] : lines) {
    if (days.empty() || days.back().day != day) {
      days.push_back({.day = day});
      bought = nullptr;
    }
    PurchaseDay& sum = days.back();
    if (line->refund) {
      Add(line->amount_minor, &sum.refunded_minor);
      Add(line->margin_minor, &sum.refunded_margin_minor);
      continue;
    }
    if (bought == nullptr || line->order_id.empty() || line->order_id != bought->order_id) {
      ++sum.orders;
    }
    bought = line;
    Add(line->amount_minor, &sum.amount_minor);
    Add(line->margin_minor, &sum.margin_minor);
  }
  return days;
}

std::optional<PurchaseSummary> SummarizePurchases(std::span<const PurchaseDay> days,
                                                  int32_t end_day, double days_per_unit) {
  PurchaseSummary sum;
  int64_t purchases = 0;
  int64_t repeat_minor = 0;
  for (const PurchaseDay& day : days) {
    if (day.day > end_day) break;
    Add(day.refunded_minor, &sum.refunded_minor);
    Add(day.refunded_margin_minor, &sum.refunded_margin_minor);
    if (day.orders == 0) continue;
    sum.orders += day.orders;
    Add(day.amount_minor, &sum.bought_minor);
    Add(day.margin_minor, &sum.margin_minor);
    sum.previous_day = purchases == 0 ? day.day : sum.last_day;
    sum.last_day = day.day;
    if (++purchases == 1) {
      sum.first_day = day.day;
    } else if (day.amount_minor > 0) {
      Add(day.amount_minor, &repeat_minor);
      ++sum.paid_repeats;
    }
  }
  if (purchases == 0) return std::nullopt;
  sum.history = {.purchases = purchases - 1,
                 .recency = (sum.last_day - sum.first_day) / days_per_unit,
                 .age = (end_day - sum.first_day) / days_per_unit};
  if (sum.paid_repeats > 0) {
    sum.monetary_value = static_cast<double>(repeat_minor) / static_cast<double>(sum.paid_repeats);
  }
  return sum;
}

RepeatHistory BeforeLastPurchase(const PurchaseSummary& summary, double days_per_unit) {
  if (summary.history.purchases == 0) return {};
  return {.purchases = summary.history.purchases - 1,
          .recency = (summary.previous_day - summary.first_day) / days_per_unit,
          .age = (summary.last_day - summary.first_day) / days_per_unit};
}

int64_t PurchasesBetween(std::span<const PurchaseDay> days, int32_t after_day, int32_t end_day) {
  return std::count_if(days.begin(), days.end(), [&](const PurchaseDay& day) {
    return day.orders > 0 && day.day > after_day && day.day <= end_day;
  });
}

double EarnedMinor(const PurchaseSummary& summary, double resold_share) {
  const auto refunded = static_cast<double>(summary.refunded_minor);
  const double cost = refunded - static_cast<double>(summary.refunded_margin_minor);
  return static_cast<double>(summary.margin_minor) - refunded + resold_share * cost;
}

std::vector<RepeatRow> Compress(std::vector<RepeatHistory> histories) {
  std::sort(histories.begin(), histories.end());
  std::vector<RepeatRow> rows;
  for (const RepeatHistory& history : histories) {
    if (rows.empty() || rows.back().history != history) rows.push_back({history, 0});
    ++rows.back().customers;
  }
  return rows;
}

}  // namespace vitrine
