#include "experiments/definition/definition.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/definition/metrics.h"
#include "experiments/definition/running.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using vitrine::testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kDay = 86'400'000;

Experiment Trial(const std::string& id = "trial") {
  Experiment experiment;
  experiment.id = id;
  experiment.placement = "home";
  experiment.planned_units = 10'000;
  experiment.arms.resize(2);
  experiment.arms[0].id = "as-it-is";
  experiment.arms[1].id = "popular";
  experiment.arms[1].recipe.emplace_back().source = Source::POPULAR;
  return experiment;
}

Experiment Running(const std::string& id = "trial") {
  return Value(Moved(Trial(id), ExperimentStatus::RUNNING, {}, kNow));
}

EventMetric Carts(const std::string& name) {
  EventMetric metric;
  metric.name = name;
  metric.kind = EventKind::ADD_TO_CART;
  return metric;
}

std::string Complaint(const absl::Status& status) { return std::string(status.message()); }

TEST(ValidateExperiment, NamesTheFieldAndWhy) {
  EXPECT_OK(ValidateExperiment(Trial()));
  const std::vector<std::pair<void (*)(Experiment*), const char*>> mistakes = {
      {[](Experiment* e) { e->id = "My trial"; }, "id: is not 1 to 64"},
      {[](Experiment* e) { e->placement = ""; }, "placement: is not"},
      {[](Experiment* e) { e->arms.pop_back(); }, "arms: 2 to 16 are wanted, not 1"},
      {[](Experiment* e) { e->arms[1].id = "as-it-is"; }, "arms[as-it-is]: there are two"},
      {[](Experiment* e) { e->arms[1].weight = 0; }, "arms[popular].weight: 0 is not above 0"},
      {[](Experiment* e) { e->arms[1].__set_k(201); }, "arms[popular].k: 201 is not between"},
      {[](Experiment* e) { e->coverage = 1.5; }, "coverage: 1.5 is not between 0 and 1"},
      {[](Experiment* e) { e->secondary = {ExperimentMetric::CONVERSION}; },
       "metrics: conversion is named twice"},
      {[](Experiment* e) { e->primary = ExperimentMetric::REVENUE; },
       "currency: is wanted for revenue"},
      {[](Experiment* e) { e->primary = ExperimentMetric::MARGIN; },
       "currency: is wanted for margin"},
      {[](Experiment* e) { e->cap_quantile = 0.4; }, "cap_quantile: 0.4 is not"},
      {[](Experiment* e) { e->events.resize(21); }, "events: more than 20"},
      {[](Experiment* e) { e->events = {Carts("conversion")}; },
       "events[conversion].name: is one of ours"},
      {[](Experiment* e) {
         e->events = {Carts("carts"), Carts("carts")};
       },
       "metrics: carts is named twice"},
      {[](Experiment* e) {
         e->events = {Carts("a"), Carts("b")};
         e->events[0].role = e->events[1].role = MetricUse::DECIDES;
       },
       "events: more than one decides"},
      {[](Experiment* e) {
         e->events = {Carts("a")};
         e->events[0].kind = static_cast<EventKind>(99);
       },
       "events[a].kind: 99 is no kind"},
      {[](Experiment* e) { e->alpha = 0.5; }, "alpha: 0.5 is not"},
      {[](Experiment* e) { e->days_before = 1000; }, "days_before: 1000 is not"},
      {[](Experiment* e) {
         e->__set_from_ms(kNow);
         e->__set_to_ms(kNow);
       },
       "to: is not after from"},
      {[](Experiment* e) {
         LayerSlice slice;
         slice.layer = "ranking";
         slice.low = slice.high = 0.5;
         e->__set_layer(slice);
       },
       "layer.high: is not above low"},
  };
  for (const auto& [make, complaint] : mistakes) {
    Experiment experiment = Trial();
    make(&experiment);
    EXPECT_THAT(Complaint(ValidateExperiment(experiment)), StartsWith(complaint));
  }
}

