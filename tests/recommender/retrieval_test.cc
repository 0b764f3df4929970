#include "recommender/rank/retrieval.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>

#include "recommender/rank/scan_kernel.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Sorts everything.
std::vector<Scored> PlainTwin(std::span<const float> scores, const std::set<uint32_t>& exclude,
                              size_t k) {
  std::vector<Scored> all;
  for (uint32_t p = 0; p < scores.size(); ++p) {
    if (!exclude.contains(p)) all.push_back({p, scores[p]});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Scored& a, const Scored& b) { return a.score > b.score; });
  all.resize(std::min(k, all.size()));
  return all;
}

TEST(Retrieval, AgreesWithSortingEverything) {
  const uint32_t seed = 41;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const size_t products = random() % 1500;
    const size_t k = random() % 60;
    std::vector<float> scores(products);
    for (float& score : scores) score = static_cast<float>(random() % 50);  // many ties
    std::set<uint32_t> excluded;
    ProductSet exclude(products);
    for (size_t i = 0; products > 0 && i < random() % 1000; ++i) {
      const auto product = static_cast<uint32_t>(random() % products);
      excluded.insert(product);
      exclude.Insert(product);
    }
    ASSERT_EQ(TopScores(scores, exclude, k), PlainTwin(scores, excluded, k))
        << "round " << round << ", " << products << " products, k=" << k;
  }
}

TEST(Retrieval, ScansTheSameAsMultiplyingEverything) {
  for (const Eigen::Index products : {1, 511, 512, 513, 3000}) {
    for (const Eigen::Index d : {1, 7, 64}) {
      const FactorMatrix factors = FactorMatrix::Random(products, d);
      const Eigen::VectorXf taste = Eigen::VectorXf::Random(d);
      const Eigen::VectorXd plain = factors.cast<double>() * taste.cast<double>();
      const auto top = TopProducts(factors, taste, ProductSet(static_cast<size_t>(products)), 20);
      ASSERT_EQ(top.size(), static_cast<size_t>(std::min<Eigen::Index>(20, products)));
      std::vector<double> sorted(plain.begin(), plain.end());
      std::sort(sorted.rbegin(), sorted.rend());
      for (size_t i = 0; i < top.size(); ++i) {
        EXPECT_NEAR(top[i].score, plain[top[i].product], 1e-4);
        EXPECT_NEAR(top[i].score, sorted[i], 1e-4);
      }
    }
  }
}

// Factors as hard to tell apart as they come, with rows of zeros, copies of rows, rows of all
// sizes and of the same, and a few that are no numbers.
FactorMatrix DifficultFactors(Eigen::Index products, Eigen::Index d, std::mt19937* random) {
  std::normal_distribution<float> normal;
  FactorMatrix factors(products, d);
  for (float& factor : factors.reshaped()) factor = normal(*random);
  for (Eigen::Index p = 0; p < products; ++p) {
    const auto earlier = static_cast<Eigen::Index>((*random)() % (p + 1));
    switch ((*random)() % 14) {
      case 0:
        factors.row(p).setZero();
        break;
      case 1:
        factors.row(p) = factors.row(earlier);
        break;
      case 2:
        factors.row(p) *= std::pow(10.0f, static_cast<float>((*random)() % 60) - 40);
        break;
      case 3:
        factors.row(p).tail(d - 1).setZero();
        break;
      case 4:
      case 5:
      case 6:
        factors.row(p) = factors.row(0) + 0.001f * factors.row(p);
        break;
      case 7:
        factors.row(p) = factors.row(earlier).reverse().eval();
        break;
      case 8:
        factors.row(p) = -factors.row(earlier);
        break;
    }
  }
  if (products > 100) {
    factors(70, 0) = std::numeric_limits<float>::quiet_NaN();
    factors(71, d / 2) = std::numeric_limits<float>::infinity();
    factors(72, d - 1) = -std::numeric_limits<float>::infinity();
  }
  return factors;
}

Eigen::VectorXf DifficultTaste(int round, const FactorMatrix& factors, std::mt19937* random) {
  std::normal_distribution<float> normal;
  Eigen::VectorXf taste(factors.cols());
  for (float& factor : taste) factor = normal(*random);
  if (round % 3 == 0) taste += 3 * factors.row(0).transpose();
  if (round % 5 == 0) taste = taste.array().round();
  if (round % 7 == 0) taste *= std::pow(10.0f, static_cast<float>((*random)() % 80) - 40);
  if (round % 50 == 0) taste[0] = std::numeric_limits<float>::infinity();
  if (round % 51 == 0) taste.setZero();
  return taste;
}

