#include "experiments/verdict/verdict.h"

#include <cmath>

#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Value;

MetricSums Bought(int64_t units, int64_t bought) {
  return MetricSums::Of(units, static_cast<double>(bought), static_cast<double>(bought));
}

// Units who spend 0 or twice the mean.
MetricSums Spent(int64_t units, double mean) {
  return MetricSums::Of(units, mean * static_cast<double>(units),
                        2 * mean * mean * static_cast<double>(units));
}

const std::vector<MetricDefinition>& Metrics() {
  static const auto& metrics = *new std::vector<MetricDefinition>{
      {.name = "conversion", .kind = MetricKind::kProportion, .role = MetricRole::kPrimary},
      {.name = "revenue"},
      {.name = "returns",
       .kind = MetricKind::kProportion,
       .role = MetricRole::kGuardrail,
       .smaller_is_better = true,
       .margin = 0.1}};
  return metrics;
}

ArmSums Arm(const std::string& name, int64_t units, int64_t bought, double revenue,
            int64_t returned) {
  return {name, {Bought(units, bought), Spent(units, revenue), Bought(units, returned)}};
}

Health Healthy(const std::vector<ArmSums>& arms) {
  Health health;
  SampleRatioPeriod& period = health.exposed.emplace_back();
  for (const ArmSums& arm : arms) {
    period.units.push_back(arm.metrics[0].units);
    period.shares.push_back(1);
  }
  health.replies = 100'000;
  return health;
}

const std::vector<ArmSums>& Better() {
  static const auto& arms = *new std::vector<ArmSums>{Arm("old", 10'000, 1000, 5, 200),
                                                      Arm("new", 10'050, 1250, 5.5, 201)};
  return arms;
}

constexpr double kPlanned = 20'000;

TEST(Verdict, NamesTheWinner) {
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), Better(), Healthy(Better()), false));
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
  EXPECT_EQ(verdict.winner, 1u);
  ASSERT_EQ(verdict.comparisons.size(), 3u);
  const MetricVerdict& primary = verdict.comparisons[0];
  EXPECT_EQ(primary.direction, Direction::kBetter);
  EXPECT_GT(primary.absolute.low, 0);
  EXPECT_GT(primary.relative->low, 0);
  EXPECT_LT(primary.p, 1e-5);
  EXPECT_GT(primary.bayesian.chance_to_win, 0.999);
  EXPECT_THAT(verdict.warnings, IsEmpty());
}

TEST(Verdict, OfABrokenExperimentHasReasonsAndNoNumbers) {
  const auto judge = [](const Health& health) {
    return Value(Judge({.planned_units = kPlanned}, Metrics(), Better(), health, true));
  };
  const auto expect = [&judge](const Health& health, ObjectionKind kind) {
    const Verdict verdict = judge(health);
    EXPECT_EQ(verdict.decision, Decision::kInvalid);
    EXPECT_THAT(verdict.comparisons, IsEmpty());
    ASSERT_EQ(verdict.validity.objections.size(), 1u);
    EXPECT_EQ(verdict.validity.objections[0].kind, kind);
    EXPECT_FALSE(verdict.validity.objections[0].text.empty());
  };
  Health health = Healthy(Better());
  health.exposed[0].units = {10'000, 10'900};
  expect(health, ObjectionKind::kSampleRatio);
  health = Healthy(Better());
  health.assigned = {{{20'000, 21'500}, {1, 1}}};
  expect(health, ObjectionKind::kSampleRatio);
  health = Healthy(Better());
  health.exposed[0] = {{10'000, 10'050, 1}, {1, 1, 0}};
  expect(health, ObjectionKind::kSampleRatio);
  health = Healthy(Better());
  health.units_mixed = 3000;
  expect(health, ObjectionKind::kMixedUnits);
  health = Healthy(Better());
  health.replies_unexposed = 1001;
  expect(health, ObjectionKind::kMissingExposures);
  health = Healthy(Better());
  health.effective_size = 900;
  expect(health, ObjectionKind::kEffectiveSize);
}

TEST(Verdict, WarnsBeforeItRefuses) {
  Health health = Healthy(Better());
  health.units_mixed = 500;  // 2.4 %
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), Better(), health, false));
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("2.4% of units were seen in two arms")));
}

TEST(Verdict, RemembersAMismatchThatItSaw) {
  Health health = Healthy(Better());
  health.exposed[0].units = {10'000, 10'800};
  const TestPlan plan = {.planned_units = kPlanned};
  const Verdict then = Value(Judge(plan, Metrics(), Better(), health, false));
  EXPECT_EQ(then.decision, Decision::kInvalid);
  health = Healthy(Better());
  health.sample_ratio_least_p = then.validity.sample_ratio_running_p;
  EXPECT_EQ(Value(Judge(plan, Metrics(), Better(), health, false)).decision, Decision::kInvalid);
}

