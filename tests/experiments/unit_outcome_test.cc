#include "experiments/analysis/unit_outcome.h"

#include <string>
#include <vector>

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
  const UnitOutcome outcome = OutcomeOf(Trial(), shelves, events);
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
  EXPECT_EQ(OutcomeOf(Trial(), shelves, events).values[3].value, 0);
}

TEST(OutcomeOf, WhoSawTwoArmsIsInNeither) {
  const UnitOutcome outcome = OutcomeOf(
      Trial(), std::vector<Exposure>{Shelf("a", kStart, "old"), Shelf("b", kStart, "new")}, {});
  EXPECT_EQ(outcome.kind, Kind::kMixed);
  EXPECT_THAT(outcome.values, IsEmpty());
}

TEST(OutcomeOf, WhoLookedAtAForcedArmIsInNone) {
  std::vector<Exposure> shelves = {Shelf("a", kStart, "old"), Shelf("b", kStart + 1, "new")};
  shelves[1].arms[0].forced = true;
  EXPECT_EQ(OutcomeOf(Trial(), shelves, {}).kind, Kind::kForced);
}

TEST(OutcomeOf, ShelvesOfOtherExperimentsAreNotItsOwn) {
  std::vector<Exposure> shelves = {Shelf("a", kStart, ""), Shelf("b", kStart + 1, "new")};
  shelves[1].arms[0].experiment = "other";
  EXPECT_EQ(OutcomeOf(Trial(), shelves, {}).kind, Kind::kNotIn);
}

TEST(OutcomeOf, WhatComesAfterTheEndDoesNotCount) {
  Experiment stopped = Trial();
  stopped.__set_stopped_ms(kStart + kDay);
  const std::vector<Exposure> shelves = {Shelf("a", kStart, "old"),
                                         Shelf("b", kStart + kDay, "new")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart + kDay - 1, "p", 1, 10),
                                     Did(EventKind::PURCHASE, kStart + kDay, "q", 1, 20)};
  const UnitOutcome outcome = OutcomeOf(stopped, shelves, events);
  ASSERT_EQ(outcome.kind, Kind::kIn);
  EXPECT_EQ(outcome.values[3].value, 10);
}

TEST(OutcomeOf, LooksBackOnlyForCuped) {
  Experiment experiment = Trial();
  const std::vector<Exposure> shelves = {Shelf("a", kStart, "old")};
  const std::vector<Event> events = {Did(EventKind::PURCHASE, kStart - 8 * kDay, "p", 1, 10),
                                     Did(EventKind::PURCHASE, kStart - 6 * kDay, "q", 1, 20),
                                     Did(EventKind::PURCHASE, kStart, "r", 1, 40)};
  EXPECT_EQ(OutcomeOf(experiment, shelves, events).values[3].value_before, 0);
  experiment.days_before = 7;
  const UnitOutcome outcome = OutcomeOf(experiment, shelves, events);
  EXPECT_EQ(outcome.values[3].value_before, 20);
  EXPECT_EQ(outcome.values[3].value, 40);
  for (const MetricDefinition& definition : DefinitionsOf(experiment)) {
    const bool of_shelves = definition.name == "click_rate" || definition.name == "cart_rate";
    EXPECT_EQ(definition.cuped, !of_shelves) << definition.name;
  }
}

}  // namespace
}  // namespace vitrine::experiments