TEST(Retrieval, TheFirstPassLosesNothing) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 600; ++round) {
    const auto products = static_cast<Eigen::Index>(random() % 700 + 1);
    const Eigen::Index d = std::vector<Eigen::Index>{1, 2, 3, 16, 63, 64, 65, 128}[random() % 8];
    FactorMatrix factors = DifficultFactors(products, d, &random);
    if (round % 4 == 0) factors = factors.array().round();  // many ties
    const Eigen::VectorXf taste = DifficultTaste(round, factors, &random);
    ProductSet exclude(static_cast<size_t>(products));
    for (size_t i = random() % (round % 6 == 0 ? 2000 : 50); i > 0; --i) {
      exclude.Insert(static_cast<uint32_t>(random() % products));
    }
    const size_t k = random() % (round % 8 == 0 ? 800 : 60);
    const std::vector<Scored> plain = TopProducts(factors, taste, exclude, k);
    const QuantizedFactors quantized(factors);
    ASSERT_EQ(TopProducts(quantized, factors, taste, exclude, k), plain)
        << "round " << round << ", " << products << " products, d=" << d << ", k=" << k;
  }
}

// More than a step of products, whose norms differ so much that most are never looked at.
TEST(Retrieval, StopsWhereNothingThatFollowsIsAmongTheBest) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 100; ++round) {
    const auto products = static_cast<Eigen::Index>(random() % 5000 + 1);
    const float spread = 0.25f * static_cast<float>(random() % 8);
    FactorMatrix factors(products, 8);
    for (float& factor : factors.reshaped()) factor = normal(random);
    for (auto row : factors.rowwise()) row *= std::exp(spread * normal(random));
    const Eigen::VectorXf taste = DifficultTaste(round, factors, &random);
    const ProductSet exclude(static_cast<size_t>(products));
    const size_t k = random() % 200 + 1;
    ASSERT_EQ(TopProducts(QuantizedFactors(factors), factors, taste, exclude, k),
              TopProducts(factors, taste, exclude, k))
        << "round " << round << ", " << products << " products, k=" << k << ", " << spread;
  }
}

TEST(Retrieval, OfProductsThatAreAlikeTheFirstAreTheBest) {
  constexpr Eigen::Index kProducts = 2000;
  const ProductSet exclude(kProducts);
  FactorMatrix factors = FactorMatrix::Zero(kProducts, 3);
  factors.row(700).setConstant(-1);
  factors.row(1500).setConstant(1);
  const QuantizedFactors quantized(factors);
  EXPECT_THAT(TopProducts(quantized, factors, Eigen::Vector3f(1, 2, 3), exclude, 3),
              ElementsAre(Scored{1500, 6}, Scored{0, 0}, Scored{1, 0}));
  EXPECT_THAT(TopProducts(quantized, factors, Eigen::Vector3f(0, 0, 0), exclude, 2),
              ElementsAre(Scored{0, 0}, Scored{1, 0}));
  factors.setOnes();
  EXPECT_THAT(TopProducts(QuantizedFactors(factors), factors, Eigen::Vector3f(1, 2, 3), exclude, 2),
              ElementsAre(Scored{0, 6}, Scored{1, 6}));
}

// Each kernel keeps every product that reaches the bar, and none that falls far short of it: codes
// are off by at most some 15 % of |v| here, so that a bound is above a score by twice that.
TEST(ScanKernels, KeepWhatReachesTheBarAndNothingFarBelow) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (const ScanKernel& kernel : ScanKernels()) {
    SCOPED_TRACE(kernel.name);
    for (const Eigen::Index d : {1, 4, 5, 30, 64, 100, 1024}) {
      constexpr Eigen::Index kProducts = 2000;
      FactorMatrix factors(kProducts, d);
      for (float& factor : factors.reshaped()) factor = normal(random);
      const QuantizedFactors quantized(factors);
      Eigen::VectorXf taste(d);
      for (float& factor : taste) factor = normal(random);
      const std::span<const float> floats(taste.data(), static_cast<size_t>(d));
      const ScanQuery query = MakeScanQuery(floats);
      const float bar = 1.5f * taste.norm();
      std::vector<ScanHit> hits(quantized.blocks());
      hits.resize(kernel.scan(quantized, query, 0, quantized.blocks(), bar, hits.data()));
      std::vector<uint32_t> masks(quantized.blocks());
      for (const ScanHit& hit : hits) masks[hit.block] = hit.lanes;
      int above = 0;
      for (uint32_t place = 0; place < kProducts; ++place) {
        const uint32_t product = quantized.order()[place];
        const float score = ScoreOf(factors, product, floats);
        const ScoreRange range = RangeOf(quantized, query, place);
        EXPECT_LE(range.low, score);
        EXPECT_GE(range.high, score);
        EXPECT_LT(range.high - range.low, 0.06f * factors.row(product).norm() * taste.norm());
        const bool is_kept = (masks[place / 16] >> place % 16 & 1) != 0;
        EXPECT_LE(score >= bar, is_kept) << place << ", d=" << d;
        if (is_kept) {
          EXPECT_GT(score, bar - 0.3f * factors.row(product).norm() * taste.norm());
        }
        above += score >= bar ? 1 : 0;
      }
      EXPECT_GT(above, 40);
    }
  }
}