TEST(Verdict, OfAFixedTestWaitsForItsEnd) {
  const TestPlan plan = {.sequential = false, .planned_units = kPlanned};
  const Verdict early = Value(Judge(plan, Metrics(), Better(), Healthy(Better()), false));
  EXPECT_EQ(early.decision, Decision::kNotEnded);
  EXPECT_THAT(early.comparisons, IsEmpty());
  const Verdict late = Value(Judge(plan, Metrics(), Better(), Healthy(Better()), true));
  EXPECT_EQ(late.decision, Decision::kTreatmentWins);
  const Verdict sequential =
      Value(Judge({.planned_units = kPlanned}, Metrics(), Better(), Healthy(Better()), true));
  EXPECT_GT(late.comparisons[0].absolute.low, sequential.comparisons[0].absolute.low);
}

TEST(Verdict, LooksAtNothingOfAHandful) {
  const std::vector<ArmSums> arms = {Arm("old", 99, 1, 5, 0), Arm("new", 101, 50, 9, 0)};
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), arms, Healthy(arms), false));
  EXPECT_EQ(verdict.decision, Decision::kTooEarly);
  EXPECT_THAT(verdict.comparisons, IsEmpty());
}

TEST(Verdict, DoesNotLetAGuardrailBeHarmed) {
  std::vector<ArmSums> arms = Better();
  arms[1].metrics[2] = Bought(10'050, 350);  // returns: 2 % to 3.5 %
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), arms, Healthy(arms), false));
  EXPECT_EQ(verdict.decision, Decision::kGuardrailHarmed);
  EXPECT_EQ(verdict.comparisons[2].direction, Direction::kWorse);
  EXPECT_FALSE(verdict.comparisons[2].safe);
}

TEST(Verdict, AGuardrailIsSafeWhenItsLossIsSurelySmall) {
  std::vector<ArmSums> arms = Better();
  for (ArmSums& arm : arms) arm.metrics[2] = Bought(arm.metrics[0].units, 7000);
  arms[1].metrics[2] = Bought(10'050, 7250);  // worse by 3 %, the margin is 10 %
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), arms, Healthy(arms), false));
  EXPECT_TRUE(verdict.comparisons[2].safe);
  EXPECT_LT(verdict.comparisons[2].p, 0.05);
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
}

TEST(Verdict, ControlWinsWhereEachTreatmentIsWorse) {
  const std::vector<ArmSums> arms = {Better()[1], Better()[0]};
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), arms, Healthy(arms), false));
  EXPECT_EQ(verdict.decision, Decision::kControlWins);
  EXPECT_LT(verdict.comparisons[0].bayesian.chance_to_win, 0.001);
}