TEST(MetricsOf, OneOfTheShopsOwnMayDecide) {
  Experiment experiment = Trial();
  experiment.secondary = {ExperimentMetric::CLICK_RATE};
  experiment.guardrails.emplace_back().metric = ExperimentMetric::RETURNS;
  experiment.events = {Carts("guards"), Carts("explains"), Carts("decides")};
  experiment.events[0].role = MetricUse::GUARDS;
  experiment.events[2].role = MetricUse::DECIDES;
  std::vector<std::string> names;
  for (const MeasuredMetric& metric : MetricsOf(experiment)) names.push_back(metric.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"decides", "click_rate", "explains", "returns", "guards"}));
  experiment.events.pop_back();
  EXPECT_EQ(MetricsOf(experiment)[0].name, "conversion");
}

Experiment Bandit() {
  Experiment experiment = Trial();
  experiment.kind = ExperimentKind::BANDIT;
  experiment.arms[0].weight = 3;
  BanditPlan plan;
  plan.segments = {SegmentBy::BY_DEVICE, SegmentBy::BY_RETURNING};
  experiment.__set_bandit(plan);
  return experiment;
}

Experiment Interleaving() {
  Experiment experiment = Trial();
  experiment.kind = ExperimentKind::INTERLEAVING;
  experiment.primary = ExperimentMetric::CLICK_RATE;
  return experiment;
}

TEST(ValidateExperiment, BanditsAndInterleavingHaveRulesOfTheirOwn) {
  EXPECT_OK(ValidateExperiment(Bandit()));
  EXPECT_OK(ValidateExperiment(Interleaving()));
  const std::vector<std::pair<void (*)(Experiment*), const char*>> bandits = {
      {[](Experiment* e) { e->kind = ExperimentKind::SPLIT; }, "bandit: is of experiments"},
      {[](Experiment* e) { e->bandit.floor = 0.6; }, "bandit.floor: 0.6 is not between"},
      {[](Experiment* e) { e->bandit.batch_minutes = 0; }, "bandit.batch_minutes: 0 is not"},
      {[](Experiment* e) { e->bandit.segments.push_back(SegmentBy::BY_DEVICE); },
       "bandit.segments: "},
      {[](Experiment* e) { e->primary = ExperimentMetric::CLICK_RATE; }, "primary: a bandit"},
  };
  for (const auto& [make, complaint] : bandits) {
    Experiment experiment = Bandit();
    make(&experiment);
    EXPECT_THAT(Complaint(ValidateExperiment(experiment)), StartsWith(complaint));
  }
  const std::vector<std::pair<void (*)(Experiment*), const char*>> interleavings = {
      {[](Experiment* e) {
         e->arms.resize(3);
         e->arms[2].id = "third";
       },
       "arms: two are interleaved"},
      {[](Experiment* e) { e->arms[1].__set_k(5); }, "arms[popular]: arms that are interleaved"},
      {[](Experiment* e) { e->arms[1].weight = 2; }, "arms[popular]: arms that are interleaved"},
      {[](Experiment* e) { e->primary = ExperimentMetric::RETURNS; }, "primary: arms that are"},
  };
  for (const auto& [make, complaint] : interleavings) {
    Experiment experiment = Interleaving();
    make(&experiment);
    EXPECT_THAT(Complaint(ValidateExperiment(experiment)), StartsWith(complaint));
  }
}

TEST(ExperimentLife, GoesForwardOnly) {
  const std::map<ExperimentStatus, std::vector<ExperimentStatus>> ways = {
      {ExperimentStatus::DRAFT, {ExperimentStatus::RUNNING, ExperimentStatus::ARCHIVED}},
      {ExperimentStatus::RUNNING, {ExperimentStatus::PAUSED, ExperimentStatus::STOPPED}},
      {ExperimentStatus::PAUSED, {ExperimentStatus::RUNNING, ExperimentStatus::STOPPED}},
      {ExperimentStatus::STOPPED, {ExperimentStatus::ARCHIVED}},
      {ExperimentStatus::ARCHIVED, {}}};
  for (const auto& [from, to] : ways) {
    for (const auto& [next, ignored] : ways) {
      Experiment experiment = Trial();
      experiment.status = from;
      const bool goes = std::find(to.begin(), to.end(), next) != to.end();
      EXPECT_EQ(Moved(experiment, next, {}, kNow).ok(), goes) << from << " to " << next;
    }
  }
}

