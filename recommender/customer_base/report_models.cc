// The models themselves, and what they would have said of the last months.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "recommender/customer_base/report_parts.h"
#include "recommender/customers/holdout.h"

namespace vitrine::customer_report {
namespace {

constexpr Report::Unit kShare = Report::Unit::kShare;

Report::Message ModelCell(absl::string_view name) { return {absl::StrCat("value_model.", name)}; }

std::string ParameterText(const PurchaseModel& model) {
  const auto& p = model.parameters;
  const bool pareto = model.kind == PurchaseModelKind::kParetoNbd;
  return absl::StrFormat("r=%.4g α=%.4g %s=%.4g %s=%.4g", p[0], p[1], pareto ? "s" : "a", p[2],
                         pareto ? "β" : "b", p[3]);
}

std::vector<Report::Cell> ModelRow(absl::string_view name, std::string parameters,
                                   const FitInfo& info) {
  return {ModelCell(name), std::move(parameters), info.log_likelihood,
          info.customers,  info.reason,           static_cast<int64_t>(info.evaluations)};
}

std::vector<RepeatHistory> HistoriesOf(const Facts& facts) {
  std::vector<RepeatHistory> histories;
  for (const CustomerValue& value : facts.values) histories.push_back(value.summary.history);
  return histories;
}

// A way to say how often somebody will buy in the holdout.
struct Method {
  std::string name;
  std::optional<PurchaseModel> model;  // none: at the past rate
  ForecastQuality quality = {};
};

void AddHoldoutByPurchases(const std::vector<HoldoutCase>& cases,
                           const std::vector<Method>& methods, Report* report) {
  const ByFrequency by = HoldoutByFrequency(cases);
  Report::Table table = {"holdout_by_purchases", "", {{"repeat_purchases"}, {"customers"}}, {}};
  table.columns.push_back({"bought_on_average", 3});
  for (const Method& method : methods) table.columns.push_back({method.name, 3});
  for (size_t g = 0; g < kFrequencyGroups; ++g) {
    if (by.customers[g] == 0) continue;
    std::vector<Report::Cell>& row = table.rows.emplace_back();
    row.push_back(absl::StrCat(g, g + 1 == kFrequencyGroups ? "+" : ""));
    row.push_back(by.customers[g]);
    row.push_back(by.mean_bought[g]);
    for (const Method& method : methods) row.push_back(method.quality.mean_by_frequency[g]);
  }
  report->tables.push_back(std::move(table));
  report->plots.push_back({Report::Plot::Kind::kBars,
                           "holdout_by_purchases",
                           {"repeat_purchases", "bought_on_average"}});
}

}  // namespace

void AddModels(const Facts& facts, Report* report) {
  Report::Table table = {"value_models",
                         "",
                         {{"value_model"},
                          {"parameters"},
                          {"log_likelihood", 2},
                          {"customers"},
                          {"ended_by"},
                          {"evaluations"}},
                         {}};
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const auto fitted = FitPurchaseModel(kind, HistoriesOf(facts));
    if (!fitted.ok()) continue;
    table.rows.push_back(
        ModelRow(PurchaseModelName(kind), ParameterText(fitted->model), fitted->info));
  }
  if (facts.model.spending) {
    const auto& [p, q, gamma] = *facts.model.spending;
    table.rows.push_back(ModelRow("gamma_gamma",
                                  absl::StrFormat("p=%.4g q=%.4g γ=%.4g", p, q, facts.Money(gamma)),
                                  facts.model.spending_info));
  }
  if (!table.rows.empty()) report->tables.push_back(std::move(table));
}

void AddHoldout(const Facts& facts, Report* report) {
  int32_t first = facts.as_of;
  for (const CustomerValue& value : facts.values) first = std::min(first, value.summary.first_day);
  const int32_t asked = facts.options.holdout_days;
  const int32_t days = asked > 0 ? asked : (facts.as_of - first) / 3;
  const int32_t calibration_end = facts.as_of - days;
  const std::vector<HoldoutCase> cases =
      SplitHistories(facts.histories, calibration_end, facts.as_of);
  std::vector<RepeatHistory> histories;
  for (const HoldoutCase& c : cases) histories.push_back(c.history);
  std::vector<Method> methods = {{"past_rate", std::nullopt}};
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const auto fitted = FitPurchaseModel(kind, histories);
    if (fitted.ok()) methods.push_back({std::string(PurchaseModelName(kind)), fitted->model});
  }
  if (cases.empty() || methods.size() == 1) return;
  int64_t bought = 0;
  for (const HoldoutCase& c : cases) bought += c.bought;
  Report::Table table = {"holdout",
                         "",
                         {{"value_model"},
                          {"forecast_purchases", 1},
                          {"total_error", 1, kShare},
                          {"mean_absolute_error", 4},
                          {"root_mean_square_error", 4},
                          {"correlation", 4}},
                         {}};
  const double weeks = days / kDaysPerWeek;
  for (Method& method : methods) {
    method.quality = JudgeForecast(cases, [&](const RepeatHistory& history) {
      return method.model ? method.model->ExpectedPurchases(history, weeks)
                          : PurchasesAtPastRate(history, weeks);
    });
    const ForecastQuality& q = method.quality;
    table.rows.push_back({ModelCell(method.name), q.total, q.total_error, q.mean_absolute_error,
                          q.root_mean_square_error, q.correlation});
  }
  report->tables.push_back(std::move(table));
  AddHoldoutByPurchases(cases, methods, report);
  const auto day = [](int32_t number) { return absl::FormatCivilTime(CivilDayOf(number)); };
  report->messages.push_back({"customers.holdout",
                              {day(calibration_end), static_cast<int64_t>(days),
                               static_cast<int64_t>(cases.size()), bought}});
}

}  // namespace vitrine::customer_report