// They differ by less than what they allow for rounding.
TEST(ScanKernels, AgreeOnDifficultFactors) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const Eigen::Index d = std::vector<Eigen::Index>{1, 7, 8, 9, 64, 200}[random() % 6];
    const FactorMatrix factors = DifficultFactors(500, d, &random);
    const Eigen::VectorXf taste = DifficultTaste(round, factors, &random);
    const std::span<const float> floats(taste.data(), static_cast<size_t>(d));
    if (!QuantizedFactors::HasCodes(floats)) continue;
    const QuantizedFactors quantized(factors);
    const ScanQuery query = MakeScanQuery(floats);
    const float bar = ScoreOf(factors, random() % 50, floats);
    std::vector<std::vector<uint32_t>> kept;
    for (const ScanKernel& kernel : ScanKernels()) {
      std::vector<ScanHit> hits(quantized.blocks());
      hits.resize(kernel.scan(quantized, query, 0, quantized.blocks(), bar, hits.data()));
      std::vector<uint32_t>& lanes = kept.emplace_back(quantized.blocks());
      for (const ScanHit& hit : hits) lanes[hit.block] = hit.lanes;
    }
    int differences = 0;
    for (const auto& lanes : kept) {
      for (size_t b = 0; b < lanes.size(); ++b) {
        differences += std::popcount(lanes[b] ^ kept.back()[b]);
      }
    }
    EXPECT_LE(differences, 2) << "round " << round << ", d=" << d;
  }
}

TEST(Retrieval, ForAllIsForEach) {
  std::mt19937 random(3);
  const FactorMatrix factors = DifficultFactors(3000, 24, &random);
  const FactorMatrix tastes = FactorMatrix::Random(300, 24);
  const QuantizedFactors quantized(factors);
  std::vector<std::vector<uint32_t>> excluded(300);
  for (auto& ids : excluded) {
    std::set<uint32_t> sorted;
    for (int i = 0; i < 40; ++i) sorted.insert(static_cast<uint32_t>(random() % 3000));
    ids.assign(sorted.begin(), sorted.end());
  }
  const auto lists = TopProductsForAll(
      quantized, factors, tastes, [&](size_t row) { return std::span(excluded[row]); }, 20, 2);
  ASSERT_EQ(lists.size(), 300u);
  for (size_t row = 0; row < lists.size(); ++row) {
    ProductSet exclude(3000);
    for (const uint32_t product : excluded[row]) exclude.Insert(product);
    const Eigen::VectorXf taste = tastes.row(static_cast<Eigen::Index>(row)).transpose();
    EXPECT_EQ(lists[row], TopProducts(factors, taste, exclude, 20)) << row;
  }
}

TEST(Retrieval, NeverChoosesWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(TopScores(std::vector<float>{nan, 1, nan, 2}, ProductSet(4), 3),
              ElementsAre(Scored{3, 2}, Scored{1, 1}));
}

TEST(Retrieval, GivesNothingOfNothing) {
  EXPECT_THAT(TopScores({}, ProductSet(0), 10), IsEmpty());
  EXPECT_THAT(TopScores(std::vector<float>{1, 2}, ProductSet(2), 0), IsEmpty());
  ProductSet all(2);
  all.Insert(0);
  all.Insert(1);
  EXPECT_THAT(TopScores(std::vector<float>{1, 2}, all, 10), IsEmpty());
}

}  // namespace
}  // namespace vitrine
