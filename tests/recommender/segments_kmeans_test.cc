#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "recommender/segments/kmeans.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::Value;

// Three kinds of customers: many who came once long ago, some who buy often, a few who send back.
std::vector<Behaviour> ThreeKinds(uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::normal_distribution<double> noise(0, 0.15);
  std::vector<Behaviour> customers;
  const auto add = [&](int n, const Behaviour& middle) {
    for (; n > 0; --n) {
      Behaviour one = middle;
      for (double& number : one) number += noise(rng);
      customers.push_back(one);
    }
  };
  add(300, {6, 0.7, 3, 0, 0.7, 6});
  add(150, {1, 3, 7, 0, 4, 6});
  add(50, {3, 2, 5, 3, 2, 3});
  return customers;
}

TEST(KMeans, FindsTheGroupsThatThereAreAndHowMany) {
  const std::vector<Behaviour> customers = ThreeKinds(7);
  const KMeansResult result = Value(ClusterBehaviour(customers, {}));
  EXPECT_THAT(result.sizes, ElementsAre(300, 150, 50));
  EXPECT_GT(result.silhouette, 0.5);
  std::set<size_t> of_first_kind;
  for (int i = 0; i < 300; ++i)
    of_first_kind.insert(NearestCentroid(result.clustering, customers[i]));
  EXPECT_THAT(of_first_kind, ElementsAre(0));
  // Both are as unlike the others': which comes first is noise.
  const std::string last = DescribeCentroid(result.clustering.centroids[2]);
  EXPECT_THAT(last, HasSubstr("high returns"));
  EXPECT_THAT(last, HasSubstr("low tenure"));
}

TEST(KMeans, IsTheSameForASeed) {
  const std::vector<Behaviour> customers = ThreeKinds(8);
  for (const size_t k : {2, 4, 7}) {
    const KMeansResult one = Value(ClusterBehaviour(customers, {.k = k, .seed = 3}));
    const KMeansResult other = Value(ClusterBehaviour(customers, {.k = k, .seed = 3}));
    EXPECT_THAT(one.clustering.centroids, SizeIs(k));
    EXPECT_EQ(one.clustering, other.clustering);
  }
}

// A plain twin of what an end is: nobody is nearer to another centroid, and each centroid is the
// middle of its own.
TEST(KMeans, EndsWhereNobodyWouldMove) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 rng(seed);
  std::vector<Behaviour> customers(200);
  for (Behaviour& one : customers) {
    for (double& number : one) number = static_cast<double>(rng() % 1000) / 100;
  }
  const KMeansResult result =
      Value(ClusterBehaviour(customers, {.k = 5, .seed = seed, .rounds_max = 10'000}));
  const Clustering& found = result.clustering;
  std::vector<Behaviour> sums(5, Behaviour{});
  std::vector<int64_t> counts(5, 0);
  for (const Behaviour& one : customers) {
    const size_t group = NearestCentroid(found, one);
    ++counts[group];
    for (size_t i = 0; i < kBehaviourSize; ++i) {
      sums[group][i] += (one[i] - found.means[i]) / found.scales[i];
    }
  }
  EXPECT_EQ(counts, result.sizes);
  for (size_t c = 0; c < 5; ++c) {
    for (size_t i = 0; i < kBehaviourSize; ++i) {
      EXPECT_NEAR(sums[c][i] / static_cast<double>(counts[c]), found.centroids[c][i], 1e-9);
    }
  }
}

TEST(KMeans, RefusesWhatCannotBeGrouped) {
  const std::vector<Behaviour> alike(10, Behaviour{1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(absl::IsInvalidArgument(ClusterBehaviour(alike, {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ClusterBehaviour(ThreeKinds(1), {.k = 1}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ClusterBehaviour({}, {}).status()));
}

TEST(KMeans, SaysWhatIsUnlikeMost) {
  EXPECT_EQ(DescribeCentroid({-0.7, 1.2, 0.1, 0, -0.4, 0}), "high frequency, low recency");
  EXPECT_EQ(DescribeCentroid({0.1, 0, 0, 0, 0, 0}), "as most");
}

}  // namespace
}  // namespace vitrine
