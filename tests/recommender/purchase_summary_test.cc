// Summaries, RFM, life cycle and forecasts against examples worked out by hand.

#include "recommender/customers/purchase_summary.h"

#include <algorithm>
#include <random>
#include <vector>

#include "recommender/customers/holdout.h"
#include "recommender/customers/life_cycle.h"
#include "recommender/customers/rfm.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

int64_t At(absl::CivilSecond second, const char* zone = "UTC") {
  absl::TimeZone loaded;
  EXPECT_TRUE(absl::LoadTimeZone(zone, &loaded));
  return absl::ToUnixMillis(absl::FromCivil(second, loaded));
}

TEST(PurchaseSummaryTest, WhatIsBoughtOnOneDayIsOnePurchase) {
  const std::vector<PurchaseDay> days = MergeDays(
      std::vector<Transaction>{
          {.time_ms = At(absl::CivilSecond(2024, 3, 9, 12, 0, 0)),
           .amount_minor = 500,
           .order_id = "b"},
          {.time_ms = At(absl::CivilSecond(2024, 3, 1, 9, 0, 0)),
           .amount_minor = 100,
           .order_id = "a"},
          {.time_ms = At(absl::CivilSecond(2024, 3, 1, 9, 0, 0)),
           .amount_minor = 50,
           .margin_minor = 20,
           .order_id = "a"},
          {.time_ms = At(absl::CivilSecond(2024, 3, 1, 23, 0, 0)), .amount_minor = 7},
          {.time_ms = At(absl::CivilSecond(2024, 3, 1, 23, 0, 0)), .amount_minor = 8},
          {.time_ms = At(absl::CivilSecond(2024, 3, 5, 1, 0, 0)),
           .amount_minor = 30,
           .margin_minor = 9,
           .refund = true}},
      absl::UTCTimeZone());
  const int32_t first = DayNumber(absl::CivilDay(2024, 3, 1));
  EXPECT_THAT(
      days,
      ElementsAre(PurchaseDay{.day = first, .orders = 3, .amount_minor = 165, .margin_minor = 20},
                  PurchaseDay{.day = first + 4, .refunded_minor = 30, .refunded_margin_minor = 9},
                  PurchaseDay{.day = first + 8, .orders = 1, .amount_minor = 500}));
}

TEST(PurchaseSummaryTest, ADayIsTheShops) {
  const auto merged = [](const char* zone) {
    absl::TimeZone loaded;
    EXPECT_TRUE(absl::LoadTimeZone(zone, &loaded));
    return MergeDays(
               std::vector<Transaction>{{.time_ms = At(absl::CivilSecond(2024, 3, 1, 19, 0, 0))},
                                        {.time_ms = At(absl::CivilSecond(2024, 3, 1, 21, 0, 0))}},
               loaded)
        .size();
  };
  EXPECT_EQ(merged("UTC"), 1);
  EXPECT_EQ(merged("Asia/Tehran"), 2);  // 20:30 is midnight there
}

TEST(PurchaseSummaryTest, TheFirstPurchaseIsNotARepeat) {
  const std::vector<PurchaseDay> days = {
      {.day = 100, .orders = 1, .amount_minor = 900, .margin_minor = 300},
      {.day = 107, .refunded_minor = 900, .refunded_margin_minor = 300},
      {.day = 114, .orders = 2, .amount_minor = 200, .margin_minor = 50},
      {.day = 121, .orders = 1},  // given away: a purchase, but nothing was paid
      {.day = 170, .orders = 1, .amount_minor = 400, .margin_minor = 100}};
  const PurchaseSummary summary = *SummarizePurchases(days, 142);
  EXPECT_EQ(summary.history, (RepeatHistory{2, 3, 6}));
  EXPECT_EQ(summary.monetary_value, 200);
  EXPECT_EQ(summary.paid_repeats, 1);
  EXPECT_EQ(summary.orders, 4);
  EXPECT_EQ(summary.bought_minor, 1100);
  EXPECT_EQ(summary.net_minor(), 200);
  EXPECT_EQ(BeforeLastPurchase(summary), (RepeatHistory{1, 2, 3}));
  EXPECT_EQ(SummarizePurchases(days, 142, 1)->history, (RepeatHistory{2, 21, 42}));
  EXPECT_EQ(SummarizePurchases(days, 99), std::nullopt);
  EXPECT_EQ(PurchasesBetween(days, 114, 170), 2);
  // 350 earned, 900 paid back; the goods had cost 600.
  EXPECT_EQ(EarnedMinor(summary, 1), 50);
  EXPECT_EQ(EarnedMinor(summary, 0), -550);
}

