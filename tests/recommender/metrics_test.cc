#include "recommender/offline/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
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
  EXPECT_EQ(quality.hit, 1);
  EXPECT_DOUBLE_EQ(quality.precision, 2.0 / 5);
  EXPECT_DOUBLE_EQ(quality.average_precision, (1.0 / 2 + 2.0 / 4) / 3);
}

TEST(Metrics, RecallDividesByWhatCouldBeFoundOrByAll) {
  const List list = {1, 9};
  const List targets = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(Judge(list, targets, 2).recall, 1.0 / 2);
  EXPECT_DOUBLE_EQ(Judge(list, targets, 2, RecallOf::kAll).recall, 1.0 / 4);
  EXPECT_EQ(Judge(list, targets, 2).ndcg, Judge(list, targets, 2, RecallOf::kAll).ndcg);
}

// Each as its definition says, from the relevance of every rank up to k.
ListQuality Plain(const List& list, const List& targets, size_t k) {
  const std::set<uint32_t> wanted(targets.begin(), targets.end());
  std::vector<double> relevant(k);
  for (size_t r = 0; r < std::min(k, list.size()); ++r) relevant[r] = wanted.count(list[r]) ? 1 : 0;
  std::vector<double> best(k);
  for (size_t r = 0; r < std::min(k, wanted.size()); ++r) best[r] = 1;
  const auto gain = [](const std::vector<double>& gains) {
    double sum = 0;
    for (size_t r = 0; r < gains.size(); ++r) sum += gains[r] / std::log2(double(r) + 2);
    return sum;
  };
  ListQuality q;
  double hits = 0;
  for (size_t r = k; r-- > 0;) {
    hits += relevant[r];
    if (relevant[r] > 0) q.reciprocal_rank = 1 / double(r + 1);
  }
  for (size_t r = 0; r < k; ++r) {
    double before = 0;
    for (size_t s = 0; s <= r; ++s) before += relevant[s];
    q.average_precision += relevant[r] * before / double(r + 1);
  }
  const auto reachable = double(std::min(k, wanted.size()));
  q.average_precision /= reachable;
  q.recall = hits / reachable;
  q.precision = hits / double(k);
  q.hit = hits > 0;
  q.ndcg = gain(relevant) / gain(best);
  return q;
}

TEST(Metrics, AreTheirDefinitionsOnListsOfAnyShape) {
  std::mt19937 random(91);
  for (int round = 0; round < 2000; ++round) {
    List all(30);
    std::iota(all.begin(), all.end(), 0);
    std::shuffle(all.begin(), all.end(), random);
    const List list(all.begin(), all.begin() + random() % 30);
    std::shuffle(all.begin(), all.end(), random);
    const List targets(all.begin(), all.begin() + 1 + random() % 29);
    const size_t k = 1 + random() % 25;
    const ListQuality fast = Judge(list, targets, k);
    const ListQuality plain = Plain(list, targets, k);
    EXPECT_NEAR(fast.recall, plain.recall, 1e-12);
    EXPECT_NEAR(fast.ndcg, plain.ndcg, 1e-12);
    EXPECT_NEAR(fast.reciprocal_rank, plain.reciprocal_rank, 1e-12);
    EXPECT_NEAR(fast.hit, plain.hit, 1e-12);
    EXPECT_NEAR(fast.average_precision, plain.average_precision, 1e-12);
    EXPECT_NEAR(fast.precision, plain.precision, 1e-12);
  }
}

TEST(Metrics, SurpriseIsMeasuredInBits) {
  EXPECT_DOUBLE_EQ(SelfInformation(8, 8), 0);
  EXPECT_DOUBLE_EQ(SelfInformation(1, 8), 3);
}

TEST(Metrics, CoverageAndGiniSayHowPlacesAreSharedOut) {
  using Exposures = std::vector<uint64_t>;
  EXPECT_DOUBLE_EQ(Coverage(Exposures{3, 0, 1, 0}), 0.5);
  EXPECT_EQ(Coverage(Exposures{}), 0);
  EXPECT_DOUBLE_EQ(Gini(Exposures{5, 5, 5, 5}), 0);
  EXPECT_DOUBLE_EQ(Gini(Exposures{0, 9, 0, 0}), 0.75) << "(n - 1) / n";
  EXPECT_EQ(Gini(Exposures{0, 0}), 0);
  // Half of the mean difference between two, relative to the mean.
  std::mt19937 random(92);
  Exposures some(40);
  for (uint64_t& x : some) x = random() % 100;
  double differences = 0;
  double sum = 0;
  for (const uint64_t a : some) {
    sum += double(a);
    for (const uint64_t b : some) differences += std::abs(double(a) - double(b));
  }
  EXPECT_NEAR(Gini(some), differences / (2 * 40 * sum), 1e-12);
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
