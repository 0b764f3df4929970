#include "experiments/analysis/unit_outcome.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"

#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kDayMs = 86'400'000;

struct Kinds {
  MetricKind kind;
  bool smaller_is_better = false;
  bool has_before = true;  // can be counted before there are exposures
};

Kinds KindsOf(ExperimentMetric metric) {
  switch (metric) {
    case ExperimentMetric::CLICK_RATE:
    case ExperimentMetric::CART_RATE:
      return {MetricKind::kRatio, false, false};
    case ExperimentMetric::CONVERSION:
      return {MetricKind::kProportion};
    case ExperimentMetric::REVENUE:
      return {MetricKind::kMean};
    case ExperimentMetric::ORDER_VALUE:
    case ExperimentMetric::ITEMS_PER_ORDER:
      return {MetricKind::kRatio};
    case ExperimentMetric::RETURNS:
      return {MetricKind::kRatio, true};
  }
  return {MetricKind::kMean};
}

const ExposedArm* ArmOn(const Exposure& shelf, const std::string& experiment) {
  for (const ExposedArm& arm : shelf.arms) {
    if (arm.experiment == experiment) return &arm;
  }
  return nullptr;
}

// What a person bought, less what came back of it.
struct Sales {
  int64_t orders = 0;
  int64_t pieces = 0;
  int64_t returned = 0;
  // In the experiment's currency alone.
  int64_t orders_in_currency = 0;
  int64_t sold_minor = 0;
  int64_t refunded_minor = 0;
};

bool IsSale(const Event& event) {
  return event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND;
}

// How refunds find their purchases is for CreditEvents to say: here one basket earns all of them.
Sales SalesWithin(std::span<const Event> events, const CountedTime& time,
                  const std::string& currency) {
  Exposure basket;
  basket.id = "basket";
  basket.time_ms = time.from_ms;
  std::vector<Event> sales;
  absl::flat_hash_set<std::string> products;
  for (const Event& event : events) {
    if (!IsSale(event) || !time.Holds(event.time_ms)) continue;
    Event& sale = sales.emplace_back(event);
    sale.__isset.recommendation_id = false;
    for (const Item& item : event.items) {
      if (!products.insert(item.product_id).second) continue;
      basket.products.emplace_back().product_id = item.product_id;
    }
  }
  Sales found;
  if (sales.empty()) return found;
  const int64_t ever = std::numeric_limits<int64_t>::max();
  absl::flat_hash_set<std::string> orders;
  for (const Event& sale : sales) {
    if (sale.kind != EventKind::PURCHASE) continue;
    if (!orders.insert(sale.__isset.order_id ? "o" + sale.order_id : "e" + sale.id).second)
      continue;
    ++found.orders;
    found.orders_in_currency += sale.currency == currency ? 1 : 0;
  }
  for (const Credit& credit : CreditEvents({&basket, 1}, sales, {ever, ever}).credits) {
    const bool counts = sales[credit.purchase].currency == currency;
    if (credit.as == Credited::kPurchase) {
      found.pieces += credit.pieces;
      found.sold_minor += counts ? credit.value_minor : 0;
    } else if (credit.as == Credited::kRefund) {
      found.returned += credit.pieces;
      found.refunded_minor -= counts ? credit.value_minor : 0;
    }
  }
  return found;
}

// Shelves of the experiment, and those of them that earned something.
struct Shown {
  int64_t shelves = 0;
  int64_t clicked = 0;
  int64_t carted = 0;
};

Shown ShownWithin(const Experiment& experiment, std::span<const Exposure> shelves,
                  std::span<const Event> events, const CountedTime& time,
                  const CreditWindows& windows) {
  Shown shown;
  std::vector<bool> of_it(shelves.size());
  for (size_t s = 0; s < shelves.size(); ++s) {
    of_it[s] = IsOf(experiment, shelves[s]);
    shown.shelves += of_it[s] ? 1 : 0;
  }
  std::vector<Event> after;
  for (const Event& event : events) {
    const bool counts = event.kind != EventKind::PURCHASE && event.kind != EventKind::REFUND;
    if (counts && time.Holds(event.time_ms) && CreditedKind(event.kind)) after.push_back(event);
  }
  std::vector<bool> clicked(shelves.size()), carted(shelves.size());
  for (const Credit& credit : CreditEvents(shelves, after, windows).credits) {
    if (!of_it[credit.shelf]) continue;
    if (credit.as == Credited::kClick) clicked[credit.shelf] = true;
    if (credit.as == Credited::kCart) carted[credit.shelf] = true;
  }
  shown.clicked = absl::c_count(clicked, true);
  shown.carted = absl::c_count(carted, true);
  return shown;
}

