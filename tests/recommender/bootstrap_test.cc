#include "recommender/offline/bootstrap.h"

#include <cmath>
#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

enum Column : size_t { kCases, kA, kB, kColumns };
constexpr uint32_t kResamples = 1000;

// Persons with one case each; A is a coin, B the same coin but for a tenth of them.
ClusterSums Coins(size_t persons, uint32_t seed) {
  std::mt19937 random(seed);
  ClusterSums sums(persons, kColumns);
  for (size_t p = 0; p < persons; ++p) {
    const bool heads = random() % 2 == 0;
    sums.Of(p)[kCases] = 1;
    sums.Of(p)[kA] = heads ? 1 : 0;
    sums.Of(p)[kB] = random() % 10 == 0 ? 0 : sums.Of(p)[kA];
  }
  return sums;
}

TEST(Bootstrap, GivesTheNormalIntervalWhereThatIsRight) {
  constexpr size_t kPersons = 2500;
  const ClusterSums sums = Coins(kPersons, 1);
  const Interval mean = Bootstrap(sums, 10 * kResamples, 1, 0).Mean(kA, kCases);
  const double error = std::sqrt(mean.value * (1 - mean.value) / kPersons);
  EXPECT_NEAR(mean.value, 0.5, 0.05);
  EXPECT_NEAR(mean.low, mean.value - 1.96 * error, 0.2 * error);
  EXPECT_NEAR(mean.high, mean.value + 1.96 * error, 0.2 * error);
}

TEST(Bootstrap, CoversTheTruthAsOftenAsItSays) {
  int covered = 0;
  constexpr int kRounds = 400;
  for (int round = 0; round < kRounds; ++round) {
    const Interval mean =
        Bootstrap(Coins(100, static_cast<uint32_t>(round)), 400, 1, 1).Mean(kA, kCases);
    covered += mean.low <= 0.5 && 0.5 <= mean.high ? 1 : 0;
  }
  EXPECT_GE(covered, 0.91 * kRounds);
  EXPECT_LE(covered, 0.985 * kRounds);
}

TEST(Bootstrap, PairsWhatItCompares) {
  const Bootstrap bootstrap(Coins(500, 2), kResamples, 1, 0);
  const Interval a = bootstrap.Mean(kA, kCases);
  const Interval b = bootstrap.Mean(kB, kCases);
  const Interval difference = bootstrap.Difference(kB, kA, kCases);
  EXPECT_DOUBLE_EQ(difference.value, b.value - a.value);
  EXPECT_LT(difference.high, 0) << "worse in every draw, though the intervals overlap";
  EXPECT_GT(b.high, a.low);
}

TEST(Bootstrap, DrawsPersonsNotCases) {
  // Fifty persons whose forty cases are all alike are fifty observations, not two thousand.
  ClusterSums sums(50, kColumns);
  for (size_t p = 0; p < 50; ++p) {
    sums.Of(p)[kCases] = 40;
    sums.Of(p)[kA] = p % 2 == 0 ? 40 : 0;
  }
  const Interval mean = Bootstrap(sums, kResamples, 1, 0).Mean(kA, kCases);
  const double error = std::sqrt(0.25 / 50);
  EXPECT_NEAR(mean.high - mean.low, 2 * 1.96 * error, 0.5 * error);
}

TEST(Bootstrap, IsTheSameForASeedWhateverTheThreads) {
  const ClusterSums sums = Coins(300, 3);
  const Interval one = Bootstrap(sums, kResamples, 7, 1).Mean(kA, kCases);
  const Interval four = Bootstrap(sums, kResamples, 7, 4).Mean(kA, kCases);
  const Interval other = Bootstrap(sums, kResamples, 8, 4).Mean(kA, kCases);
  EXPECT_EQ(one.low, four.low);
  EXPECT_EQ(one.high, four.high);
  EXPECT_TRUE(one.low != other.low || one.high != other.high);
}

TEST(Bootstrap, SaysNothingOfNothing) {
  ClusterSums sums(3, kColumns);
  const Interval mean = Bootstrap(sums, kResamples, 1, 0).Mean(kA, kCases);
  EXPECT_EQ(mean.value, 0);
  EXPECT_EQ(mean.high, 0);
}

}  // namespace
}  // namespace vitrine
