#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"

#include "experiments/bandit/batches.h"
#include "experiments/bandit/policy.h"
#include "experiments/bandit/weights.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::Value;

constexpr uint64_t kSeed = 20240603;
constexpr char kEppo[] = "eppo/derived_propensities.json";

TEST(Thompson, WeighsByTheChanceToBeBestAboveAFloor) {
  const std::vector<BetaPosterior> arms = {{10, 90}, {12, 88}, {15, 85}};
  const std::vector<int64_t> units = {100, 100, 100};
  EXPECT_THAT(Value(ThompsonWeights(arms, units, {.floor = 0})),
              ElementsAre(DoubleNear(0.0914595770, 1e-9), DoubleNear(0.2339980809, 1e-9),
                          DoubleNear(0.6745423421, 1e-9)));
  const std::vector<double> weights = Value(ThompsonWeights(arms, units, {.floor = 0.05}));
  EXPECT_NEAR(weights[0], 0.05 + 0.85 * 0.0914595770, 1e-9);
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1, 1e-12);
}

// A known library gives the best arm of "smaller is better" no weight with three arms, and fails
// with two.
TEST(Thompson, SmallerIsBetterWeighsTheSmallestMost) {
  const BanditOptions options = {.floor = 0, .smaller_is_better = true};
  const std::vector<NormalPosterior> three = {{0, 0.1}, {0.1, 0.1}, {0.2, 0.1}};
  EXPECT_THAT(Value(ThompsonWeights(three, std::vector<int64_t>(3, 1000), options)),
              ElementsAre(DoubleNear(0.7287510153, 1e-9), DoubleNear(0.2240983048, 1e-9),
                          DoubleNear(0.0471506799, 1e-9)));
  const std::vector<BetaPosterior> two = {{2, 8}, {5, 5}};
  EXPECT_THAT(Value(ThompsonWeights(two, std::vector<int64_t>(2, 1000), options)),
              ElementsAre(DoubleNear(0.9343891403, 1e-9), DoubleNear(0.0656108597, 1e-9)));
}

TEST(Thompson, WaitsUntilEachArmHasUnits) {
  const std::vector<BetaPosterior> arms = {{1, 500}, {400, 100}};
  EXPECT_THAT(Value(ThompsonWeights(arms, std::vector<int64_t>{99, 500}, {})),
              ElementsAre(0.5, 0.5));
  EXPECT_NEAR(Value(ThompsonWeights(arms, std::vector<int64_t>{100, 500}, {}))[0], 0.01, 1e-12);
}

TEST(Thompson, RefusesWhatIsNoBandit) {
  const std::vector<int64_t> units = {100, 100};
  EXPECT_FALSE(ThompsonWeights(std::vector<BetaPosterior>{{1, 1}}, units, {}).ok());
  EXPECT_FALSE(ThompsonWeights(std::vector<BetaPosterior>{{1, 1}, {0, 1}}, units, {}).ok());
  EXPECT_FALSE(ThompsonWeights(std::vector<NormalPosterior>{{1, 1}, {0, 0}}, units, {}).ok());
  EXPECT_FALSE(
      ThompsonWeights(std::vector<BetaPosterior>{{1, 1}, {1, 1}}, units, {.floor = 0.6}).ok());
}

