#include "recommender/customer_base/customer_values.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine {
namespace {

constexpr double kDaysPerYear = 365.25;
constexpr int32_t kPeriodDays = 28;    // what is earned within one is discounted alike
constexpr double kPriorPurchases = 5;  // that shares of one customer are mixed with
constexpr double kLeftMin = 0.01;      // of customers, for P(alive) to say something

// Sums over all customers.
struct Sums {
  double bought = 0, refunded = 0, earned = 0;
  double purchase_days = 0;
  double gap_days = 0, gaps = 0;
};

Sums Add(std::span<const PurchaseSummary> summaries, double resold_share) {
  Sums sums;
  for (const PurchaseSummary& s : summaries) {
    sums.bought += static_cast<double>(s.bought_minor);
    sums.refunded += static_cast<double>(s.refunded_minor);
    sums.earned += EarnedMinor(s, resold_share);
    sums.purchase_days += static_cast<double>(s.history.purchases + 1);
    sums.gap_days += s.last_day - s.first_day;
    sums.gaps += static_cast<double>(s.history.purchases);
  }
  return sums;
}

double ExpectedValueMinor(const ValueModel& model, const PurchaseSummary& summary) {
  if (model.spending) {
    return model.spending->ExpectedValue({summary.paid_repeats, summary.monetary_value});
  }
  const double days = static_cast<double>(summary.history.purchases + 1);
  return (static_cast<double>(summary.bought_minor) + model.mean_value_minor) / (days + 1);
}

// The customer's own share of what they bought, drawn towards that of all.
double OwnShare(const ValueModel& model, double own_minor, double bought_minor, double of_all) {
  const double prior = kPriorPurchases * model.mean_value_minor;
  return bought_minor + prior > 0 ? (own_minor + of_all * prior) / (bought_minor + prior) : of_all;
}

}  // namespace

std::vector<std::vector<PurchaseDay>> Histories(const CustomerBase& base) {
  std::vector<std::vector<PurchaseDay>> histories;
  histories.reserve(base.customers.size());
  for (const CustomerHistory& customer : base.customers) histories.push_back(customer.days);
  return histories;
}

ValueModel FitValueModel(std::span<const std::vector<PurchaseDay>> customers, int32_t day,
                         const ValueOptions& options) {
  ValueModel model;
  model.options = options;
  std::vector<PurchaseSummary> summaries;
  std::vector<RepeatHistory> histories;
  std::vector<Spending> spendings;
  for (const std::vector<PurchaseDay>& days : customers) {
    const std::optional<PurchaseSummary> summary = SummarizePurchases(days, day);
    if (!summary) continue;
    summaries.push_back(*summary);
    histories.push_back(summary->history);
    if (summary->paid_repeats > 0) {
      spendings.push_back({summary->paid_repeats, summary->monetary_value});
    }
  }
  const Sums sums = Add(summaries, options.resold_share);
  if (sums.purchase_days > 0) model.mean_value_minor = sums.bought / sums.purchase_days;
  if (sums.bought > 0) {
    model.net_share = (sums.bought - sums.refunded) / sums.bought;
    model.earned_share = sums.earned / sums.bought;
  }
  if (sums.gaps > 0) model.site_gap_days = sums.gap_days / sums.gaps;
  absl::StatusOr<FittedPurchaseModel> purchases =
      FitPurchaseModel(options.model, std::move(histories));
  model.purchases_status = purchases.status();
  if (purchases.ok()) {
    model.purchases = purchases->model;
    model.purchases_info = std::move(purchases->info);
    double alive = 0;
    for (const PurchaseSummary& summary : summaries) {
      alive += model.purchases->ProbabilityAlive(summary.history);
    }
    model.stages_by_model = alive <= (1 - kLeftMin) * static_cast<double>(summaries.size());
  }
  absl::StatusOr<FittedGammaGamma> spending = FitGammaGamma(std::move(spendings));
  model.spending_status = spending.status();
  if (spending.ok()) {
    model.spending = spending->model;
    model.spending_info = std::move(spending->info);
    model.spending_correlation = spending->correlation;
  }
  return model;
}

LifeStage StageAt(const ValueModel& model, std::span<const PurchaseDay> days, int32_t day) {
  const std::optional<PurchaseSummary> summary = SummarizePurchases(days, day);
  if (!summary) return LifeStage::kProspect;
  const LifeCycleRules& rules = model.options.rules;
  if (model.stages_by_model) return StageByModel(*summary, day, *model.purchases, rules);
  // Nobody came back yet: a year is a gap as good as any.
  const double gap = model.site_gap_days > 0 ? model.site_gap_days : kDaysPerYear;
  return StageByGap(*summary, day, gap, rules);
}

std::optional<CustomerValue> ScoreCustomer(const ValueModel& model,
                                           std::span<const PurchaseDay> days, int32_t day) {
  const std::optional<PurchaseSummary> summary = SummarizePurchases(days, day);
  if (!summary) return std::nullopt;
  const ValueOptions& options = model.options;
  CustomerValue value;
  value.summary = *summary;
  value.stage = StageAt(model, days, day);
  value.earned_minor = EarnedMinor(*summary, options.resold_share);
  value.expected_value_minor = ExpectedValueMinor(model, *summary);
  const double weeks = options.horizon_days / kDaysPerWeek;
  double discounted;
  if (model.purchases) {
    const int periods = std::max(1, options.horizon_days / kPeriodDays);
    const double discount =
        std::pow(1 + options.yearly_discount, options.horizon_days / kDaysPerYear / periods) - 1;
    value.alive = model.purchases->ProbabilityAlive(summary->history);
    value.expected_purchases = model.purchases->ExpectedPurchases(summary->history, weeks);
    discounted =
        model.purchases->DiscountedPurchases(summary->history, weeks / periods, periods, discount);
  } else {
    value.alive = value.stage == LifeStage::kLapsed ? 0 : 1;
    value.expected_purchases = value.alive * PurchasesAtPastRate(summary->history, weeks);
    discounted = value.expected_purchases;
  }
  const auto bought = static_cast<double>(summary->bought_minor);
  const double net = OwnShare(model, bought - static_cast<double>(summary->refunded_minor), bought,
                              model.net_share);
  const double earned = OwnShare(model, value.earned_minor, bought, model.earned_share);
  value.expected_revenue_minor = value.expected_purchases * value.expected_value_minor * net;
  value.lifetime_value_minor = discounted * value.expected_value_minor * earned;
  return value;
}

}  // namespace vitrine
