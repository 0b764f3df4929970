#include "recommender/customer_base/customer_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/customer_base/report_parts.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace customer_report {
namespace {

constexpr Report::Unit kShare = Report::Unit::kShare;
constexpr int32_t kMovementDays = 90;

int64_t Percent(double share) { return std::llround(100 * share); }

absl::Status CheckRange(absl::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", value, " is not between ", low, " and ", high));
}

absl::Status Check(const CustomerReportOptions& options) {
  const ValueOptions& value = options.value;
  RETURN_IF_ERROR(CheckRange("horizon_days", value.horizon_days, 1, limits::kHorizonDaysMax));
  RETURN_IF_ERROR(CheckRange("yearly_discount", value.yearly_discount, 0, 10));
  RETURN_IF_ERROR(CheckRange("resold_share", value.resold_share, 0, 1));
  RETURN_IF_ERROR(CheckRange("holdout_days", options.holdout_days, 0, limits::kHorizonDaysMax));
  RETURN_IF_ERROR(CheckRange("top", static_cast<double>(options.top), 1, limits::kMinedRowsMax));
  if (options.as_of && options.since && *options.since >= *options.as_of) {
    return absl::InvalidArgumentError("since: does not lie before as_of");
  }
  return absl::OkStatus();
}

Facts Gather(const CustomerReportOptions& options, const CustomerBase& base) {
  Facts facts{options, base};
  facts.histories = Histories(base);
  facts.as_of = options.as_of ? DayNumber(*options.as_of) : base.last_day;
  facts.since = options.since ? DayNumber(*options.since) : facts.as_of - kMovementDays;
  facts.model = FitValueModel(facts.histories, facts.as_of, options.value);
  for (size_t c = 0; c < facts.histories.size(); ++c) {
    std::optional<CustomerValue> value =
        ScoreCustomer(facts.model, facts.histories[c], facts.as_of);
    if (!value) continue;
    facts.buyers.push_back(c);
    facts.values.push_back(*std::move(value));
  }
  facts.digits = options.minor_digits(base.currency);
  facts.unit = std::pow(10, facts.digits);
  return facts;
}

// Of those who were customers on the earlier day, how many have bought since.
double RetentionRate(const Facts& facts) {
  double were = 0, bought = 0;
  for (const size_t c : facts.buyers) {
    const std::vector<PurchaseDay>& days = facts.histories[c];
    const LifeStage stage = StageAt(facts.model, days, facts.since);
    if (stage == LifeStage::kProspect || stage == LifeStage::kLapsed) continue;
    ++were;
    bought += PurchasesBetween(days, facts.since, facts.as_of) > 0 ? 1 : 0;
  }
  return ShareOf(bought, were);
}

}  // namespace

Report::Column Facts::MoneyColumn(const char* name) const {
  const std::string& currency = base.currency;
  return {currency.empty() ? name : absl::StrCat(name, "@", currency), digits};
}

void AddOverview(const Facts& facts, Report* report) {
  int64_t orders = 0, repeat = 0, loyal = 0, unprofitable = 0, known = 0;
  double bought = 0, refunded = 0, earned = 0, purchases = 0, revenue = 0, lifetime = 0;
  for (const CustomerHistory& customer : facts.base.customers) {
    known += customer.known_since <= facts.as_of ? 1 : 0;
  }
  for (const CustomerValue& value : facts.values) {
    orders += value.summary.orders;
    repeat += value.summary.history.purchases > 0 ? 1 : 0;
    loyal += value.stage == LifeStage::kLoyal ? 1 : 0;
    unprofitable += value.earned_minor < 0 ? 1 : 0;
    bought += static_cast<double>(value.summary.bought_minor);
    refunded += static_cast<double>(value.summary.refunded_minor);
    earned += value.earned_minor;
    purchases += value.expected_purchases;
    revenue += value.expected_revenue_minor;
    lifetime += value.lifetime_value_minor;
  }
  const auto buyers = static_cast<int64_t>(facts.values.size());
  const auto n = static_cast<double>(buyers);
  Report::Table table = {"overview",
                         "",
                         {{"customers"},
                          {"prospects"},
                          {"orders"},
                          facts.MoneyColumn("bought"),
                          facts.MoneyColumn("refunded"),
                          facts.MoneyColumn("earned"),
                          {"repeat_rate", 1, kShare},
                          {"loyalty_rate", 1, kShare},
                          {"retention_rate", 1, kShare},
                          {"expected_purchases"},
                          facts.MoneyColumn("expected_revenue"),
                          facts.MoneyColumn("lifetime_value"),
                          {"unprofitable"}},
                         {}};
  table.rows.push_back({buyers, known - buyers, orders, facts.Money(bought), facts.Money(refunded),
                        facts.Money(earned), ShareOf(static_cast<double>(repeat), n),
                        ShareOf(static_cast<double>(loyal), n), RetentionRate(facts), purchases,
                        facts.Money(revenue), facts.Money(lifetime), unprofitable});
  report->tables.push_back(std::move(table));
  report->summary.push_back({"customers.summary",
                             {buyers, Percent(ShareOf(static_cast<double>(repeat), n)),
                              static_cast<int64_t>(facts.options.value.horizon_days),
                              static_cast<int64_t>(std::llround(purchases)), unprofitable}});
}