// Its own weights, order and shard; the choice by our ranges.
TEST(InverseGap, IsThatOfEppo) {
  SKIP_WITHOUT_VECTORS(kEppo);
  int checked = 0;
  const Json models = ReadVectors("eppo/ufc/bandit-models-v1.json", "bandits");
  for (const Json& one : ReadVectors(kEppo, "rows")) {
    std::vector<double> scores, by_name, expected;
    for (const auto& [name, score] : one["scores"].items()) {  // of equal ones, the first by name
      scores.push_back(score);
      by_name.push_back(one["weights"][name]);
    }
    for (const Json& name : one["order"]) {
      expected.push_back(one["weights"][name.get<std::string>()]);
    }
    // The model is not in the row: one of these made it.
    bool found = false;
    for (const Json& model : models) {
      const Json& data = model["modelData"];
      const std::vector<double> weights =
          Value(InverseGapWeights(scores, data["gamma"], data["actionProbabilityFloor"]));
      bool same = true;
      for (size_t i = 0; i < weights.size(); ++i) {
        same = same && std::abs(weights[i] - by_name[i]) < 1e-12;
      }
      found = found || same;
    }
    EXPECT_TRUE(found) << one;
    const int pick =
        ChooseArm(one["shard"].get<double>() / 10'000, ArmRanges(expected.size(), 1, expected));
    ASSERT_GE(pick, 0);
    EXPECT_EQ(one["order"][pick], one["picked"]) << one;
    EXPECT_EQ(expected[pick], one["propensity"].get<double>());
    ++checked;
  }
  EXPECT_EQ(checked, 13);
}

TEST(InverseGap, RefusesWhatIsNoScore) {
  EXPECT_FALSE(InverseGapWeights({}, 1, 0).ok());
  EXPECT_FALSE(InverseGapWeights(std::vector<double>{1, NAN}, 1, 0).ok());
  EXPECT_FALSE(InverseGapWeights(std::vector<double>{1, 2}, -1, 0).ok());
  EXPECT_FALSE(InverseGapWeights(std::vector<double>{1, 2}, 1, 1).ok());
}

TEST(BanditPolicy, ChoosesAsOftenAsItsPropensitiesSay) {
  const BanditPolicy policy =
      Value(BanditPolicy::Create("offers", 7, {{"", {0.2, 0.5, 0.3}}, {"new", {0.01, 0, 0.99}}}));
  constexpr int kUnits = 100'000;
  for (const std::string segment : {"", "new", "never seen"}) {
    std::vector<int> chosen(3);
    const std::vector<double> weights = policy.Weights(segment);
    for (int i = 0; i < kUnits; ++i) {
      const BanditChoice choice = policy.Choose(segment, absl::StrCat("visitor-", i));
      ++chosen[choice.arm];
      ASSERT_EQ(choice.propensity, weights[choice.arm]);
    }
    for (size_t arm = 0; arm < 3; ++arm) {
      const double sd = std::sqrt(kUnits * weights[arm] * (1 - weights[arm]));
      EXPECT_NEAR(chosen[arm], kUnits * weights[arm], 5 * sd) << segment << arm;
    }
  }
}

TEST(BanditPolicy, ABatchIsReplayableAndAnotherIsAnother) {
  const absl::flat_hash_map<std::string, std::vector<double>> weights = {{"", {0.5, 0.5}}};
  const BanditPolicy one = Value(BanditPolicy::Create("x", 1, weights));
  const BanditPolicy again = Value(BanditPolicy::Create("x", 1, weights));
  const BanditPolicy next = Value(BanditPolicy::Create("x", 2, weights));
  int same = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string unit = absl::StrCat(i);
    ASSERT_EQ(one.Choose("", unit).arm, again.Choose("", unit).arm);
    same += one.Choose("", unit).arm == next.Choose("", unit).arm;
  }
  EXPECT_NEAR(same, 5000, 250);
}

TEST(BanditPolicy, RefusesWeightsThatAreNone) {
  EXPECT_FALSE(BanditPolicy::Create("x", 1, {{"a", {0.5, 0.5}}}).ok());
  EXPECT_FALSE(BanditPolicy::Create("x", 1, {{"", {}}}).ok());
  EXPECT_FALSE(BanditPolicy::Create("x", 1, {{"", {0.5, 0.6}}}).ok());
  EXPECT_FALSE(BanditPolicy::Create("x", 1, {{"", {1.5, -0.5}}}).ok());
  EXPECT_FALSE(BanditPolicy::Create("x", 1, {{"", {0.5, 0.5}}, {"a", {1}}}).ok());
}