TEST(PurchaseSummaryTest, RowsThatAreAlikeAreOne) {
  const std::vector<RepeatRow> rows = Compress({{1, 2, 9}, {0, 0, 9}, {1, 2, 9}, {1, 2, 8}});
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].history, (RepeatHistory{0, 0, 9}));
  EXPECT_EQ(rows[2].history, (RepeatHistory{1, 2, 9}));
  EXPECT_EQ(rows[2].customers, 2);
}

TEST(RfmTest, EqualValuesHaveEqualScores) {
  EXPECT_THAT(QuantileScores(std::vector<double>{50, 10, 30, 20, 40}), ElementsAre(5, 1, 3, 2, 4));
  // Six of ten are equal: the scores above theirs up to 3 stay empty.
  EXPECT_THAT(QuantileScores(std::vector<double>{1, 1, 1, 1, 1, 1, 2, 3, 4, 5}),
              ElementsAre(1, 1, 1, 1, 1, 1, 4, 4, 5, 5));
  EXPECT_THAT(QuantileScores(std::vector<double>{7, 7, 7}), ElementsAre(1, 1, 1));
  EXPECT_TRUE(QuantileScores({}).empty());
}

TEST(RfmTest, AScoreIsHowManyLieBelow) {
  std::mt19937_64 random(7);
  std::vector<double> values(500);
  for (double& value : values) value = static_cast<double>(random() % 40);
  const std::vector<int> scores = QuantileScores(values);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto lower = std::count_if(values.begin(), values.end(),
                                     [&](double other) { return other < values[i]; });
    EXPECT_EQ(scores[i], 1 + 5 * lower / 500) << "seed 7";
  }
}

PurchaseSummary Customer(int64_t purchases, int32_t first, int32_t last, int32_t previous,
                         int32_t day) {
  PurchaseSummary summary;
  summary.history = {purchases - 1, (last - first) / 7.0, (day - first) / 7.0};
  summary.first_day = first;
  summary.last_day = last;
  summary.previous_day = previous;
  return summary;
}

TEST(RfmTest, TheGridHoldsEverybodyOnce) {
  std::vector<PurchaseSummary> customers;
  for (int i = 0; i < 10; ++i) {
    customers.push_back(Customer(1 + i, 0, 100 + i, 0, 200));
    customers.back().bought_minor = 100 * i;
    customers.back().refunded_minor = i;
  }
  const std::vector<RfmScore> scores = ScoreRfm(customers);
  EXPECT_EQ(scores.front(), (RfmScore{1, 1, 1}));
  EXPECT_EQ(scores.back(), (RfmScore{5, 5, 5}));
  const RfmGrid grid = FillRfmGrid(scores, customers);
  EXPECT_EQ(grid[0][0].customers, 2);
  EXPECT_EQ(grid[4][4].customers, 2);
  EXPECT_EQ(grid[4][4].net_minor, 99 * 8 + 99 * 9);
  EXPECT_EQ(grid[0][4].customers, 0);
}

TEST(LifeCycleTest, AStageFollowsFromPresenceAndPurchases) {
  const LifeCycleRules rules;
  const auto stage = [&](const PurchaseSummary& customer, Presence now, Presence before) {
    return StageOf(customer, 500, now, before, rules);
  };
  const auto here = Presence::kHere, gone = Presence::kGone;
  EXPECT_EQ(stage(Customer(1, 470, 470, 470, 500), here, here), LifeStage::kNew);
  EXPECT_EQ(stage(Customer(3, 100, 490, 480, 500), here, here), LifeStage::kActive);
  EXPECT_EQ(stage(Customer(4, 100, 490, 480, 500), here, here), LifeStage::kLoyal);
  EXPECT_EQ(stage(Customer(4, 100, 490, 150, 500), here, gone), LifeStage::kWonBack);
  EXPECT_EQ(stage(Customer(4, 100, 400, 150, 500), here, gone), LifeStage::kLoyal);  // long ago
  EXPECT_EQ(stage(Customer(9, 100, 400, 390, 500), Presence::kDoubtful, here), LifeStage::kAtRisk);
  EXPECT_EQ(stage(Customer(9, 100, 200, 190, 500), gone, here), LifeStage::kLapsed);
}

