#include <cmath>
#include <random>

#include "experiments/statistics/distributions.h"
#include "experiments/statistics/effect.h"
#include "experiments/statistics/multiplicity.h"
#include "experiments/statistics/power.h"
#include "experiments/statistics/sample_ratio.h"
#include "experiments/statistics/winsorise.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::Value;

constexpr uint64_t kSeed = 20240601;

std::vector<UnitValues> Units(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::poisson_distribution<int> visits(3);
  std::exponential_distribution<double> spent(0.01);
  std::vector<UnitValues> units;
  for (size_t i = 0; i < count; ++i) {
    const int now = 1 + visits(random), before = visits(random);
    units.push_back({std::round(spent(random)) * now, static_cast<double>(now),
                     std::round(spent(random)) * before, static_cast<double>(before)});
  }
  return units;
}

MetricSums SumsOf(const std::vector<UnitValues>& units) {
  MetricSums sums;
  for (const UnitValues& unit : units) sums.Add(unit);
  return sums;
}

TEST(MetricSums, AreTheSameHoweverUnitsCame) {
  const std::vector<UnitValues> units = Units(1000, kSeed);
  MetricSums first, second;
  for (size_t i = 0; i < units.size(); ++i) {
    MetricSums& half = i % 3 == 0 ? first : second;
    half.Add({.value = 7, .denominator = 1});  // as long as nothing else is known
    half.Remove({.value = 7, .denominator = 1});
    half.Add(units[i]);
  }
  second.Merge(first);
  EXPECT_EQ(second, SumsOf(units));  // to the bit: whole numbers
}

TEST(MetricSums, AgreeWithThePlainFormulas) {
  const std::vector<UnitValues> units = Units(500, kSeed);
  const MetricSums sums = SumsOf(units);
  const Gradient gradient = {1, -2, 0.5, 3};
  double mean = 0, covariance = 0, combination = 0, squares = 0;
  const auto combine = [&gradient](const UnitValues& unit) {
    return gradient[0] * unit.value + gradient[1] * unit.denominator +
           gradient[2] * unit.value_before + gradient[3] * unit.denominator_before;
  };
  for (const UnitValues& unit : units) {
    mean += unit.value / 500;
    combination += combine(unit) / 500;
  }
  for (const UnitValues& unit : units) {
    covariance +=
        (unit.value - mean) * (unit.denominator_before - sums.Mean(kDenominatorBefore)) / 499;
    squares += (combine(unit) - combination) * (combine(unit) - combination) / 499;
  }
  EXPECT_NEAR(sums.Mean(kValue), mean, 1e-9);
  EXPECT_NEAR(sums.Covariance(kValue, kDenominatorBefore), covariance, 1e-8);
  EXPECT_NEAR(sums.Variance(gradient), squares, 1e-6);
}

