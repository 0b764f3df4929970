#include "recommender/offline/metrics.h"

#include <cmath>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using List = std::vector<uint32_t>;

TEST(Metrics, HaveTheValuesWorkedOutByHand) {
  // Hits at ranks 2 and 4 of 5; three targets.
  const ListQuality quality = Judge(List{10, 1, 11, 2, 12}, List{1, 2, 3}, 5);
  EXPECT_DOUBLE_EQ(quality.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(quality.reciprocal_rank, 0.5);
  const double gain = 1 / std::log2(3) + 1 / std::log2(5);
  const double best = 1 + 1 / std::log2(3) + 1 / std::log2(4);
  EXPECT_DOUBLE_EQ(quality.ndcg, gain / best);  // 0.4981
  EXPECT_NEAR(quality.ndcg, 0.4981, 1e-4);
}

TEST(Metrics, APerfectListGetsOneEvenWithMoreTargetsThanPlaces) {
  const ListQuality quality = Judge(List{1, 2}, List{3, 2, 1}, 2);
  EXPECT_DOUBLE_EQ(quality.recall, 1);
  EXPECT_DOUBLE_EQ(quality.ndcg, 1);
  EXPECT_DOUBLE_EQ(quality.reciprocal_rank, 1);
}

TEST(Metrics, LookAtTheFirstKOnly) {
  const ListQuality quality = Judge(List{9, 8, 1}, List{1}, 2);
  EXPECT_EQ(quality.recall, 0);
  EXPECT_EQ(quality.ndcg, 0);
  EXPECT_EQ(quality.reciprocal_rank, 0);
}

TEST(Metrics, CountAShortListAgainstKPlaces) {
  EXPECT_DOUBLE_EQ(Judge(List{1}, List{1, 2}, 20).recall, 0.5);
  EXPECT_EQ(Judge(List{}, List{1}, 20).recall, 0);
  EXPECT_EQ(Judge(List{1}, List{}, 20).recall, 0);
}

}  // namespace
}  // namespace vitrine
