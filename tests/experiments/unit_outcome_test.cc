#include "experiments/analysis/unit_outcome.h"

#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::IsEmpty;
using vitrine::testing::MakeEvent;
using Kind = UnitOutcome::Kind;

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 86'400'000;

Experiment Trial() {
  Experiment experiment;
  experiment.id = "trial";
  experiment.placement = "home";
  experiment.arms.resize(2);
  experiment.arms[0].id = "old";
  experiment.arms[1].id = "new";
  experiment.primary = ExperimentMetric::CLICK_RATE;
  experiment.secondary = {ExperimentMetric::CART_RATE,       ExperimentMetric::CONVERSION,
                          ExperimentMetric::REVENUE,         ExperimentMetric::ORDER_VALUE,
                          ExperimentMetric::ITEMS_PER_ORDER, ExperimentMetric::RETURNS};
  experiment.currency = "GBP";
  experiment.status = ExperimentStatus::RUNNING;
  experiment.__set_started_ms(kStart);
  return experiment;
}

Exposure Shelf(const std::string& id, int64_t time_ms, const std::string& arm) {
  Exposure shelf;
  shelf.id = id;
  shelf.time_ms = time_ms;
  shelf.placement = "home";
  shelf.__set_customer_id("ann");
  for (const char* const product : {"p0", "p1"}) {
    shelf.products.emplace_back().product_id = product;
  }
  if (!arm.empty()) {
    ExposedArm& shown = shelf.arms.emplace_back();
    shown.experiment = "trial";
    shown.arm = arm;
  }
  return shelf;
}

Event Did(EventKind kind, int64_t time_ms, const std::string& product, int32_t pieces = 1,
          int64_t price_minor = 0, const std::string& currency = "GBP") {
  Event event = MakeEvent(absl::StrCat("e", time_ms, product), "ann", time_ms, kind, product);
  event.items[0].quantity = pieces;
  if (price_minor > 0) {
    event.items[0].__set_price_minor(price_minor);
    event.__set_currency(currency);
  }
  return event;
}

// Of a catalogue without facts, and of one.
const KnownProduct& Nothing(const std::string&) {
  static const KnownProduct nothing;
  return nothing;
}

UnitOutcome Outcome(const Experiment& experiment, const std::vector<Exposure>& shelves,
                    const std::vector<Event>& events, FindProduct product = Nothing) {
  return OutcomeOf(experiment, shelves, events, product);
}

// "value/denominator" of each metric.
std::vector<std::string> Told(const UnitOutcome& outcome) {
  std::vector<std::string> told;
  for (const UnitValues& values : outcome.values) {
    told.push_back(absl::StrCat(values.value, "/", values.denominator));
  }
  return told;
}

TEST(OutcomeOf, CountsWhatWasDoneFromTheFirstExposureOn) {
  const std::vector<Exposure> shelves = {Shelf("b", kStart + 50 * kMinute, "new"),
                                         Shelf("a", kStart + 10 * kMinute, "new"),
                                         Shelf("before", kStart - kMinute, "new")};
  const std::vector<Event> events = {
      Did(EventKind::VIEW_ITEM, kStart + 9 * kMinute, "p0"),  // before the first exposure
      Did(EventKind::PURCHASE, kStart + 9 * kMinute, "p0", 1, 100),
      Did(EventKind::SELECT_ITEM, kStart + 11 * kMinute, "p0"),
      Did(EventKind::SELECT_ITEM, kStart + 12 * kMinute, "p1"),  // the same shelf again
      Did(EventKind::ADD_TO_CART, kStart + 13 * kMinute, "p1"),
      Did(EventKind::PURCHASE, kStart + 14 * kMinute, "elsewhere", 3, 200),
      Did(EventKind::PURCHASE, kStart + kDay, "p1", 1, 1000),
      Did(EventKind::PURCHASE, kStart + kDay + 1, "p0", 1, 1000, "EUR"),
      Did(EventKind::REFUND, kStart + 2 * kDay, "elsewhere", 1, 150)};
  const UnitOutcome outcome = Outcome(Trial(), shelves, events);
  ASSERT_EQ(outcome.kind, Kind::kIn);
  EXPECT_EQ(outcome.arm, 1u);
  EXPECT_EQ(outcome.first_ms, kStart + 10 * kMinute);
  EXPECT_EQ(Told(outcome),
            (std::vector<std::string>{"1/2", "1/2", "1/0", "1450/0", "1600/2", "5/3", "1/5"}));
}

