#include "experiments/analysis/unit_outcome.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"

#include "experiments/definition/metrics.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kDayMs = 86'400'000;

struct Kinds {
  MetricKind kind;
  bool smaller_is_better = false;
  bool has_before = true;  // can be counted before there are exposures
};

Kinds KindsOf(const MeasuredMetric& metric) {
  if (metric.event != nullptr) {
    const bool whether = metric.event->measure == EventMeasure::UNITS;
    return {whether ? MetricKind::kProportion : MetricKind::kMean, metric.event->smaller_is_better};
  }
  switch (metric.built_in) {
    case ExperimentMetric::CLICK_RATE:
    case ExperimentMetric::CART_RATE:
      return {MetricKind::kRatio, false, false};
    case ExperimentMetric::CONVERSION:
      return {MetricKind::kProportion};
    case ExperimentMetric::REVENUE:
    case ExperimentMetric::MARGIN:
      return {MetricKind::kMean};
    case ExperimentMetric::ORDER_VALUE:
    case ExperimentMetric::ITEMS_PER_ORDER:
      return {MetricKind::kRatio};
    case ExperimentMetric::RETURNS:
      return {MetricKind::kRatio, true};
  }
  return {MetricKind::kMean};
}

MetricRole RoleOf(MetricUse use) {
  switch (use) {
    case MetricUse::DECIDES:
      return MetricRole::kPrimary;
    case MetricUse::EXPLAINS:
      return MetricRole::kSecondary;
    case MetricUse::GUARDS:
      return MetricRole::kGuardrail;
  }
  return MetricRole::kSecondary;
}

bool IsSale(const Event& event) {
  return event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND;
}

// Everything there is to count from.
struct Unit {
  const Experiment& experiment;
  std::span<const Exposure> shelves;
  std::span<const Event> events;
  FindProduct product;
  const CreditWindows& windows;
};

// What a person bought, less what came back of it.
struct Sales {
  int64_t orders = 0;
  int64_t pieces = 0;
  int64_t returned = 0;
  int64_t margin_minor = 0;
  // In the experiment's currency alone.
  int64_t orders_in_currency = 0;
  int64_t sold_minor = 0;
  int64_t refunded_minor = 0;
};