// The value and its denominator.
std::pair<double, double> ValueOf(ExperimentMetric metric, const Sales& sales, const Shown& shown) {
  const auto pair = [](int64_t value, int64_t of) {
    return std::pair(static_cast<double>(value), static_cast<double>(of));
  };
  switch (metric) {
    case ExperimentMetric::CLICK_RATE:
      return pair(shown.clicked, shown.shelves);
    case ExperimentMetric::CART_RATE:
      return pair(shown.carted, shown.shelves);
    case ExperimentMetric::CONVERSION:
      return pair(sales.orders > 0 ? 1 : 0, 0);
    case ExperimentMetric::REVENUE:
      return pair(sales.sold_minor - sales.refunded_minor, 0);
    case ExperimentMetric::ORDER_VALUE:
      return pair(sales.sold_minor, sales.orders_in_currency);
    case ExperimentMetric::ITEMS_PER_ORDER:
      return pair(sales.pieces, sales.orders);
    case ExperimentMetric::RETURNS:
      return pair(sales.returned, sales.pieces);
  }
  return {};
}

// Which arm, and from when.
UnitOutcome ArmOfUnit(const Experiment& experiment, std::span<const Exposure> shelves) {
  UnitOutcome outcome;
  for (const Exposure& shelf : shelves) {
    if (!IsOf(experiment, shelf)) continue;
    const ExposedArm& shown = *ArmOn(shelf, experiment.id);
    if (shown.forced) {
      outcome.kind = UnitOutcome::Kind::kForced;
      return outcome;
    }
    const auto arm = absl::c_find_if(
        experiment.arms, [&](const ExperimentArm& candidate) { return candidate.id == shown.arm; });
    if (arm == experiment.arms.end()) continue;
    const auto index = static_cast<size_t>(arm - experiment.arms.begin());
    if (outcome.kind == UnitOutcome::Kind::kNotIn) {
      outcome = {UnitOutcome::Kind::kIn, index, shelf.time_ms, {}};
    }
    if (index != outcome.arm) outcome.kind = UnitOutcome::Kind::kMixed;
    outcome.first_ms = std::min(outcome.first_ms, shelf.time_ms);
  }
  return outcome;
}

}  // namespace

std::vector<MetricDefinition> DefinitionsOf(const Experiment& experiment) {
  std::vector<MetricDefinition> definitions;
  const auto add = [&](ExperimentMetric metric, MetricRole role, double margin) {
    const Kinds kinds = KindsOf(metric);
    definitions.push_back({.name = std::string(ExperimentMetricName(metric)),
                           .kind = kinds.kind,
                           .role = role,
                           .smaller_is_better = kinds.smaller_is_better,
                           .cuped = experiment.days_before > 0 && kinds.has_before,
                           .margin = margin});
  };
  add(experiment.primary, MetricRole::kPrimary, 0);
  for (const ExperimentMetric metric : experiment.secondary) add(metric, MetricRole::kSecondary, 0);
  for (const Guardrail& rail : experiment.guardrails) {
    add(rail.metric, MetricRole::kGuardrail, rail.margin);
  }
  return definitions;
}

CountedTime CountedTime::Of(const Experiment& experiment) {
  CountedTime time;
  time.from_ms = experiment.started_ms;
  if (experiment.__isset.to_ms) time.to_ms = experiment.to_ms;
  if (experiment.__isset.stopped_ms) time.to_ms = std::min(time.to_ms, experiment.stopped_ms);
  return time;
}

bool IsOf(const Experiment& experiment, const Exposure& shelf) {
  return CountedTime::Of(experiment).Holds(shelf.time_ms) && ArmOn(shelf, experiment.id) != nullptr;
}

UnitOutcome OutcomeOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events, const CreditWindows& windows) {
  UnitOutcome outcome = ArmOfUnit(experiment, shelves);
  if (outcome.kind != UnitOutcome::Kind::kIn) return outcome;
  const CountedTime after = {outcome.first_ms, CountedTime::Of(experiment).to_ms};
  const Shown shown = ShownWithin(experiment, shelves, events, after, windows);
  const Sales sales = SalesWithin(events, after, experiment.currency);
  const bool looks_back = experiment.days_before > 0;
  const CountedTime before = {outcome.first_ms - experiment.days_before * kDayMs, outcome.first_ms};
  const Sales sales_before =
      looks_back ? SalesWithin(events, before, experiment.currency) : Sales();
  const auto add = [&](ExperimentMetric metric) {
    UnitValues& values = outcome.values.emplace_back();
    std::tie(values.value, values.denominator) = ValueOf(metric, sales, shown);
    std::tie(values.value_before, values.denominator_before) =
        ValueOf(metric, sales_before, Shown());
  };
  add(experiment.primary);
  for (const ExperimentMetric metric : experiment.secondary) add(metric);
  for (const Guardrail& rail : experiment.guardrails) add(rail.metric);
  return outcome;
}

}  // namespace vitrine::experiments
