#include <cmath>

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/sequential/mixture_sprt.h"
#include "experiments/sequential/planning.h"
#include "experiments/sequential/sample_ratio_sequence.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr char kScipy[] = "scipy/vectors.json";

ConfidenceSequence Sequence(double planned_units, double alpha = 0.05,
                            Alternative alternative = Alternative::kTwoSided) {
  return Value(ConfidenceSequence::Create(alpha, planned_units, alternative));
}

// An entry of the vectors that names an estimate, its se and what comes of them.
void ExpectLook(const Json& one, double planned_units) {
  const ConfidenceSequence sequence = Sequence(planned_units);
  const SequentialLook look = sequence.Look({one["est"], one["se"]}, one["n"]);
  EXPECT_NEAR(sequence.rho(), one["rho"], 1e-12);
  EXPECT_NEAR(look.low, one["ci"][0], 1e-10);
  EXPECT_NEAR(look.high, one["ci"][1], 1e-10);
  EXPECT_NEAR(look.p, std::min(1.0, 1 / one["e_value"].get<double>()), 1e-10);
  EXPECT_NEAR(look.p, one["p"], 1e-10);
}

TEST(ConfidenceSequence, IsTheOneOfTheVectors) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json all = ReadVectors(kScipy, "sequential");
  ExpectLook(all["gb_tuning1000"]["out"], 1000);
  ExpectLook(all["gb_default"], 5000);
  ExpectLook(all["ab_data_asympcs_abs"], 5000);
  ExpectLook(all["cookie_r7_asympcs_abs"], 5000);
  // A plan for the units that came makes the difference between finding it and not.
  ExpectLook(all["cookie_r7_asympcs_abs_N90000"], 90'000);
}

TEST(ConfidenceSequence, OfALiftIsGrowthBooks) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json all = ReadVectors(kScipy, "sequential");
  const MetricSums mean_a = MetricSums::Of(3000, 1396.87, 52377.9767);
  const MetricSums mean_b = MetricSums::Of(3461, 2422.7, 134698.29);
  const Effect mean = Value(EstimateEffect(mean_a, mean_b, {}));
  const SequentialLook two = Sequence(1000).Look(*mean.relative, 6461);
  EXPECT_NEAR(two.low, all["gb_tuning1000"]["out"]["ci"][0], 1e-10);
  EXPECT_NEAR(two.high, all["gb_tuning1000"]["out"]["ci"][1], 1e-10);

  const Effect proportion =
      Value(EstimateEffect(MetricSums::Of(3000, 1396, 1396), MetricSums::Of(3461, 2422, 2422),
                           {.kind = MetricKind::kProportion}));
  const SequentialLook look = Sequence(5000).Look(*proportion.relative, 6461);
  EXPECT_NEAR(look.low, all["gb_prop"]["ci"][0], 1e-10);
  EXPECT_NEAR(look.high, all["gb_prop"]["ci"][1], 1e-10);
  EXPECT_LT(look.p, 1e-20);
}

// To five decimals but for the variance's m_b / m_a: of a mean, GrowthBook takes the observed one,
// of a ratio the adjusted, as we do of both. Here that is 8e-6 of the standard error.
TEST(ConfidenceSequence, WithCupedIsGrowthBooks) {
  SKIP_WITHOUT_VECTORS("growthbook/gbstats_vectors.json");
  const Json one = ReadVectors("growthbook/gbstats_vectors.json", "sequential")[2];
  const auto arm = [&one](const char* pre, const char* post) {
    MetricSums sums = MetricSums::Of(one[post]["n"], one[post]["sum"], one[post]["sum_squares"]);
    sums.sums[kValueBefore] = one[pre]["sum"];
    sums.products[3] = one["post_pre_sum_of_products"];
    sums.products[5] = one[pre]["sum_squares"];
    return sums;
  };
  const std::vector<MetricSums> arms = {arm("pre_a", "post_a"), arm("pre_b", "post_b")};
  const Cuped cuped = PoolCuped(arms, MetricKind::kMean);
  const Effect effect = Value(EstimateEffect(arms[0], arms[1], {.cuped = cuped}));
  const SequentialLook look = Sequence(one["N_star"]).Look(*effect.relative, 6461);
  EXPECT_NEAR(effect.relative->value, one["expected"], 5.1e-6);
  EXPECT_NEAR(effect.relative->se, one["se"], 5.1e-6);
  EXPECT_NEAR(look.low, one["ci"][0], 5.1e-6 + 1e-5);
  EXPECT_NEAR(look.high, one["ci"][1], 5.1e-6 + 1e-5);
}