// How refunds find their purchases is for CreditEvents to say: here one basket earns all of them.
Sales SalesWithin(const Unit& unit, const CountedTime& time) {
  const std::string& currency = unit.experiment.currency;
  Exposure basket;
  basket.id = "basket";
  basket.time_ms = time.from_ms;
  std::vector<Event> sales;
  absl::flat_hash_set<std::string> products;
  for (const Event& event : unit.events) {
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
    const int64_t margin_minor =
        credit.pieces * unit.product(basket.products[credit.position].product_id).margin_minor;
    if (credit.as == Credited::kPurchase) {
      found.pieces += credit.pieces;
      found.margin_minor += margin_minor;
      found.sold_minor += counts ? credit.value_minor : 0;
    } else if (credit.as == Credited::kRefund) {
      found.returned += credit.pieces;
      found.margin_minor -= margin_minor;
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

Shown ShownWithin(const Unit& unit, const CountedTime& time) {
  Shown shown;
  std::vector<bool> of_it(unit.shelves.size());
  for (size_t s = 0; s < unit.shelves.size(); ++s) {
    of_it[s] = IsOf(unit.experiment, unit.shelves[s]) && unit.shelves[s].time_ms < time.to_ms;
    shown.shelves += of_it[s] ? 1 : 0;
  }
  std::vector<Event> after;
  for (const Event& event : unit.events) {
    if (!IsSale(event) && time.Holds(event.time_ms) && CreditedKind(event.kind)) {
      after.push_back(event);
    }
  }
  if (after.empty()) return shown;
  std::vector<bool> clicked(unit.shelves.size()), carted(unit.shelves.size());
  for (const Credit& credit : CreditEvents(unit.shelves, after, unit.windows).credits) {
    if (!of_it[credit.shelf]) continue;
    if (credit.as == Credited::kClick) clicked[credit.shelf] = true;
    if (credit.as == Credited::kCart) carted[credit.shelf] = true;
  }
  shown.clicked = absl::c_count(clicked, true);
  shown.carted = absl::c_count(carted, true);
  return shown;
}

// Of one of the shop's own metrics.
int64_t CountedWithin(const Unit& unit, const EventMetric& metric, const CountedTime& time) {
  const auto bit = uint32_t{1} << (&metric - unit.experiment.events.data());
  const bool of_any = metric.category.empty() && metric.attributes.empty();
  int64_t events = 0, pieces = 0;
  for (const Event& event : unit.events) {
    if (event.kind != metric.kind || !time.Holds(event.time_ms)) continue;
    if (!metric.channels.empty() && !absl::c_linear_search(metric.channels, event.channel)) {
      continue;
    }
    bool about = of_any;
    for (const Item& item : event.items) {
      if (!of_any && (unit.product(item.product_id).in_metrics & bit) == 0) continue;
      about = true;
      pieces += item.quantity;
    }
    events += about ? 1 : 0;
  }
  switch (metric.measure) {
    case EventMeasure::UNITS:
      return events > 0 ? 1 : 0;
    case EventMeasure::EVENTS:
      return events;
    case EventMeasure::PIECES:
      return pieces;
  }
  return 0;
}

// What the unit did in that time: read when it is asked for.
class Did {
 public:
  // Before the first exposure there are no shelves.
  Did(const Unit& unit, const CountedTime& time, bool has_shelves)
      : unit_(unit), time_(time), has_shelves_(has_shelves) {}

  // The value and its denominator.
  std::pair<double, double> ValueOf(const MeasuredMetric& metric) {
    const auto pair = [](int64_t value, int64_t of) {
      return std::pair(static_cast<double>(value), static_cast<double>(of));
    };
    if (metric.event != nullptr) return pair(CountedWithin(unit_, *metric.event, time_), 0);
    switch (metric.built_in) {
      case ExperimentMetric::CLICK_RATE:
        return pair(shown().clicked, shown().shelves);
      case ExperimentMetric::CART_RATE:
        return pair(shown().carted, shown().shelves);
      case ExperimentMetric::CONVERSION:
        return pair(sales().orders > 0 ? 1 : 0, 0);
      case ExperimentMetric::REVENUE:
        return pair(sales().sold_minor - sales().refunded_minor, 0);
      case ExperimentMetric::ORDER_VALUE:
        return pair(sales().sold_minor, sales().orders_in_currency);
      case ExperimentMetric::ITEMS_PER_ORDER:
        return pair(sales().pieces, sales().orders);
      case ExperimentMetric::RETURNS:
        return pair(sales().returned, sales().pieces);
      case ExperimentMetric::MARGIN:
        return pair(sales().margin_minor, 0);
    }
    return {};
  }

 private:
  const Sales& sales() {
    if (!sales_) sales_ = SalesWithin(unit_, time_);
    return *sales_;
  }
  const Shown& shown() {
    if (!shown_) shown_ = has_shelves_ ? ShownWithin(unit_, time_) : Shown();
    return *shown_;
  }

  const Unit& unit_;
  const CountedTime time_;
  const bool has_shelves_;
  std::optional<Sales> sales_;
  std::optional<Shown> shown_;
};

// Which arm, and from when.
UnitOutcome ArmOfUnit(const Experiment& experiment, std::span<const Exposure> shelves) {
  UnitOutcome outcome;
  const Exposure* first = nullptr;
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
      outcome.kind = UnitOutcome::Kind::kIn;
      outcome.arm = index;
    }
    if (index != outcome.arm) outcome.kind = UnitOutcome::Kind::kMixed;
    // Of two at the same time the one with the lower id, so that the order makes no difference.
    if (first == nullptr ||
        std::tie(shelf.time_ms, shelf.id) < std::tie(first->time_ms, first->id)) {
      first = &shelf;
    }
  }
  if (outcome.kind == UnitOutcome::Kind::kMixed) outcome.arm = 0;
  if (outcome.kind != UnitOutcome::Kind::kIn) return outcome;
  outcome.first_ms = first->time_ms;
  outcome.channel = first->channel;
  outcome.device = first->device;
  outcome.country = first->country;
  return outcome;
}

int32_t DayOf(int64_t time_ms) { return static_cast<int32_t>(time_ms / kDayMs); }

// Days on which the metric that decides may have changed, ascending, after the first.
std::vector<int32_t> ActiveDays(const Unit& unit, const MeasuredMetric& metric,
                                const CountedTime& time) {
  const bool of_shelves = metric.IsBuiltIn(ExperimentMetric::CLICK_RATE) ||
                          metric.IsBuiltIn(ExperimentMetric::CART_RATE);
  const auto may_change = [&](const Event& event) {
    if (metric.event != nullptr) return event.kind == metric.event->kind;
    return of_shelves ? !IsSale(event) && CreditedKind(event.kind).has_value() : IsSale(event);
  };
  std::vector<int32_t> days;
  for (const Event& event : unit.events) {
    if (time.Holds(event.time_ms) && may_change(event)) days.push_back(DayOf(event.time_ms));
  }
  if (of_shelves) {
    for (const Exposure& shelf : unit.shelves) {
      if (IsOf(unit.experiment, shelf)) days.push_back(DayOf(shelf.time_ms));
    }
  }
  std::erase(days, DayOf(time.from_ms));
  absl::c_sort(days);
  days.erase(std::unique(days.begin(), days.end()), days.end());
  return days;
}

// The last day's values are those that the whole time gave.
void AddDays(const Unit& unit, const MeasuredMetric& metric, const CountedTime& time,
             UnitOutcome* outcome) {
  std::vector<int32_t> days = ActiveDays(unit, metric, time);
  days.insert(days.begin(), DayOf(time.from_ms));
  const UnitValues& last = outcome->values.front();
  for (const int32_t day : days) {
    std::pair<double, double> value = {last.value, last.denominator};
    if (day != days.back()) {
      value = Did(unit, {time.from_ms, std::min(time.to_ms, (day + int64_t{1}) * kDayMs)}, true)
                  .ValueOf(metric);
    }
    const bool same = !outcome->days.empty() && outcome->days.back().value == value.first &&
                      outcome->days.back().denominator == value.second;
    if (!same) outcome->days.push_back({day, value.first, value.second});
  }
}

void AddShown(const Unit& unit, UnitOutcome* outcome) {
  std::vector<uint32_t> categories;
  for (const Exposure& shelf : unit.shelves) {
    if (!IsOf(unit.experiment, shelf)) continue;
    categories.clear();
    for (const ExposedProduct& product : shelf.products) {
      const KnownProduct& known = unit.product(product.product_id);
      outcome->shown.push_back(known.number);
      if (known.category == 0) continue;
      outcome->pairs += static_cast<int64_t>(categories.size());
      outcome->pairs_apart +=
          static_cast<int64_t>(categories.size()) - absl::c_count(categories, known.category);
      categories.push_back(known.category);
    }
  }
  absl::c_sort(outcome->shown);
  outcome->shown.erase(std::unique(outcome->shown.begin(), outcome->shown.end()),
                       outcome->shown.end());
}

}  // namespace

