#include "experiments/simulation/random.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace vitrine::simulation {
namespace {

TEST(Exp, AgreesWithTheStandardLibrary) {
  for (double x = -700.0; x <= 700.0; x += 0.37) {
    EXPECT_NEAR(Exp(x) / std::exp(x), 1.0, 1e-14) << x;
  }
  EXPECT_EQ(Exp(0.0), 1.0);
  EXPECT_EQ(Exp(1e9), Exp(700.0));
}

TEST(Log, AgreesWithTheStandardLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 1.7) {
    EXPECT_NEAR(Log(x), std::log(x), 1e-14 * std::max(1.0, std::abs(std::log(x)))) << x;
  }
  EXPECT_EQ(Log(1.0), 0.0);
}

// Fails where the compiler fuses multiplications with additions (see experiments/CMakeLists.txt).
TEST(ExpAndLog, GiveTheSameBitsEverywhere) {
  uint64_t digest = 0;
  for (int i = 1; i <= 10'000; ++i) {
    digest = Mix(digest ^ std::bit_cast<uint64_t>(Exp(i / 512.0 - 10.0)));
    digest = Mix(digest ^ std::bit_cast<uint64_t>(Log(i / 7.0)));
  }
  EXPECT_EQ(digest, 14594022813612593037u);
}

// If these change, every simulated shop changes.
TEST(Random, GivesTheSameNumbersForever) {
  Random random(42, Stream::kVisit, 7);
  EXPECT_EQ(random.Next(), 14952000326080924009u);
  EXPECT_EQ(random.Next(), 2221481638711638922u);
  EXPECT_EQ(random.Below(1000), 680u);
  EXPECT_EQ(random.Normal(), -0x1.a3bb1c475db2p+0);
}

TEST(Random, StreamsAndIndicesHaveTheirOwnSequences) {
  EXPECT_NE(Random(1, Stream::kVisit, 7).Next(), Random(1, Stream::kVisit, 8).Next());
  EXPECT_NE(Random(1, Stream::kVisit, 7).Next(), Random(1, Stream::kDay, 7).Next());
  EXPECT_NE(Random(1, Stream::kVisit, 7).Next(), Random(2, Stream::kVisit, 7).Next());
}

TEST(Random, DrawsStayInTheirRangeAndHaveTheirMoments) {
  Random random(1, Stream::kVisit, 1);
  constexpr int kDraws = 100'000;
  double uniform = 0, normal = 0, squares = 0;
  std::vector<int> dice(7);
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.Uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u;
    const double z = random.Normal();
    normal += z;
    squares += z * z;
    const int64_t die = random.Between(1, 6);
    ASSERT_GE(die, 1);
    ASSERT_LE(die, 6);
    ++dice[die];
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.005);
  EXPECT_NEAR(normal / kDraws, 0.0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.02);
  for (int face = 1; face <= 6; ++face) EXPECT_NEAR(dice[face], kDraws / 6, 600) << face;
}

TEST(WeightedChoice, DrawsInProportionAndNeverWhatWeighsNothing) {
  const WeightedChoice choice({0.0, 1.0, 0.0, 3.0, 0.0});
  Random random(1, Stream::kVisit, 1);
  std::vector<int> counts(5);
  for (int i = 0; i < 40'000; ++i) ++counts[choice.Draw(random)];
  EXPECT_EQ(counts[0] + counts[2] + counts[4], 0);
  EXPECT_NEAR(counts[1], 10'000, 400);
}

}  // namespace
}  // namespace vitrine::simulation