// Closed form, where GrowthBook halves intervals and returns one step late (0.46316).
TEST(ConfidenceSequence, OneSidedIsExact) {
  const Effect mean = Value(EstimateEffect(MetricSums::Of(3000, 1396.87, 52377.9767),
                                           MetricSums::Of(3461, 2422.7, 134698.29), {}));
  const ConfidenceSequence greater = Sequence(5000, 0.05, Alternative::kGreater);
  const SequentialLook look = greater.Look(*mean.relative, 6461);
  EXPECT_NEAR(look.low, -0.42356454602790883, 1e-10);
  EXPECT_TRUE(std::isinf(look.high));
  const SequentialLook absolute = greater.Look(mean.absolute, 6461);
  EXPECT_NEAR(absolute.low, -0.12656844172804982, 1e-10);
  EXPECT_NEAR(absolute.p, 0.463047, 1e-6);
  // The p is where the bound is 0; rho was chosen for the test's alpha, and stays.
  EXPECT_EQ(greater.Look({-mean.absolute.value, mean.absolute.se}, 6461).p, 1);
}

TEST(ConfidenceSequence, PBelowAlphaMeansZeroIsOutside) {
  for (const Alternative alternative :
       {Alternative::kTwoSided, Alternative::kGreater, Alternative::kLess}) {
    const ConfidenceSequence sequence = Sequence(2000, 0.05, alternative);
    for (const int64_t units : {100, 2000, 100'000}) {
      for (double z = -5; z <= 5; z += 0.01) {
        const SequentialLook look = sequence.Look({z, 1}, units);
        ASSERT_EQ(look.p<0.05, look.low> 0 || look.high < 0) << z << " " << units;
      }
    }
  }
}

TEST(ConfidenceSequence, IsNarrowestWhereItWasPlanned) {
  const double at = Sequence(10'000).WidthFactor(10'000);
  for (const double other : {1000.0, 5000.0, 20'000.0, 1e6}) {
    EXPECT_GT(Sequence(other).WidthFactor(10'000), at) << other;
  }
  EXPECT_GT(at, 1.96);
}

TEST(ConfidenceSequence, RefusesPlansThatAreNone) {
  EXPECT_FALSE(ConfidenceSequence::Create(0, 100).ok());
  EXPECT_FALSE(ConfidenceSequence::Create(0.5, 100).ok());
  EXPECT_FALSE(ConfidenceSequence::Create(0.05, 0).ok());
  EXPECT_FALSE(ConfidenceSequence::Create(0.05, NAN).ok());
}

TEST(MixtureSprt, IsTheTextbooksAndAtHalfAlphaStatsigs) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json all = ReadVectors(kScipy, "sequential");
  const Json& one = all["cookie_r7_msprt"];
  const double v = one["V"], tau = one["tau"];
  const Estimate estimate = {all["cookie_r7_asympcs_abs"]["est"], std::sqrt(v)};
  const SequentialLook textbook = Value(MixtureSprt::Create(0.05, tau)).Look(estimate);
  EXPECT_NEAR(textbook.p, one["p_always_valid"], 1e-10);
  EXPECT_NEAR(textbook.p, 1 / one["Lambda_mixture"].get<double>(), 1e-10);
  const SequentialLook statsig = Value(MixtureSprt::Create(0.025, tau)).Look(estimate);
  EXPECT_NEAR(statsig.low, one["ci"][0], 1e-12);
  EXPECT_NEAR(statsig.high, one["ci"][1], 1e-12);
  const double both_variances = (8502.0 / 44700) * (1 - 8502.0 / 44700) * 44700 / 44699 +
                                (8279.0 / 45489) * (1 - 8279.0 / 45489) * 45489 / 45488;
  EXPECT_NEAR(MixtureVariance(0.05, both_variances, 90189) / tau, 1, 1e-4);
}

TEST(MixtureSprt, PBelowAlphaMeansZeroIsOutside) {
  const MixtureSprt test = Value(MixtureSprt::Create(0.05, 0.7));
  for (double d = -5; d <= 5; d += 0.01) {
    const SequentialLook look = test.Look({d, 1});
    ASSERT_EQ(look.p<0.05, look.low> 0 || look.high < 0) << d;
  }
  EXPECT_FALSE(MixtureSprt::Create(0.05, 0).ok());
}

TEST(SampleRatioSequence, HasTheEvidenceOfTheVectors) {
  SKIP_WITHOUT_VECTORS("optimizely/ssrm.json");
  const Json all = ReadVectors("optimizely/ssrm.json");
  const auto shares = all["null"].get<std::vector<double>>();
  const auto prior = all["dirichlet_alpha"].get<std::vector<double>>();
  std::vector<int64_t> units(3, 0);
  for (size_t batch = 0; batch < all["batches"].size(); ++batch) {
    for (size_t arm = 0; arm < 3; ++arm) units[arm] += all["batches"][batch][arm].get<int64_t>();
    EXPECT_NEAR(Value(SampleRatioLogEvidence(units, shares, prior)),
                all["logml_m1"][batch].get<double>() - all["logml_m0"][batch].get<double>(), 1e-9);
  }
}

TEST(SampleRatioSequence, ALargeConcentrationIsSlow) {
  const std::vector<int64_t> units = {1000, 1200};
  const std::vector<double> shares = {0.5, 0.5};
  EXPECT_NEAR(Value(SampleRatioSequentialP(units, shares, 10'000)), 0.21, 0.005);
  EXPECT_LT(Value(SampleRatioSequentialP(units, shares, 500)), 0.002);
  EXPECT_EQ(Value(SampleRatioSequentialP(std::vector<int64_t>{0, 0}, shares, 500)), 1);
}

TEST(SampleRatioSequence, AUnitWhereNoneIsPlannedSettlesIt) {
  EXPECT_EQ(Value(SampleRatioSequentialP(std::vector<int64_t>{10, 10, 1},
                                         std::vector<double>{1, 1, 0}, 100)),
            0);
  EXPECT_FALSE(SampleRatioSequentialP(std::vector<int64_t>{10}, std::vector<double>{1}, 100).ok());
  EXPECT_FALSE(
      SampleRatioSequentialP(std::vector<int64_t>{10, 1}, std::vector<double>{1, 1}, 0).ok());
}

TEST(SequentialPlanning, PowerIsThatOfTheIntervalUsed) {
  const MetricPlan plan = {.mean = 10, .variance = 3909.9997749994377};
  EXPECT_NEAR(Value(SequentialPowerForLift(plan, 0.05, 400'000 / 3.0, 5000)), 0.07206494784267467,
              1e-10);
}

TEST(SequentialPlanning, UnitsGiveThePower) {
  const MetricPlan plan = {.mean = 0.03, .variance = 0.03 * 0.97, .power = 0.8};
  const double units = Value(SequentialUnitsForLift(plan, 0.1));
  EXPECT_NEAR(Value(SequentialPowerForLift(plan, 0.1, units, 2 * units)), 0.8, 1e-6);
  EXPECT_NEAR(units / Value(UnitsForLift(plan, 0.1)), 1.91, 0.01);
}

}  // namespace
}  // namespace vitrine::experiments