TEST(OutcomeOf, ARefundOfWhatWasBoughtBeforeTakesNothingOff) {
  const std::vector<Exposure> shelves = {Shelf("a", kStart + kMinute, "old")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart, "p5", 1, 500),
                                     Did(EventKind::REFUND, kStart + 2 * kMinute, "p5", 1, 500)};
  EXPECT_EQ(Outcome(Trial(), shelves, events).values[3].value, 0);
}

TEST(OutcomeOf, WhoSawTwoArmsIsInNeither) {
  const UnitOutcome outcome = Outcome(
      Trial(), std::vector<Exposure>{Shelf("a", kStart, "old"), Shelf("b", kStart, "new")}, {});
  EXPECT_EQ(outcome.kind, Kind::kMixed);
  EXPECT_THAT(outcome.values, IsEmpty());
}

TEST(OutcomeOf, WhoLookedAtAForcedArmIsInNone) {
  std::vector<Exposure> shelves = {Shelf("a", kStart, "old"), Shelf("b", kStart + 1, "new")};
  shelves[1].arms[0].forced = true;
  EXPECT_EQ(Outcome(Trial(), shelves, {}).kind, Kind::kForced);
}

TEST(OutcomeOf, ShelvesOfOtherExperimentsAreNotItsOwn) {
  std::vector<Exposure> shelves = {Shelf("a", kStart, ""), Shelf("b", kStart + 1, "new")};
  shelves[1].arms[0].experiment = "other";
  EXPECT_EQ(Outcome(Trial(), shelves, {}).kind, Kind::kNotIn);
}

TEST(OutcomeOf, WhatComesAfterTheEndDoesNotCount) {
  Experiment stopped = Trial();
  stopped.__set_stopped_ms(kStart + kDay);
  const std::vector<Exposure> shelves = {Shelf("a", kStart, "old"),
                                         Shelf("b", kStart + kDay, "new")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart + kDay - 1, "p", 1, 10),
                                     Did(EventKind::PURCHASE, kStart + kDay, "q", 1, 20)};
  const UnitOutcome outcome = Outcome(stopped, shelves, events);
  ASSERT_EQ(outcome.kind, Kind::kIn);
  EXPECT_EQ(outcome.values[3].value, 10);
}

TEST(OutcomeOf, LooksBackOnlyForCuped) {
  Experiment experiment = Trial();
  const std::vector<Exposure> shelves = {Shelf("a", kStart, "old")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart - 8 * kDay, "p", 1, 10),
                                     Did(EventKind::PURCHASE, kStart - 6 * kDay, "q", 1, 20),
                                     Did(EventKind::PURCHASE, kStart, "r", 1, 40)};
  EXPECT_EQ(Outcome(experiment, shelves, events).values[3].value_before, 0);
  experiment.days_before = 7;
  const UnitOutcome outcome = Outcome(experiment, shelves, events);
  EXPECT_EQ(outcome.values[3].value_before, 20);
  EXPECT_EQ(outcome.values[3].value, 40);
  for (const MetricDefinition& definition : DefinitionsOf(experiment)) {
    const bool of_shelves = definition.name == "click_rate" || definition.name == "cart_rate";
    EXPECT_EQ(definition.cuped, !of_shelves) << definition.name;
  }
}