TEST(ExperimentLife, RemembersWhenItBeganAndEnded) {
  const Experiment running = Running();
  EXPECT_EQ(running.started_ms, kNow);
  const Experiment paused = Value(Moved(running, ExperimentStatus::PAUSED, {}, kNow + 1));
  const Experiment again = Value(Moved(paused, ExperimentStatus::RUNNING, {}, kNow + 2));
  EXPECT_EQ(again.started_ms, kNow);
  const Experiment stopped = Value(Moved(again, ExperimentStatus::STOPPED, {}, kNow + 3));
  EXPECT_EQ(stopped.stopped_ms, kNow + 3);
}

TEST(ExperimentLife, BeginsOnlyWithAPlan) {
  const auto start = [](const Experiment& experiment) {
    return Complaint(Moved(experiment, ExperimentStatus::RUNNING, {}, kNow).status());
  };
  Experiment without_plan = Trial();
  without_plan.planned_units = 0;
  EXPECT_THAT(start(without_plan), StartsWith("planned_units: "));
  Experiment fixed = Trial();
  fixed.sequential = false;
  EXPECT_THAT(start(fixed), StartsWith("to: a fixed test"));
  fixed.__set_to_ms(kNow - 1);
  EXPECT_THAT(start(fixed), StartsWith("to: is past"));
  fixed.__set_to_ms(kNow + kDay);
  EXPECT_THAT(start(fixed), IsEmpty());
}

TEST(CheckChange, ADraftMayChangeAltogether) {
  Experiment other = Trial();
  other.placement = "cart";
  other.arms[0].weight = 3;
  EXPECT_THAT(Value(CheckChange(Trial(), other)), IsEmpty());
}

TEST(CheckChange, WhatRunsKeepsWhatUnitsSawAndWhatIsLookedFor) {
  const Experiment before = Running();
  const std::vector<std::pair<void (*)(Experiment*), const char*>> changes = {
      {[](Experiment* e) { e->arms[1].weight = 2; }, "arms: "},
      {[](Experiment* e) { e->seed = "other"; }, "seed: "},
      {[](Experiment* e) { e->unit = ExperimentUnit::CUSTOMER; }, "unit: "},
      {[](Experiment* e) { e->audience.countries = {"GB"}; }, "audience: "},
      {[](Experiment* e) { e->primary = ExperimentMetric::CLICK_RATE; }, "primary: "},
      {[](Experiment* e) { e->planned_units = 5; }, "planned_units: "},
      {[](Experiment* e) { e->events = {Carts("carts")}; }, "events: "},
      {[](Experiment* e) { e->cap_quantile = 0.99; }, "cap_quantile: "},
      {[](Experiment* e) { e->alpha = 0.1; }, "alpha: "},
  };
  for (const auto& [make, complaint] : changes) {
    Experiment after = before;
    make(&after);
    EXPECT_THAT(Complaint(CheckChange(before, after).status()), StartsWith(complaint));
  }
  Experiment stopped = before;
  stopped.status = ExperimentStatus::STOPPED;
  EXPECT_THAT(Complaint(CheckChange(stopped, stopped).status()),
              StartsWith("status: it is stopped"));
}

TEST(CheckChange, MoreOrLessCoverageIsAllowedWithAWarning) {
  Experiment before = Running();
  before.coverage = 0.5;
  Experiment after = before;
  after.coverage = 0.7;
  EXPECT_THAT(Value(CheckChange(before, after)).at(0), HasSubstr("came later"));
  after.coverage = 0.2;
  EXPECT_THAT(Value(CheckChange(before, after)).at(0), HasSubstr("smaller than they are"));
  after = before;
  after.__set_to_ms(kNow + kDay);
  EXPECT_THAT(Value(CheckChange(before, after)), IsEmpty());
  before.sequential = after.sequential = false;
  EXPECT_THAT(Complaint(CheckChange(before, after).status()), StartsWith("to: a fixed test"));
}