TEST(Verdict, SmallerIsBetterTurnsEverythingRound) {
  std::vector<MetricDefinition> metrics = {{.name = "bounce",
                                            .kind = MetricKind::kProportion,
                                            .role = MetricRole::kPrimary,
                                            .smaller_is_better = true}};
  const std::vector<ArmSums> arms = {{"old", {Bought(10'000, 1250)}},
                                     {"new", {Bought(10'000, 1000)}}};
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, metrics, arms, Healthy(arms), false));
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
  EXPECT_GT(verdict.comparisons[0].bayesian.chance_to_win, 0.999);
  metrics[0].kind = MetricKind::kMean;
  EXPECT_GT(Value(Judge({.planned_units = kPlanned}, metrics, arms, Healthy(arms), false))
                .comparisons[0]
                .bayesian.chance_to_win,
            0.999);
}

// Twenty secondary metrics of which one looks good alone.
TEST(Verdict, SecondaryMetricsPayForTheirNumber) {
  std::vector<MetricDefinition> metrics = {
      {.name = "conversion", .kind = MetricKind::kProportion, .role = MetricRole::kPrimary}};
  std::vector<ArmSums> arms = {{"old", {Bought(10'000, 1000)}}, {"new", {Bought(10'000, 1010)}}};
  for (int i = 0; i < 20; ++i) {
    metrics.push_back({.name = "m"});
    arms[0].metrics.push_back(Spent(10'000, 5));
    arms[1].metrics.push_back(Spent(10'000, i == 7 ? 5.18 : 5.0));
  }
  TestPlan plan = {.sequential = false, .planned_units = kPlanned};
  const Verdict verdict = Value(Judge(plan, metrics, arms, Healthy(arms), true));
  const MetricVerdict& lucky = verdict.comparisons[8];
  EXPECT_LT(lucky.p, 0.05);
  EXPECT_NEAR(lucky.p_adjusted, 20 * lucky.p, 1e-12);
  EXPECT_EQ(lucky.direction, Direction::kUndecided);
  EXPECT_NEAR(lucky.interval_alpha, 0.05 / 20, 1e-15);
  EXPECT_EQ(verdict.decision, Decision::kUndecided);
}

// A control of nine tenths: N* of the two arms is all of it, however it is shared out.
TEST(Verdict, PlansForTheSharesThatArmsHave) {
  const std::vector<MetricDefinition> metrics = {
      {.name = "conversion", .kind = MetricKind::kProportion, .role = MetricRole::kPrimary}};
  const std::vector<ArmSums> arms = {
      {"old", {Bought(9000, 900)}}, {"new", {Bought(500, 50)}}, {"newer", {Bought(500, 50)}}};
  Health health = Healthy(arms);
  health.exposed[0].shares = {18, 1, 1};
  const auto width = [&](double planned) {
    const Verdict verdict = Value(Judge({.planned_units = planned}, metrics, arms, health, false));
    return verdict.comparisons[0].absolute.high - verdict.comparisons[0].absolute.low;
  };
  EXPECT_LT(width(10'000), width(7000));
  EXPECT_LT(width(10'000), width(14'000));
}

TEST(Verdict, KeepsTheLeastPSoFar) {
  const std::vector<ArmSums> even = {Arm("old", 10'000, 1000, 5, 200),
                                     Arm("new", 10'000, 1010, 5, 200)};
  std::vector<ArmSums> arms = even;
  arms[1].least_p = {0.01, 1, 1};
  const TestPlan plan = {.planned_units = kPlanned};
  EXPECT_EQ(Value(Judge(plan, Metrics(), arms, Healthy(arms), false)).comparisons[0].p, 0.01);
  EXPECT_EQ(Value(Judge(plan, Metrics(), arms, Healthy(arms), false)).decision,
            Decision::kTreatmentWins);
  EXPECT_GT(Value(Judge(plan, Metrics(), even, Healthy(even), false)).comparisons[0].p, 0.5);
}

TEST(Verdict, SaysWhichMetricCannotBeComputed) {
  std::vector<ArmSums> arms = Better();
  arms[1].metrics[1].sums[kValue] = NAN;
  const Verdict verdict =
      Value(Judge({.planned_units = kPlanned}, Metrics(), arms, Healthy(arms), false));
  EXPECT_EQ(verdict.decision, Decision::kTreatmentWins);
  EXPECT_FALSE(verdict.comparisons[1].effect.has_value());
  EXPECT_THAT(verdict.comparisons[1].problem, HasSubstr("not finite"));
}

TEST(Verdict, WarnsOfArmsThatDifferedBefore) {
  const std::vector<MetricDefinition> metrics = {
      {.name = "revenue", .role = MetricRole::kPrimary, .cuped = true}};
  std::vector<ArmSums> arms = {{"old", {{}}}, {"new", {{}}}};
  for (int i = 0; i < 4000; ++i) {
    const double base = i % 100;
    arms[0].metrics[0].Add({.value = base + i % 7, .value_before = base});
    arms[1].metrics[0].Add({.value = base + 5 + i % 5, .value_before = base + 5});
  }
  const Verdict verdict =
      Value(Judge({.planned_units = 8000}, metrics, arms, Healthy(arms), false));
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("differed in revenue before")));
  EXPECT_LT(verdict.comparisons[0].effect->variance_ratio, 0.01);
  EXPECT_EQ(verdict.comparisons[0].direction, Direction::kWorse);  // 5 more all came from before
}

TEST(Verdict, RefusesWhatIsNoExperiment) {
  const auto code = [](const TestPlan& plan, const std::vector<MetricDefinition>& metrics,
                       const std::vector<ArmSums>& arms) {
    return Judge(plan, metrics, arms, Healthy(Better()), false).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({}, Metrics(), Better()), invalid);
  EXPECT_EQ(code({.alpha = 0, .planned_units = 1}, Metrics(), Better()), invalid);
  EXPECT_EQ(code({.planned_units = 1}, {Metrics()[1]}, {{"a", {{}}}, {"b", {{}}}}), invalid);
  EXPECT_EQ(code({.planned_units = 1}, Metrics(), {Better()[0]}), invalid);
  EXPECT_EQ(code({.planned_units = 1}, Metrics(), {Better()[0], {"new", {}}}), invalid);
  EXPECT_EQ(code({.planned_units = 1}, Metrics(), {Better()[0], Better()[1], Better()[1]}),
            invalid);
}

}  // namespace
}  // namespace vitrine::experiments
