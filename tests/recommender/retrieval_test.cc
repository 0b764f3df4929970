#include "recommender/rank/retrieval.h"

#include <algorithm>
#include <limits>
#include <random>
#include <set>

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