TEST(CheckTogether, TwoThatWouldMeetNeedALayer) {
  Experiment one = Running("one");
  Experiment two = Trial("two");
  const auto start = [&] {
    const std::vector<Experiment> others = {one};
    return Complaint(Moved(two, ExperimentStatus::RUNNING, others, kNow).status());
  };
  EXPECT_THAT(start(),
              StartsWith("placement: the experiment one, which goes on, changes its recipe"));
  two.placement = "cart";
  EXPECT_THAT(start(), IsEmpty());
  two.placement = "home";
  two.arms[1] = Trial().arms[1];
  two.arms[1].recipe.clear();
  two.arms[1].parameters["colour"] = "blue";
  EXPECT_THAT(start(), IsEmpty()) << "they change different things";
  two = Trial("two");
  LayerSlice slice;
  slice.layer = "ranking";
  slice.low = 0;
  slice.high = 0.5;
  one.__set_layer(slice);
  slice.low = 0.4;
  slice.high = 1;
  two.__set_layer(slice);
  EXPECT_THAT(start(), StartsWith("layer: the experiment one, which goes on, holds 0 to 0.5"));
  two.layer.low = 0.5;
  EXPECT_THAT(start(), IsEmpty());
  two.unit = ExperimentUnit::CUSTOMER;
  EXPECT_THAT(start(), StartsWith("layer: "));
  two.unit = ExperimentUnit::VISITOR;
  two.seed = "one";
  EXPECT_THAT(start(), StartsWith("seed: "));
}

TEST(CheckTogether, TwoThatTryModelsWouldMeetOnAPage) {
  Experiment one = Running("one");
  one.arms[1].recipe.clear();
  one.arms[1].__set_model_id("m1");
  Experiment two = Trial("two");
  two.placement = "cart";
  two.arms[1].__set_model_id("m1");
  EXPECT_THAT(Complaint(CheckTogether(two, one)), HasSubstr("changes its model too"));
  two.arms[1].__isset.model_id = false;
  EXPECT_OK(CheckTogether(two, one));
}

RequestFacts Asks(absl::string_view visitor, absl::string_view customer = "") {
  RequestFacts facts;
  facts.visitor = visitor;
  facts.customer = customer;
  facts.language = "en-GB";
  facts.country = "GB";
  facts.now_ms = kNow;
  return facts;
}

// The arm's id; empty: none.
std::string ArmOf(const Experiment& experiment, const RequestFacts& facts) {
  const RunningExperiments running = Value(RunningExperiments::Create("shop", {experiment}));
  const std::vector<ChosenArm> chosen = running.Choose("home", facts);
  return chosen.empty() ? "" : chosen.at(0).arm->id;
}

TEST(RunningExperiments, AVisitorsArmStaysThroughLogin) {
  const Experiment experiment = Running();
  std::map<std::string, int> units;
  for (int i = 0; i < 1000; ++i) {
    const std::string visitor = absl::StrCat("v", i);
    const std::string before = ArmOf(experiment, Asks(visitor));
    EXPECT_EQ(ArmOf(experiment, Asks(visitor, absl::StrCat("c", i))), before);
    ++units[before];
  }
  EXPECT_EQ(units.size(), 2u);
  EXPECT_NEAR(units["popular"], 500, 5 * 16);  // five standard deviations
}

TEST(RunningExperiments, AnExperimentOfCustomersNeedsACustomer) {
  Experiment experiment = Running();
  experiment.unit = ExperimentUnit::CUSTOMER;
  EXPECT_EQ(ArmOf(experiment, Asks("v1")), "");
  const std::string arm = ArmOf(experiment, Asks("v1", "c1"));
  EXPECT_NE(arm, "");
  EXPECT_EQ(ArmOf(experiment, Asks("another device", "c1")), arm);
}

TEST(RunningExperiments, OnlyWhatRunsNowAndIsMeantHasAnArm) {
  EXPECT_NE(ArmOf(Running(), Asks("v1")), "");
  EXPECT_EQ(ArmOf(Trial(), Asks("v1")), "") << "a draft";
  EXPECT_EQ(ArmOf(Value(Moved(Running(), ExperimentStatus::PAUSED, {}, kNow)), Asks("v1")), "");
  Experiment later = Running();
  later.__set_from_ms(kNow + 1);
  EXPECT_EQ(ArmOf(later, Asks("v1")), "");
  Experiment past = Running();
  past.__set_to_ms(kNow);
  EXPECT_EQ(ArmOf(past, Asks("v1")), "");
  Experiment elsewhere = Running();
  elsewhere.audience.countries = {"DE"};
  EXPECT_EQ(ArmOf(elsewhere, Asks("v1")), "");
  elsewhere.audience.countries = {"DE", "GB"};
  elsewhere.audience.languages = {"en"};
  EXPECT_NE(ArmOf(elsewhere, Asks("v1")), "");
  elsewhere.audience.languages = {"e"};
  EXPECT_EQ(ArmOf(elsewhere, Asks("v1")), "");
  elsewhere = Running();
  elsewhere.audience.devices = {Device::MOBILE};
  EXPECT_EQ(ArmOf(elsewhere, Asks("v1")), "");
  Experiment nobody = Running();
  nobody.coverage = 0;
  EXPECT_EQ(ArmOf(nobody, Asks("v1")), "");
  RequestFacts held_out = Asks("v1");
  held_out.holdout = 1;
  EXPECT_EQ(ArmOf(Running(), held_out), "");
}

