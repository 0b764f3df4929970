#include "experiments/simulation/visit.h"

#include <set>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

class VisitPlannerTest : public ::testing::Test {
 protected:
  const Shop shop_ = Value(Shop::Create({.customers = 50, .products = 100}));
  VisitPlanner planner_{&shop_};
  const int64_t start_ms_ = StartOfDay(shop_.options().first_day);
};

TEST(Days, StartAtMidnight) {
  EXPECT_EQ(StartOfDay(absl::CivilDay(1970, 1, 2)), kDayMs);
  EXPECT_EQ(DayOf(StartOfDay(absl::CivilDay(2024, 2, 29))), absl::CivilDay(2024, 2, 29));
  EXPECT_EQ(DayOf(StartOfDay(absl::CivilDay(2024, 2, 29)) - 1), absl::CivilDay(2024, 2, 28));
}

TEST_F(VisitPlannerTest, NobodyIsInTwoVisitsAtOnce) {
  const Visit first = *planner_.Customer(0, start_ms_);
  EXPECT_FALSE(planner_.Customer(0, first.steps.back().time_ms).has_value());
  EXPECT_TRUE(planner_.Customer(1, first.steps.back().time_ms).has_value());
  EXPECT_TRUE(planner_.Customer(0, first.steps.back().time_ms + 60 * 60 * 1000).has_value());
}

TEST_F(VisitPlannerTest, PausesWithinAVisitAreShorterThanTheSessionGap) {
  for (int i = 0; i < 500; ++i) {
    const Visit visit = *planner_.Customer(i % 50, start_ms_ + i * kDayMs);
    for (size_t s = 1; s < visit.steps.size(); ++s) {
      const int64_t pause_ms = visit.steps[s].time_ms - visit.steps[s - 1].time_ms;
      EXPECT_GE(pause_ms, 1000);
      EXPECT_LE(pause_ms, 15 * 60'000);
    }
  }
}

TEST_F(VisitPlannerTest, AFunnelRunsInItsOrder) {
  int orders = 0;
  for (int i = 0; i < 3000; ++i) {
    const Visit visit = *planner_.Customer(i % 50, start_ms_ + i * kDayMs);
    std::set<uint32_t> viewed, in_cart;
    bool cart_seen = false, checkout = false;
    for (const Step& step : visit.steps) {
      for (const Line& line : visit.LinesOf(step)) {
        if (step.kind == EventKind::VIEW_ITEM) viewed.insert(line.product);
        if (step.kind == EventKind::ADD_TO_CART) {
          EXPECT_TRUE(viewed.contains(line.product));
          EXPECT_TRUE(in_cart.insert(line.product).second);
        }
        if (step.kind == EventKind::REMOVE_FROM_CART) {
          EXPECT_EQ(in_cart.erase(line.product), 1u);
        }
      }
      if (step.kind == EventKind::VIEW_CART) cart_seen = true;
      if (step.kind == EventKind::BEGIN_CHECKOUT) {
        EXPECT_TRUE(cart_seen);
        checkout = true;
      }
      if (step.kind != EventKind::PURCHASE) continue;
      EXPECT_TRUE(checkout);
      std::set<uint32_t> bought;
      for (const Line& line : visit.LinesOf(step)) bought.insert(line.product);
      EXPECT_EQ(bought, in_cart);
      EXPECT_EQ(step.order, static_cast<uint32_t>(++orders));
      EXPECT_EQ(&step, &visit.steps.back());
    }
  }
  EXPECT_GT(orders, 30);
}

TEST_F(VisitPlannerTest, ARobotReadsItsRulesFirstAndKeepsItsPace) {
  const Visit visit = planner_.Robot(0, start_ms_);
  EXPECT_EQ(visit.steps[0].place.page, Place::Page::kRobotsTxt);
  ASSERT_GE(visit.steps.size(), 6u);
  const int64_t pace_ms = visit.steps[1].time_ms - visit.steps[0].time_ms;
  for (size_t s = 1; s < visit.steps.size(); ++s) {
    EXPECT_EQ(visit.steps[s].time_ms - visit.steps[s - 1].time_ms, pace_ms);
    EXPECT_EQ(visit.steps[s].tracked, shop_.robots()[0].runs_scripts);
    EXPECT_FALSE(visit.steps[s].signed_in);
  }
}

}  // namespace
}  // namespace vitrine
