// What customers brought, and what they are expected to bring.

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/customer_base/report_parts.h"

namespace vitrine::customer_report {
namespace {

constexpr Report::Unit kShare = Report::Unit::kShare;
constexpr size_t kTenths = 10;

// Places in facts.values, the greatest first; equal ones in the order of customers.
template <typename ValueOf>
std::vector<size_t> Descending(const Facts& facts, ValueOf value_of) {
  std::vector<size_t> order(facts.values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return value_of(facts.values[a]) > value_of(facts.values[b]);
  });
  return order;
}

std::string DayText(int32_t day) { return absl::FormatCivilTime(CivilDayOf(day)); }

}  // namespace

void AddDistribution(const Facts& facts, Report* report) {
  const std::vector<size_t> order = Descending(
      facts, [](const CustomerValue& v) { return static_cast<double>(v.summary.net_minor()); });
  double all = 0;
  for (const CustomerValue& value : facts.values) {
    all += static_cast<double>(value.summary.net_minor());
  }
  Report::Table table = {"value_distribution",
                         "",
                         {{"tenth"},
                          {"customers"},
                          facts.MoneyColumn("net_revenue"),
                          {"share", 1, kShare},
                          {"running_share", 1, kShare},
                          facts.MoneyColumn("earned"),
                          facts.MoneyColumn("expected_revenue")},
                         {}};
  double so_far = 0;
  for (size_t tenth = 0; tenth < kTenths; ++tenth) {
    const size_t begin = order.size() * tenth / kTenths;
    const size_t end = order.size() * (tenth + 1) / kTenths;
    double net = 0, earned = 0, expected = 0;
    for (size_t i = begin; i < end; ++i) {
      const CustomerValue& value = facts.values[order[i]];
      net += static_cast<double>(value.summary.net_minor());
      earned += value.earned_minor;
      expected += value.expected_revenue_minor;
    }
    so_far += net;
    table.rows.push_back({absl::StrCat(tenth + 1), static_cast<int64_t>(end - begin),
                          facts.Money(net), ShareOf(net, all), ShareOf(so_far, all),
                          facts.Money(earned), facts.Money(expected)});
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kBars, "value_distribution", {"tenth", "share"}});
}

void AddExpected(const Facts& facts, Report* report) {
  Report::Table table = {"expected_revenue",
                         "",
                         {{"horizon_days"},
                          {"expected_purchases", 1},
                          {"at_past_rate", 1},
                          facts.MoneyColumn("expected_revenue"),
                          facts.MoneyColumn("lifetime_value")},
                         {}};
  const int32_t whole = facts.options.value.horizon_days;
  std::vector<int32_t> horizons;
  for (const int32_t days : {30, 91, 182}) {
    if (days < whole) horizons.push_back(days);
  }
  horizons.push_back(whole);
  for (const int32_t days : horizons) {
    ValueModel model = facts.model;
    model.options.horizon_days = days;
    double purchases = 0, past_rate = 0, revenue = 0, lifetime = 0;
    for (const size_t c : facts.buyers) {
      const CustomerValue value = *ScoreCustomer(model, facts.histories[c], facts.as_of);
      purchases += value.expected_purchases;
      past_rate += PurchasesAtPastRate(value.summary.history, days / kDaysPerWeek);
      revenue += value.expected_revenue_minor;
      lifetime += value.lifetime_value_minor;
    }
    table.rows.push_back({static_cast<int64_t>(days), purchases, past_rate, facts.Money(revenue),
                          facts.Money(lifetime)});
  }
  report->tables.push_back(std::move(table));
}

void AddBest(const Facts& facts, Report* report) {
  std::vector<size_t> order =
      Descending(facts, [](const CustomerValue& v) { return v.lifetime_value_minor; });
  order.resize(std::min(order.size(), facts.options.top));
  Report::Table table = {"best_customers",
                         "",
                         {{"customer"},
                          {"life_stage"},
                          {"purchase_days"},
                          {"last_purchase", 0, Report::Unit::kDay},
                          {"alive", 1, kShare},
                          {"expected_purchases", 1},
                          facts.MoneyColumn("value_of_purchase"),
                          facts.MoneyColumn("expected_revenue"),
                          facts.MoneyColumn("lifetime_value")},
                         {}};
  for (const size_t i : order) {
    const CustomerValue& value = facts.values[i];
    table.rows.push_back(
        {facts.base.customers[facts.buyers[i]].person.id, StageCell(value.stage),
         value.summary.history.purchases + 1, DayText(value.summary.last_day), value.alive,
         value.expected_purchases, facts.Money(value.expected_value_minor),
         facts.Money(value.expected_revenue_minor), facts.Money(value.lifetime_value_minor)});
  }
  report->tables.push_back(std::move(table));
}

void AddUnprofitable(const Facts& facts, Report* report) {
  std::vector<size_t> order =
      Descending(facts, [](const CustomerValue& v) { return -v.earned_minor; });
  Report::Table table = {"unprofitable_customers",
                         "",
                         {{"customer"},
                          {"life_stage"},
                          {"orders"},
                          facts.MoneyColumn("bought"),
                          facts.MoneyColumn("refunded"),
                          facts.MoneyColumn("earned")},
                         {}};
  for (const size_t i : order) {
    const CustomerValue& value = facts.values[i];
    if (value.earned_minor >= 0 || table.rows.size() == facts.options.top) break;
    table.rows.push_back({facts.base.customers[facts.buyers[i]].person.id, StageCell(value.stage),
                          value.summary.orders,
                          facts.Money(static_cast<double>(value.summary.bought_minor)),
                          facts.Money(static_cast<double>(value.summary.refunded_minor)),
                          facts.Money(value.earned_minor)});
  }
  if (!table.rows.empty()) report->tables.push_back(std::move(table));
}

}  // namespace vitrine::customer_report