TEST(Effect, TakesNoProportionThatIsNone) {
  const MetricSums good = MetricSums::Of(100, 10, 10);
  const MetricSums twice = MetricSums::Of(100, 11, 13);  // somebody converted twice
  const EffectOptions options = {.kind = MetricKind::kProportion};
  EXPECT_EQ(EstimateEffect(good, twice, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EstimateEffect(MetricSums::Of(100, NAN, 1), good, options).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_OK(EstimateEffect(good, good, options).status());
}

TEST(Effect, SaysWhenThereIsNothingToTest) {
  const MetricSums some = MetricSums::Of(100, 10, 10), none, one = MetricSums::Of(1, 1, 1),
                   same = MetricSums::Of(10, 20, 40);
  const auto precondition = absl::StatusCode::kFailedPrecondition;
  EXPECT_EQ(EstimateEffect(some, none, {}).status().code(), precondition);
  EXPECT_EQ(EstimateEffect(one, some, {}).status().code(), precondition);
  EXPECT_EQ(EstimateEffect(same, same, {}).status().code(), precondition);
  EXPECT_EQ(EstimateEffect(some, some, {.kind = MetricKind::kRatio}).status().code(), precondition);
  EXPECT_EQ(TwoProportionTest(0, 10, 0, 20, 0.05).status().code(), precondition);
}

TEST(Effect, HasNoLiftOnAControlNearZero) {
  const MetricSums near = MetricSums::Of(1000, 50, 1000), far = MetricSums::Of(1000, 500, 1000);
  EXPECT_FALSE(Value(EstimateEffect(near, far, {})).relative.has_value());
  EXPECT_TRUE(Value(EstimateEffect(far, near, {})).relative.has_value());
}

// A loss that gets smaller is a lift upward, though it is divided by a negative number.
TEST(Effect, LiftKeepsItsSignOnALoss) {
  const MetricSums loss = MetricSums::Of(1000, -500, 1000), less = MetricSums::Of(1000, -300, 1000);
  const Effect effect = Value(EstimateEffect(loss, less, {}));
  EXPECT_NEAR(effect.absolute.value, 0.2, 1e-12);
  EXPECT_NEAR(effect.relative->value, 0.4, 1e-12);
  const MetricSums gain = MetricSums::Of(1000, 500, 1000), more = MetricSums::Of(1000, 300, 1000);
  EXPECT_NEAR(effect.relative->se, Value(EstimateEffect(gain, more, {})).relative->se, 1e-12);
}

TEST(Effect, CupedWithoutABeforeChangesNothing) {
  const MetricSums a = MetricSums::Of(1000, 100, 400), b = MetricSums::Of(1000, 150, 500);
  const Effect plain = Value(EstimateEffect(a, b, {}));
  const Effect adjusted = Value(EstimateEffect(
      a, b, {.cuped = PoolCuped(std::array<MetricSums, 2>{a, b}, MetricKind::kMean)}));
  EXPECT_EQ(adjusted.theta, 0);
  EXPECT_EQ(adjusted.absolute.value, plain.absolute.value);
  EXPECT_EQ(adjusted.absolute.se, plain.absolute.se);
  EXPECT_EQ(adjusted.variance_ratio, 1);
}

// A ratio whose denominators are all 1 is a mean, with CUPED too.
TEST(Effect, RatioOfOnesIsAMean) {
  std::vector<UnitValues> a = Units(400, kSeed), b = Units(300, kSeed + 1);
  for (auto* units : {&a, &b}) {
    for (UnitValues& unit : *units) unit.denominator = unit.denominator_before = 1;
  }
  const std::array<MetricSums, 2> arms = {SumsOf(a), SumsOf(b)};
  for (const bool adjust : {false, true}) {
    EffectOptions options;
    if (adjust) options.cuped = PoolCuped(arms, options.kind);
    const Effect mean = Value(EstimateEffect(arms[0], arms[1], options));
    options.kind = MetricKind::kRatio;
    if (adjust) options.cuped = PoolCuped(arms, options.kind);
    const Effect ratio = Value(EstimateEffect(arms[0], arms[1], options));
    EXPECT_NEAR(ratio.absolute.value, mean.absolute.value, 1e-9);
    EXPECT_NEAR(ratio.absolute.se, mean.absolute.se, 1e-9);
    EXPECT_NEAR(ratio.relative->se, mean.relative->se, 1e-12);
  }
}

// Arms without a share are left out of chi-square and its degrees of freedom, where a well-known
// library counts them (p 2.9e-60 here); units in them are wrong in themselves.
TEST(SampleRatio, LeavesOutArmsThatAreToHaveNone) {
  const SampleRatioResult result = Value(
      SampleRatioTest(std::vector<int64_t>{1000, 1200, 900}, std::vector<double>{0.5, 0.5, 0}));
  EXPECT_NEAR(result.p, 2.007865612e-5, 1e-12);
  EXPECT_EQ(result.df, 1);
  EXPECT_EQ(result.units_unplanned, 900);
  const SampleRatioResult even =
      Value(SampleRatioTest(std::vector<int64_t>{500, 500, 1}, std::vector<double>{1, 1, 0}));
  EXPECT_EQ(even.p, 1);
  EXPECT_TRUE(even.mismatch());
}

TEST(SampleRatio, DoesNotJudgeAHandful) {
  const SampleRatioResult few =
      Value(SampleRatioTest(std::vector<int64_t>{0, 9}, std::vector<double>{1, 1}));
  EXPECT_FALSE(few.mismatch(0.05));
  EXPECT_EQ(Value(SampleRatioTest(std::vector<int64_t>{0, 0}, std::vector<double>{1, 1})).p, 1);
}

TEST(SampleRatio, CookieCatsPassesTheUsualLevelAndNotOnePercent) {
  const SampleRatioResult cats =
      Value(SampleRatioTest(std::vector<int64_t>{44700, 45489}, std::vector<double>{1, 1}));
  EXPECT_NEAR(cats.chi_squared, 6.90240, 1e-5);
  EXPECT_FALSE(cats.mismatch());
  EXPECT_TRUE(cats.mismatch(0.01));
}

// Weights that change: counts that fit each period do not fit any weights all together.
TEST(SampleRatio, HoldsEachPeriodAgainstItsOwnShares) {
  const std::vector<SampleRatioPeriod> periods = {
      {{500, 500}, {1, 1}}, {{90, 10}, {0.9, 0.1}}, {{70, 0}, {1, 0}}};
  const SampleRatioResult result = Value(SampleRatioTest(periods));
  EXPECT_EQ(result.chi_squared, 0);
  EXPECT_EQ(result.df, 2);
  EXPECT_EQ(result.p, 1);
  EXPECT_LT(Value(SampleRatioTest(std::vector<int64_t>{660, 510}, std::vector<double>{1, 1})).p,
            0.001);
}

TEST(SampleRatio, AgreesWithAPlainTwinForAnyNumberOfArms) {
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 500; ++round) {
    const size_t arms = 2 + random() % 20;
    std::vector<int64_t> units(arms);
    std::vector<double> shares(arms);
    for (size_t arm = 0; arm < arms; ++arm) {
      units[arm] = static_cast<int64_t>(random() % 1000);
      shares[arm] = random() % 3 == 0 ? 0 : static_cast<double>(1 + random() % 9);
    }
    shares[0] = shares[arms - 1] = 1;
    double total = 0, share_total = 0, chi_squared = 0;
    int64_t unplanned = 0;
    for (size_t arm = 0; arm < arms; ++arm) {
      total += shares[arm] > 0 ? static_cast<double>(units[arm]) : 0;
      share_total += shares[arm];
      unplanned += shares[arm] > 0 ? 0 : units[arm];
    }
    for (size_t arm = 0; arm < arms; ++arm) {
      const double expected = total * shares[arm] / share_total;
      if (shares[arm] > 0)
        chi_squared += std::pow(static_cast<double>(units[arm]) - expected, 2) / expected;
    }
    const SampleRatioResult result = Value(SampleRatioTest(units, shares));
    ASSERT_NEAR(result.chi_squared, chi_squared, 1e-9 * (1 + chi_squared)) << "seed " << kSeed;
    ASSERT_EQ(result.units_unplanned, unplanned);
  }
}

TEST(SampleRatio, RefusesWhatDoesNotFit) {
  const auto code = [](std::vector<int64_t> units, std::vector<double> shares) {
    return SampleRatioTest(units, shares).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({1, 2}, {1}), invalid);
  EXPECT_EQ(code({1, -2}, {1, 1}), invalid);
  EXPECT_EQ(code({1, 2}, {1, -1}), invalid);
  EXPECT_EQ(code({1, 2}, {1, 0}), invalid);
}

TEST(Multiplicity, OfOneIsItself) {
  EXPECT_THAT(Holm(std::vector<double>{0.03}), ElementsAre(0.03));
  EXPECT_THAT(BenjaminiHochberg(std::vector<double>{0.03}), ElementsAre(0.03));
  EXPECT_TRUE(Holm({}).empty());
}

// The formula that calculators print, with half-widths wider than the fixed test's.
TEST(Power, OfAWideIntervalKeepsTheEstimatesSpread) {
  EXPECT_NEAR(PowerOfOneLook(0, 1, NormalQuantile(0.975)), 0.05, 1e-12);
  EXPECT_NEAR(PowerOfOneLook(1, 0.5, 1), 0.5 + NormalCdf(-4), 1e-12);
  EXPECT_LT(PowerOfOneLook(1, 0.5, 1.5), PowerOfOneLook(1, 0.5, 1));
}

TEST(Power, UnitsAndDetectableLiftAreInverse) {
  const MetricPlan plan = {.mean = 10, .variance = 3900, .power = 0.9};
  for (const double lift : {0.01, 0.05, 0.3}) {
    const double units = Value(UnitsForLift(plan, lift));
    EXPECT_NEAR(MinimumDetectableLift(plan, units).value(), lift, 1e-12);
    EXPECT_NEAR(PowerForLift(plan, lift, units), 0.9, 1e-4);  // the other tail
  }
  EXPECT_FALSE(MinimumDetectableLift(plan, 200).has_value());
  EXPECT_FALSE(UnitsForLift(plan, 0).ok());
  EXPECT_FALSE(UnitsForLift({.mean = 0, .variance = 1}, 0.1).ok());
}

TEST(Winsorise, CapsComeFromAllArmsAndApplyToAll) {
  std::vector<double> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  const Caps caps = PooledCaps(values, 0.05, 0.99);
  EXPECT_EQ(caps.low, 5);
  EXPECT_EQ(caps.high, 99);
  EXPECT_EQ(caps.Capped(1000), 99);
  EXPECT_EQ(caps.Capped(-1), 5);
  EXPECT_EQ(PooledCaps(values, 0, 1).Capped(1e9), 1e9);
  EXPECT_EQ(PooledCaps({}, 0.1, 0.9).Capped(1e9), 1e9);
}

TEST(Distributions, AreThoseOfTheBooks) {
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(StudentQuantile(0.975, 10), 2.2281388519862735, 1e-12);
  EXPECT_EQ(StudentQuantile(0.975, INFINITY), NormalQuantile(0.975));
  EXPECT_NEAR(ChiSquaredSurvival(3.841458820694124, 1), 0.05, 1e-14);
  EXPECT_NEAR(BinomialSurvival(8, 10, 0.5), 56 / 1024.0, 1e-14);
  EXPECT_NEAR(Integral([](double x) { return NormalDensity(x); }, -9, 9, 1e-13), 1, 1e-12);
}

}  // namespace
}  // namespace vitrine::experiments