std::vector<MetricDefinition> DefinitionsOf(const Experiment& experiment) {
  std::vector<MetricDefinition> definitions;
  for (const MeasuredMetric& metric : MetricsOf(experiment)) {
    const Kinds kinds = KindsOf(metric);
    definitions.push_back({.name = metric.name,
                           .kind = kinds.kind,
                           .role = RoleOf(metric.use),
                           .smaller_is_better = kinds.smaller_is_better,
                           .cuped = experiment.days_before > 0 && kinds.has_before,
                           .margin = metric.margin});
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

const ExposedArm* ArmOn(const Exposure& shelf, const std::string& experiment) {
  for (const ExposedArm& arm : shelf.arms) {
    if (arm.experiment == experiment) return &arm;
  }
  return nullptr;
}

bool IsOf(const Experiment& experiment, const Exposure& shelf) {
  return CountedTime::Of(experiment).Holds(shelf.time_ms) && ArmOn(shelf, experiment.id) != nullptr;
}

UnitOutcome OutcomeOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events, FindProduct product,
                      const CreditWindows& windows) {
  UnitOutcome outcome = ArmOfUnit(experiment, shelves);
  if (outcome.kind != UnitOutcome::Kind::kIn) return outcome;
  const Unit unit = {experiment, shelves, events, product, windows};
  const CountedTime time = {outcome.first_ms, CountedTime::Of(experiment).to_ms};
  const bool looks_back = experiment.days_before > 0;
  Did after(unit, time, true);
  Did before(unit, {outcome.first_ms - experiment.days_before * kDayMs, outcome.first_ms}, false);
  const std::vector<MeasuredMetric> metrics = MetricsOf(experiment);
  for (const MeasuredMetric& metric : metrics) {
    UnitValues& values = outcome.values.emplace_back();
    std::tie(values.value, values.denominator) = after.ValueOf(metric);
    if (!looks_back) continue;
    std::tie(values.value_before, values.denominator_before) = before.ValueOf(metric);
  }
  AddDays(unit, metrics.front(), time, &outcome);
  AddShown(unit, &outcome);
  outcome.returning =
      absl::c_any_of(events, [&](const Event& event) { return event.time_ms < outcome.first_ms; });
  return outcome;
}

}  // namespace vitrine::experiments
