#include "recommender/model/cell.h"

#include <algorithm>
#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kDayMs = 24LL * 60 * 60 * 1000;

TEST(EventWeight, HalvesWithEveryHalfLife) {
  const WeightSettings weights{.purchase = 8, .half_life_days = 10};
  EXPECT_FLOAT_EQ(EventWeight(weights, PURCHASE, 0), 8);
  EXPECT_FLOAT_EQ(EventWeight(weights, PURCHASE, 10 * kDayMs), 4);
  EXPECT_FLOAT_EQ(EventWeight(weights, PURCHASE, 20 * kDayMs), 2);
}

TEST(EventWeight, NeverFadesAwayAltogether) {
  const WeightSettings weights{.purchase = 8, .half_life_days = 10};
  EXPECT_FLOAT_EQ(EventWeight(weights, PURCHASE, 50 * kDayMs), 2);
  EXPECT_FLOAT_EQ(EventWeight(weights, PURCHASE, 365 * 100 * kDayMs), 2);
}

TEST(EventWeight, CountsEventsFromTheFutureInFull) {
  const WeightSettings weights;
  EXPECT_EQ(EventWeight(weights, PURCHASE, -kDayMs), weights.purchase);
}

TEST(EventWeight, IsZeroForEventsThatSayNothing) {
  EXPECT_EQ(EventWeight(WeightSettings(), REFUND, 0), 0);
}

TEST(MergeCells, AddsUpCellsOfOneProductToTheMaximum) {
  std::vector<Cell> cells = {{7, 1}, {3, 2}, {7, 4}, {3, 9}};
  MergeCells(10, &cells);
  EXPECT_THAT(cells, ElementsAre(Cell{3, 10}, Cell{7, 5}));
}

TEST(MergeCells, DoesNotDependOnTheOrder) {
  std::mt19937 random(5);
  std::vector<Cell> cells;
  for (int i = 0; i < 500; ++i) {
    cells.push_back({static_cast<uint32_t>(random() % 20), static_cast<float>(random()) * 1e-7f});
  }
  std::vector<Cell> shuffled = cells;
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  MergeCells(1e6f, &cells);
  MergeCells(1e6f, &shuffled);
  EXPECT_EQ(cells, shuffled);
}

TEST(MergeCells, LeavesNothingOfNothing) {
  std::vector<Cell> cells;
  MergeCells(10, &cells);
  EXPECT_TRUE(cells.empty());
}

}  // namespace
}  // namespace vitrine