TEST(LifeCycleTest, StagesByUsualGaps) {
  const LifeCycleRules rules;
  // Ten purchases in 90 days, and a site's gap of 20: (90 + 20) / 10 = 11 days.
  const PurchaseSummary regular = Customer(10, 0, 90, 80, 0);
  EXPECT_NEAR(UsualGapDays(regular, 20), 11, 1e-12);
  EXPECT_EQ(StageByGap(regular, 90 + 22, 20, rules), LifeStage::kLoyal);
  EXPECT_EQ(StageByGap(regular, 90 + 23, 20, rules), LifeStage::kAtRisk);
  EXPECT_EQ(StageByGap(regular, 90 + 45, 20, rules), LifeStage::kLapsed);
  // Away for 300 days, where (10 + 20) / 2 = 15 were usual.
  EXPECT_EQ(StageByGap(Customer(3, 0, 310, 10, 0), 320, 20, rules), LifeStage::kWonBack);
}

TEST(LifeCycleTest, StagesByTheModel) {
  const PurchaseModel model = {PurchaseModelKind::kMbgNbd, {.525, 6.183, .891, 1.614}};
  const LifeCycleRules rules;
  const PurchaseSummary busy = Customer(12, 0, 270, 255, 273);
  EXPECT_EQ(StageByModel(busy, 273, model, rules), LifeStage::kLoyal);
  EXPECT_LT(model.ProbabilityAlive(Customer(12, 0, 100, 90, 273).history), rules.gone_below);
  EXPECT_EQ(StageByModel(Customer(12, 0, 100, 90, 273), 273, model, rules), LifeStage::kLapsed);
  // 11 purchases in 100 days, nothing for 160, one more lately.
  EXPECT_EQ(StageByModel(Customer(12, 0, 260, 100, 273), 273, model, rules), LifeStage::kWonBack);
  for (const LifeStage stage : kLifeStages) {
    EXPECT_FALSE(LifeStageName(stage).empty());
    EXPECT_FALSE(StageGoalName(GoalOf(stage)).empty());
  }
}

TEST(HoldoutTest, AForecastIsJudgedByWhatWasBought) {
  const std::vector<std::vector<PurchaseDay>> customers = {
      {{.day = 0, .orders = 1}, {.day = 70, .orders = 1}, {.day = 140, .orders = 1}},
      {{.day = 35, .orders = 1}},
      {{.day = 90, .orders = 1}}};  // not known yet
  const std::vector<HoldoutCase> cases = SplitHistories(customers, 70, 140);
  ASSERT_EQ(cases.size(), 2);
  EXPECT_EQ(cases[0].history, (RepeatHistory{1, 10, 10}));
  EXPECT_EQ(cases[0].bought, 1);
  EXPECT_EQ(cases[1].bought, 0);
  const ForecastQuality quality = JudgeForecast(
      cases, [](const RepeatHistory& history) { return PurchasesAtPastRate(history, 5); });
  EXPECT_NEAR(quality.total, 0.5, 1e-12);
  EXPECT_NEAR(quality.total_error, -0.5, 1e-12);
  EXPECT_NEAR(quality.mean_absolute_error, 0.25, 1e-12);
  EXPECT_NEAR(quality.root_mean_square_error, std::sqrt(0.125), 1e-12);
  EXPECT_NEAR(quality.correlation, 1, 1e-12);
  EXPECT_NEAR(quality.mean_by_frequency[1], 0.5, 1e-12);
}

}  // namespace
}  // namespace vitrine