void AddNotes(const Facts& facts, Report* report) {
  std::vector<Report::Message>& notes = report->messages;
  const auto day = [](int32_t number) { return absl::FormatCivilTime(CivilDayOf(number)); };
  notes.push_back({"customers.period",
                   {day(facts.base.first_day), day(facts.as_of), day(facts.since),
                    facts.options.base.time_zone.name()}});
  notes.push_back({"customers.conventions"});
  const ValueModel& model = facts.model;
  if (!model.purchases) {
    notes.push_back(
        {"customers.no_purchase_model", {std::string(model.purchases_status.message())}});
  }
  if (!model.spending) {
    notes.push_back(
        {"customers.no_spending_model", {std::string(model.spending_status.message())}});
  }
  if (model.purchases_info.at_bound) notes.push_back({"customers.at_bound"});
  if (model.purchases && !model.stages_by_model) notes.push_back({"customers.nobody_left"});
  const LifeCycleRules& rules = model.options.rules;
  if (model.stages_by_model) {
    notes.push_back({"customers.stages_by_model",
                     {Percent(rules.doubtful_below), Percent(rules.gone_below),
                      static_cast<int64_t>(rules.new_days), rules.loyal_purchases}});
  } else {
    notes.push_back({"customers.stages_by_gap",
                     {rules.doubtful_gaps, rules.gone_gaps, static_cast<int64_t>(rules.new_days),
                      rules.loyal_purchases}});
  }
  notes.push_back({"customers.rfm_ties"});
  if (facts.base.lines_with_margin < facts.base.lines) {
    notes.push_back({"customers.margins",
                     {facts.base.lines_with_margin, facts.base.lines,
                      Percent(facts.options.base.margin_share)}});
  }
  notes.push_back({"customers.returns", {Percent(facts.options.value.resold_share)}});
  if (facts.base.guests > 0) notes.push_back({"customers.guests", {facts.base.guests}});
  if (facts.base.other_currencies > 0) {
    notes.push_back(
        {"customers.other_currencies", {facts.base.other_currencies, facts.base.currency}});
  }
}

}  // namespace customer_report

absl::StatusOr<Report> CustomerReport(const WebHouse& house, const CustomerReportOptions& options) {
  RETURN_IF_ERROR(customer_report::Check(options));
  ASSIGN_OR_RETURN(const CustomerBase base, ReadCustomerBase(house, options.base));
  const customer_report::Facts facts = customer_report::Gather(options, base);
  if (facts.since >= facts.as_of) {
    return absl::InvalidArgumentError("since: does not lie before the last day of the data");
  }
  Report report;
  AddOverview(facts, &report);
  if (!facts.values.empty()) {
    AddStages(facts, &report);
    AddMovement(facts, &report);
    AddRfm(facts, &report);
    AddRetention(facts, &report);
    AddCohorts(facts, &report);
    AddDistribution(facts, &report);
    AddExpected(facts, &report);
    AddBest(facts, &report);
    AddUnprofitable(facts, &report);
    AddModels(facts, &report);
    AddHoldout(facts, &report);
  }
  AddNotes(facts, &report);
  return report;
}

}  // namespace vitrine