TEST(RunningExperiments, ABanditChoosesByItsBatchAndSegment) {
  Experiment bandit = Value(Moved(Bandit(), ExperimentStatus::RUNNING, {}, kNow));
  EXPECT_EQ(bandit.batch.number, 1);
  EXPECT_EQ(bandit.batch.weights.at(""), (std::vector<double>{0.75, 0.25}));
  bandit.batch.weights["mobile/new"] = {0.1, 0.9};
  const RunningExperiments running = Value(RunningExperiments::Create("shop", {bandit}));
  const auto popular = [&](RequestFacts facts) {
    int count = 0;
    for (int i = 0; i < 1000; ++i) {
      const std::string visitor = absl::StrCat("v", i);
      facts.visitor = visitor;
      const std::vector<ChosenArm> chosen = running.Choose("home", facts);
      EXPECT_EQ(chosen.size(), 1u);
      EXPECT_EQ(chosen[0].segment, facts.returning ? "mobile/returning" : "mobile/new");
      const bool is_popular = chosen[0].arm->id == "popular";
      EXPECT_DOUBLE_EQ(chosen[0].propensity,
                       facts.returning ? (is_popular ? 0.25 : 0.75) : (is_popular ? 0.9 : 0.1));
      count += is_popular ? 1 : 0;
    }
    return count;
  };
  RequestFacts facts = Asks("");
  facts.device = Device::MOBILE;
  EXPECT_NEAR(popular(facts), 900, 5 * 9.5);
  facts.returning = true;
  EXPECT_NEAR(popular(facts), 250, 5 * 13.7);
  EXPECT_THAT(running.DueBandits(kNow + 60 * 60'000 - 1), IsEmpty());
  EXPECT_EQ(running.DueBandits(kNow + 60 * 60'000).size(), 1u);
}

TEST(RunningExperiments, BothArmsOfAnInterleavingAreEverybodys) {
  const Experiment experiment = Value(Moved(Interleaving(), ExperimentStatus::RUNNING, {}, kNow));
  const RunningExperiments running = Value(RunningExperiments::Create("shop", {experiment}));
  std::vector<ChosenArm> chosen = running.Choose("home", Asks("v1"));
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].arm, nullptr);
  EXPECT_EQ(chosen[0].propensity, 1);
  const ForcedArms forced = {{"trial", 1}};
  RequestFacts facts = Asks("v1");
  facts.forced = &forced;
  chosen = running.Choose("home", facts);
  ASSERT_EQ(chosen.size(), 1u);
  ASSERT_NE(chosen[0].arm, nullptr) << "one of them can be looked at alone";
  EXPECT_EQ(chosen[0].arm->id, "popular");
}

TEST(RunningExperiments, AForcedArmIsShownWhereverTheUnitFalls) {
  Experiment experiment = Trial();
  for (const uint32_t arm : {0u, 1u}) {
    const ForcedArms forced = {{"trial", arm}};
    RequestFacts facts = Asks("v1");
    facts.forced = &forced;
    const RunningExperiments running = Value(RunningExperiments::Create("shop", {experiment}));
    const std::vector<ChosenArm> chosen = running.Choose("home", facts);
    ASSERT_EQ(chosen.size(), 1u);
    EXPECT_EQ(chosen[0].arm->id, experiment.arms[arm].id);
    EXPECT_TRUE(chosen[0].forced);
  }
  const ForcedArms no_such_arm = {{"trial", 7}};
  RequestFacts facts = Asks("v1");
  facts.forced = &no_such_arm;
  EXPECT_EQ(ArmOf(experiment, facts), "") << "a draft shows nothing by itself";
}

}  // namespace
}  // namespace vitrine::experiments