// A shop of two segments that want different arms, ten batches.
TEST(Bandit, LearnsBySegmentAndEarnsMoreThanEqualSplit) {
  const std::vector<std::vector<double>> rates = {{0.02, 0.05, 0.03}, {0.06, 0.02, 0.03}};
  const std::vector<std::string> segments = {"new", "loyal"};
  std::mt19937_64 random(kSeed);
  std::vector<std::vector<BetaPosterior>> posteriors(2, std::vector<BetaPosterior>(3));
  std::vector<std::vector<int64_t>> units(2, std::vector<int64_t>(3, 0));
  absl::flat_hash_map<std::string, std::vector<double>> weights;
  double earned = 0, equal = 0, best = 0;
  for (int64_t batch = 0; batch < 10; ++batch) {
    weights[""] = {1 / 3.0, 1 / 3.0, 1 / 3.0};
    for (size_t s = 0; s < 2; ++s) {
      weights[segments[s]] = Value(ThompsonWeights(posteriors[s], units[s], {}));
    }
    const BanditPolicy policy = Value(BanditPolicy::Create("bandit", batch, weights));
    for (int i = 0; i < 4000; ++i) {
      const size_t s = random() % 2;
      const uint32_t arm = policy.Choose(segments[s], absl::StrCat(batch, "-", i)).arm;
      const bool bought = std::bernoulli_distribution(rates[s][arm])(random);
      (bought ? posteriors[s][arm].a : posteriors[s][arm].b) += 1;
      ++units[s][arm];
      earned += rates[s][arm];
      equal += (rates[s][0] + rates[s][1] + rates[s][2]) / 3;
      best += *std::max_element(rates[s].begin(), rates[s].end());
    }
  }
  EXPECT_GT(earned, equal + 0.6 * (best - equal)) << "seed " << kSeed;
  EXPECT_GT(weights["new"][1], 0.9);
  EXPECT_GT(weights["loyal"][0], 0.9);
}

// The honest end: no effect at all, weights that follow the data. BOLS keeps its level; and days
// that differ in both arms alike are no effect, though plain means say so.
TEST(Batches, KeepTheirLevelWhenWeightsFollowTheData) {
  constexpr int kBandits = 300;
  std::mt19937_64 random(kSeed);
  int found = 0;
  double sum = 0;
  for (int bandit = 0; bandit < kBandits; ++bandit) {
    std::vector<std::vector<MetricSums>> batches;
    std::vector<BetaPosterior> posteriors(2);
    std::vector<int64_t> units(2, 0);
    for (int batch = 0; batch < 5; ++batch) {
      const std::vector<double> weights = Value(ThompsonWeights(posteriors, units, {.floor = 0.1}));
      const double rate = 0.3 + 0.1 * batch;
      std::vector<MetricSums> arms;
      for (size_t arm = 0; arm < 2; ++arm) {
        const auto count = static_cast<int64_t>(1000 * weights[arm]);
        const int64_t bought = std::binomial_distribution<int64_t>(count, rate)(random);
        arms.push_back(MetricSums::Of(count, bought, bought));
        posteriors[arm].a += bought;
        posteriors[arm].b += count - bought;
        units[arm] += count;
      }
      batches.push_back(arms);
    }
    const BatchedEffect effect = Value(EstimateBatched(batches, 0, 1, MetricKind::kProportion));
    EXPECT_EQ(effect.batches, 5);
    found += effect.p < 0.05;
    sum += effect.difference;
  }
  EXPECT_LT(found, 0.05 * kBandits + 3 * std::sqrt(0.05 * 0.95 * kBandits)) << "seed " << kSeed;
  EXPECT_NEAR(sum / kBandits, 0, 0.004) << "seed " << kSeed;
}

TEST(Batches, SayWhatTheyCouldNotCompare) {
  const MetricSums good = MetricSums::Of(100, 30, 30), none = MetricSums::Of(1, 1, 1);
  const std::vector<std::vector<MetricSums>> some = {{good, good}, {good, none}};
  const BatchedEffect effect = Value(EstimateBatched(some, 0, 1, MetricKind::kProportion));
  EXPECT_EQ(effect.batches, 1);
  EXPECT_EQ(effect.batches_left, 1);
  const std::vector<std::vector<MetricSums>> no = {{good, none}};
  EXPECT_EQ(EstimateBatched(no, 0, 1, MetricKind::kMean).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EstimateBatched(no, 0, 2, MetricKind::kMean).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::experiments