TEST(OutcomeOf, TheMarginIsThatOfThePiecesKept) {
  Experiment experiment = Trial();
  experiment.primary = ExperimentMetric::MARGIN;
  const absl::flat_hash_map<std::string, KnownProduct> known = {
      {"p", {.margin_minor = 300}}, {"loss", {.margin_minor = -50}}, {"unknown", {}}};
  const auto product = [&](const std::string& id) -> const KnownProduct& {
    return known.contains(id) ? known.at(id) : known.at("unknown");
  };
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart + 1, "p", 3, 1000),
                                     Did(EventKind::PURCHASE, kStart + 2, "loss", 2, 1000),
                                     Did(EventKind::PURCHASE, kStart + 3, "unknown", 2, 1000),
                                     Did(EventKind::REFUND, kStart + 4, "p", 1, 1000)};
  EXPECT_EQ(Outcome(experiment, {Shelf("a", kStart, "old")}, events, product).values[0].value,
            2 * 300 - 2 * 50);
}

EventMetric CartsOf(EventMeasure measure) {
  EventMetric metric;
  metric.name = absl::StrCat("carts-", measure);
  metric.kind = EventKind::ADD_TO_CART;
  metric.measure = measure;
  metric.category = "Shoes";  // what that means, KnownProduct::in_metrics says
  return metric;
}

TEST(OutcomeOf, CountsTheShopsOwnEvents) {
  Experiment experiment = Trial();
  experiment.secondary.clear();
  experiment.events = {CartsOf(EventMeasure::UNITS), CartsOf(EventMeasure::EVENTS),
                       CartsOf(EventMeasure::PIECES), CartsOf(EventMeasure::EVENTS)};
  experiment.events[0].role = MetricUse::DECIDES;
  experiment.events[3].name = "carts-by-app";
  experiment.events[3].channels = {Channel::APP};
  const KnownProduct shoe = {.in_metrics = 0b1111};
  const KnownProduct other;
  const auto product = [&](const std::string& id) -> const KnownProduct& {
    return id[0] == 's' ? shoe : other;
  };
  std::vector<Event> events = {Did(EventKind::ADD_TO_CART, kStart - 1, "s0", 9),
                               Did(EventKind::ADD_TO_CART, kStart + 1, "s1", 2),
                               Did(EventKind::ADD_TO_CART, kStart + 2, "s2", 3),
                               Did(EventKind::ADD_TO_CART, kStart + 3, "hat", 5),
                               Did(EventKind::PURCHASE, kStart + 4, "s1", 7)};
  events[2].channel = Channel::APP;
  const UnitOutcome outcome = Outcome(experiment, {Shelf("a", kStart, "old")}, events, product);
  EXPECT_EQ(Told(outcome), (std::vector<std::string>{"1/0", "2/0", "5/0", "1/0"}))
      << "the first decides in place of the click rate";
  EXPECT_EQ(DefinitionsOf(experiment)[0].kind, MetricKind::kProportion);
  EXPECT_EQ(DefinitionsOf(experiment)[1].kind, MetricKind::kMean);
}

TEST(OutcomeOf, SaysHowTheMetricStoodDayByDay) {
  Experiment experiment = Trial();
  experiment.primary = ExperimentMetric::REVENUE;
  experiment.secondary.clear();
  const std::vector<Exposure> shelves = {Shelf("a", kStart + 1, "old")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart + 2 * kDay, "p", 1, 500),
                                     Did(EventKind::VIEW_ITEM, kStart + 3 * kDay, "p"),
                                     Did(EventKind::PURCHASE, kStart + 4 * kDay, "q", 1, 70),
                                     Did(EventKind::REFUND, kStart + 5 * kDay, "p", 1, 500)};
  const auto day = static_cast<int32_t>(kStart / kDay);
  EXPECT_EQ(Outcome(experiment, shelves, events).days,
            (std::vector<UnitOutcome::OfDay>{
                {day, 0, 0}, {day + 2, 500, 0}, {day + 4, 570, 0}, {day + 5, 70, 0}}));
  experiment.primary = ExperimentMetric::CLICK_RATE;
  const std::vector<Exposure> two = {shelves[0], Shelf("b", kStart + 2 * kDay, "old")};
  Event click = Did(EventKind::SELECT_ITEM, kStart + 3 * kDay, "p0");
  click.__set_recommendation_id("b");
  EXPECT_EQ(Outcome(experiment, two, {click}).days,
            (std::vector<UnitOutcome::OfDay>{{day, 0, 1}, {day + 2, 0, 2}, {day + 3, 1, 2}}));
}

// The plain twin: what it was on a day is what it is when the experiment ends that day.
TEST(OutcomeOf, EachDayIsAsIfItHadEndedThen) {
  constexpr unsigned kSeed = 20'261'101;
  std::printf("seed %u\n", kSeed);
  std::mt19937 random(kSeed);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    Experiment experiment = Trial();
    experiment.primary = static_cast<ExperimentMetric>(1 + below(7));
    experiment.secondary.clear();
    std::vector<Exposure> shelves;
    std::vector<Event> events;
    for (int i = 0; i < 4; ++i) {
      shelves.push_back(Shelf(absl::StrCat("s", i), kStart + below(6 * kDay), "new"));
    }
    const EventKind kinds[] = {EventKind::VIEW_ITEM, EventKind::ADD_TO_CART, EventKind::PURCHASE,
                               EventKind::REFUND};
    for (int i = 0; i < 12; ++i) {
      events.push_back(Did(kinds[below(4)], kStart + below(8 * kDay), absl::StrCat("p", below(2)),
                           1, 100 + below(50)));
    }
    const UnitOutcome whole = Outcome(experiment, shelves, events);
    for (size_t d = 0; d < whole.days.size(); ++d) {
      Experiment ended = experiment;
      ended.__set_to_ms((whole.days[d].day + 1) * kDay);
      const UnitValues then = Outcome(ended, shelves, events).values[0];
      EXPECT_EQ(then.value, whole.days[d].value) << "round " << round;
      EXPECT_EQ(then.denominator, whole.days[d].denominator) << "round " << round;
    }
    EXPECT_EQ(whole.days.back().value, whole.values[0].value);
  }
}

TEST(OutcomeOf, SaysWhoTheUnitWasBefore) {
  std::vector<Exposure> shelves = {Shelf("b", kStart + 2, "new"), Shelf("a", kStart + 1, "new")};
  shelves[1].channel = Channel::APP;
  shelves[1].__set_device(Device::TABLET);
  shelves[1].__set_country("IR");
  const UnitOutcome fresh =
      Outcome(Trial(), shelves, {Did(EventKind::VIEW_ITEM, kStart + 1, "p0")});
  EXPECT_EQ(fresh.channel, Channel::APP);
  EXPECT_EQ(fresh.device, Device::TABLET);
  EXPECT_EQ(fresh.country, "IR");
  EXPECT_FALSE(fresh.returning);
  EXPECT_TRUE(Outcome(Trial(), shelves, {Did(EventKind::VIEW_ITEM, kStart, "p0")}).returning);
}

TEST(OutcomeOf, SaysWhatTheUnitWasShown) {
  std::vector<Exposure> shelves = {Shelf("a", kStart, "new"), Shelf("b", kStart + 1, "new"),
                                   Shelf("elsewhere", kStart + 2, "")};
  shelves[1].products.emplace_back().product_id = "p2";
  shelves[2].products.emplace_back().product_id = "p9";
  const auto product = [](const std::string& id) -> const KnownProduct& {
    static const KnownProduct known[] = {
        {.number = 7, .category = 1}, {.number = 3, .category = 2}, {.number = 5, .category = 1}};
    return known[id[1] - '0'];
  };
  const UnitOutcome outcome = Outcome(Trial(), shelves, {}, product);
  EXPECT_EQ(outcome.shown, (std::vector<uint32_t>{3, 5, 7}));
  EXPECT_EQ(outcome.pairs, 1 + 3);
  EXPECT_EQ(outcome.pairs_apart, 1 + 2);
}

}  // namespace
}  // namespace vitrine::experiments
