// What the statistics promise, on experiments whose truth is known: thousands of them, from seeds
// that are printed. Bounds are three and a half standard errors of the simulation itself.

#include <cmath>
#include <random>
#include <vector>

#include "experiments/sequential/confidence_sequence.h"
#include "experiments/sequential/mixture_sprt.h"
#include "experiments/sequential/sample_ratio_sequence.h"
#include "experiments/statistics/effect.h"
#include "experiments/statistics/sample_ratio.h"
#include "experiments/verdict/verdict.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr uint64_t kSeed = 20240606;
constexpr double kErrors = 3.5;

double MonteCarloError(double share, int runs) { return std::sqrt(share * (1 - share) / runs); }

// Units of one kind, drawn one after another.
class Population {
 public:
  Population(MetricKind kind, uint64_t seed) : kind_(kind), random_(seed) {}

  // `lift` multiplies what the treatment earns.
  UnitValues Draw(double lift = 1) {
    switch (kind_) {
      case MetricKind::kProportion:
        return {.value = Uniform() < 0.1 * lift ? 1.0 : 0.0};
      case MetricKind::kMean:  // most spend nothing, some much
        return {.value = Uniform() < 0.8 ? 0 : -lift * std::log1p(-Uniform())};
      case MetricKind::kRatio:
        break;
    }
    // Clicks by impressions, of people who differ in how often and how gladly.
    const double impressions = 1 + std::floor(10 * Uniform() * Uniform());
    const double taste = Uniform() < 0.5 ? 0.05 : 0.3;
    double clicks = 0;
    for (int i = 0; i < impressions; ++i) clicks += Uniform() < taste * lift ? 1 : 0;
    return {.value = clicks, .denominator = impressions};
  }

  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

 private:
  MetricKind kind_;
  std::mt19937_64 random_;
};

struct FalsePositives {
  int sequential = 0, fixed = 0, fixed_at_end = 0;
};

// A/A experiments, looked at 50 times each, stopped at the first finding.
FalsePositives PeekAtNothing(MetricKind kind, int experiments, int units_per_peek) {
  constexpr int kPeeks = 50;
  const double planned = 2.0 * kPeeks * units_per_peek;
  const ConfidenceSequence sequence = Value(ConfidenceSequence::Create(0.05, planned));
  Population population(kind, kSeed);
  FalsePositives found;
  for (int experiment = 0; experiment < experiments; ++experiment) {
    MetricSums arms[2];
    RunningP running;
    bool fixed = false;
    double last_p = 1;
    for (int peek = 0; peek < kPeeks; ++peek) {
      for (MetricSums& arm : arms) {
        for (int i = 0; i < units_per_peek; ++i) arm.Add(population.Draw());
      }
      if (arms[0].units < kSequentialUnitsPerArmMin) continue;
      const auto effect = EstimateEffect(arms[0], arms[1], {.kind = kind});
      if (!effect.ok()) continue;
      running.Update(sequence.Look(effect->absolute, arms[0].units + arms[1].units).p);
      last_p = FixedTest(effect->absolute, 0.05).p;
      fixed = fixed || last_p < 0.05;
    }
    found.sequential += running.p() < 0.05;
    found.fixed += fixed;
    found.fixed_at_end += last_p < 0.05;
  }
  return found;
}

void ExpectPeekingIsSafe(MetricKind kind, int units_per_peek) {
  constexpr int kExperiments = 2000;
  const FalsePositives found = PeekAtNothing(kind, kExperiments, units_per_peek);
  EXPECT_LE(found.sequential, 0.05 * kExperiments) << "seed " << kSeed;
  EXPECT_GE(found.fixed, 0.2 * kExperiments) << "seed " << kSeed;
  EXPECT_NEAR(found.fixed_at_end, 0.05 * kExperiments,
              kErrors * kExperiments * MonteCarloError(0.05, kExperiments))
      << "seed " << kSeed;
  std::printf(
      "seed %llu: of %d A/A experiments with 50 looks, found by the sequential test %d, by the "
      "fixed test at any look %d, at its end %d\n",
      static_cast<unsigned long long>(kSeed), kExperiments, found.sequential, found.fixed,
      found.fixed_at_end);
}

TEST(Peeking, IsSafeForProportions) { ExpectPeekingIsSafe(MetricKind::kProportion, 50); }
TEST(Peeking, IsSafeForMeans) { ExpectPeekingIsSafe(MetricKind::kMean, 40); }
TEST(Peeking, IsSafeForRatios) { ExpectPeekingIsSafe(MetricKind::kRatio, 20); }

// With a tau that stays. (The first looks are at few units: it is as asymptotic as the others.)
TEST(Peeking, IsSafeForTheMixtureTest) {
  constexpr int kExperiments = 2000, kPeeks = 50, kUnits = 40;
  const MixtureSprt test = Value(MixtureSprt::Create(0.05, MixtureVariance(0.05, 0.18, 4000)));
  Population population(MetricKind::kProportion, kSeed + 1);
  int found = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    MetricSums arms[2];
    RunningP running;
    for (int peek = 0; peek < kPeeks; ++peek) {
      for (MetricSums& arm : arms) {
        for (int i = 0; i < kUnits; ++i) arm.Add(population.Draw());
      }
      if (arms[0].units < kSequentialUnitsPerArmMin) continue;
      const auto effect = EstimateEffect(arms[0], arms[1], {.kind = MetricKind::kProportion});
      if (effect.ok()) running.Update(test.Look(effect->absolute).p);
    }
    found += running.p() < 0.05;
  }
  EXPECT_LE(found, 0.05 * kExperiments) << "seed " << kSeed + 1;
}

// As a user sees it: three arms that are alike, a verdict each day, least p-values handed on.
TEST(Peeking, NoArmWinsByLooking) {
  constexpr int kExperiments = 1000, kPeeks = 20, kUnits = 50;
  const std::vector<MetricDefinition> metrics = {{.name = "revenue", .role = MetricRole::kPrimary}};
  const TestPlan plan = {.planned_units = 3.0 * kPeeks * kUnits};
  Population population(MetricKind::kMean, kSeed + 8);
  int decided = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    std::vector<ArmSums> arms = {{"a", {{}}}, {"b", {{}}}, {"c", {{}}}};
    Decision decision = Decision::kUndecided;
    for (int peek = 0; peek < kPeeks; ++peek) {
      Health health;
      health.exposed = {{{}, {1, 1, 1}}};
      for (ArmSums& arm : arms) {
        for (int i = 0; i < kUnits; ++i) arm.metrics[0].Add(population.Draw());
        health.exposed[0].units.push_back(arm.metrics[0].units);
      }
      const Verdict verdict = Value(Judge(plan, metrics, arms, health, false));
      for (const MetricVerdict& one : verdict.comparisons) arms[one.arm].least_p = {one.p};
      if (verdict.decision != Decision::kTooEarly) decision = verdict.decision;
    }
    decided += decision != Decision::kUndecided;
  }
  EXPECT_LE(decided, 0.05 * kExperiments) << "seed " << kSeed + 8;
  std::printf("of %d experiments of three arms alike, %d were decided\n", kExperiments, decided);
}

struct Covered {
  int absolute = 0, relative = 0, sequence = 0;
};

// How often intervals hold the truth, of experiments with a true lift.
Covered CountCovered(MetricKind kind, double control, double lift, int experiments, int units) {
  const ConfidenceSequence sequence = Value(ConfidenceSequence::Create(0.05, 2.0 * units));
  Population population(kind, kSeed + 2);
  Covered covered;
  for (int experiment = 0; experiment < experiments; ++experiment) {
    MetricSums arms[2];
    for (int i = 0; i < units; ++i) arms[0].Add(population.Draw());
    for (int i = 0; i < units; ++i) arms[1].Add(population.Draw(lift));
    const Effect effect = Value(EstimateEffect(arms[0], arms[1], {.kind = kind}));
    const auto holds = [](double low, double high, double truth) {
      return low <= truth && truth <= high;
    };
    const TestResult absolute = FixedTest(effect.absolute, 0.05);
    const TestResult relative = FixedTest(*effect.relative, 0.05);
    const SequentialLook look = sequence.Look(effect.absolute, 2 * units);
    const double truth = control * (lift - 1);
    covered.absolute += holds(absolute.low, absolute.high, truth);
    covered.relative += holds(relative.low, relative.high, lift - 1);
    covered.sequence += holds(look.low, look.high, truth);
  }
  return covered;
}

void ExpectCovered(MetricKind kind, double control) {
  constexpr int kExperiments = 2000, kUnits = 1000;
  const Covered covered = CountCovered(kind, control, 1.2, kExperiments, kUnits);
  const double error = kErrors * kExperiments * MonteCarloError(0.95, kExperiments);
  EXPECT_NEAR(covered.absolute, 0.95 * kExperiments, error) << "seed " << kSeed + 2;
  EXPECT_NEAR(covered.relative, 0.95 * kExperiments, error) << "seed " << kSeed + 2;
  EXPECT_GE(covered.sequence, 0.99 * kExperiments) << "seed " << kSeed + 2;
  std::printf("of %d intervals of 95 %%: %d of the difference hold it, %d of the lift\n",
              kExperiments, covered.absolute, covered.relative);
}

TEST(Coverage, OfProportions) { ExpectCovered(MetricKind::kProportion, 0.1); }
TEST(Coverage, OfMeans) { ExpectCovered(MetricKind::kMean, 0.2); }
// Impressions are independent of taste, so the ratio is the mean taste.
TEST(Coverage, OfRatios) { ExpectCovered(MetricKind::kRatio, 0.175); }

// The naive interval of a ratio takes clicks for independent, and holds the truth much less often.
TEST(Coverage, OfARatioTakenForAProportionFails) {
  constexpr int kExperiments = 1000, kUnits = 500;
  Population population(MetricKind::kRatio, kSeed + 3);
  int held = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    double clicks[2] = {}, shown[2] = {};
    for (int arm = 0; arm < 2; ++arm) {
      for (int i = 0; i < kUnits; ++i) {
        const UnitValues unit = population.Draw();
        clicks[arm] += unit.value;
        shown[arm] += unit.denominator;
      }
    }
    const auto rows = [](double count) { return static_cast<int64_t>(count); };
    const TestResult naive = Value(
        TwoProportionTest(rows(clicks[0]), rows(shown[0]), rows(clicks[1]), rows(shown[1]), 0.05));
    held += naive.low <= 0 && 0 <= naive.high;
  }
  EXPECT_LT(held, 0.93 * kExperiments) << "seed " << kSeed + 3;
}

// With correlation rho between now and before, CUPED leaves 1 - rho^2 of the variance: as
// estimated, and as estimates really scatter.
TEST(CupedReduction, IsOneMinusRhoSquared) {
  constexpr int kExperiments = 2000, kUnits = 200;
  std::mt19937_64 random(kSeed + 4);
  std::normal_distribution<double> normal;
  for (const double rho : {0.3, 0.7, 0.9}) {
    double ratio = 0, plain_squares = 0, adjusted_squares = 0;
    int held = 0;
    for (int experiment = 0; experiment < kExperiments; ++experiment) {
      std::vector<MetricSums> arms(2);
      for (int arm = 0; arm < 2; ++arm) {
        for (int i = 0; i < kUnits; ++i) {
          const double before = normal(random);
          const double now = 0.1 * arm + rho * before + std::sqrt(1 - rho * rho) * normal(random);
          arms[arm].Add({.value = 10 + now, .value_before = 5 + before});
        }
      }
      const Effect plain = Value(EstimateEffect(arms[0], arms[1], {}));
      const Effect adjusted =
          Value(EstimateEffect(arms[0], arms[1], {.cuped = PoolCuped(arms, MetricKind::kMean)}));
      ratio += adjusted.variance_ratio / kExperiments;
      plain_squares += std::pow(plain.absolute.value - 0.1, 2);
      adjusted_squares += std::pow(adjusted.absolute.value - 0.1, 2);
      const TestResult test = FixedTest(adjusted.absolute, 0.05);
      held += test.low <= 0.1 && 0.1 <= test.high;
    }
    const double left = 1 - rho * rho;
    // theta is fit to the same units, which flatters by one of about 400 degrees of freedom.
    EXPECT_NEAR(ratio, left,
                0.005 * left + kErrors * 2 * rho * left / std::sqrt(400.0 * kExperiments))
        << "rho " << rho;
    // Of two correlated estimates of a variance, 2,000 squares each.
    const double error = kErrors * 2 * rho * left / std::sqrt(kExperiments);
    EXPECT_NEAR(adjusted_squares / plain_squares, left, error) << "rho " << rho;
    EXPECT_NEAR(held, 0.95 * kExperiments,
                kErrors * kExperiments * MonteCarloError(0.95, kExperiments))
        << "rho " << rho;
    std::printf(
        "rho %.1f: 1 - rho^2 = %.3f; of the variance is left, as estimated %.4f, as scattered "
        "%.4f\n",
        rho, left, ratio, adjusted_squares / plain_squares);
  }
}

// The same for ratios: intervals with CUPED hold the truth, and are narrower.
TEST(CupedReduction, OfRatiosKeepsItsCoverage) {
  constexpr int kExperiments = 2000, kUnits = 300;
  Population population(MetricKind::kRatio, kSeed + 5);
  int held = 0;
  double ratio = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    std::vector<MetricSums> arms(2);
    for (MetricSums& arm : arms) {
      for (int i = 0; i < kUnits; ++i) {
        const double taste = population.Uniform() < 0.5 ? 0.05 : 0.3;
        UnitValues unit;
        unit.denominator = 1 + std::floor(10 * population.Uniform());
        unit.denominator_before = std::floor(10 * population.Uniform());
        for (int j = 0; j < unit.denominator; ++j) unit.value += population.Uniform() < taste;
        for (int j = 0; j < unit.denominator_before; ++j) {
          unit.value_before += population.Uniform() < taste;
        }
        arm.Add(unit);
      }
    }
    const Effect effect = Value(
        EstimateEffect(arms[0], arms[1],
                       {.kind = MetricKind::kRatio, .cuped = PoolCuped(arms, MetricKind::kRatio)}));
    const TestResult test = FixedTest(effect.absolute, 0.05);
    held += test.low <= 0 && 0 <= test.high;
    ratio += effect.variance_ratio / kExperiments;
  }
  EXPECT_NEAR(held, 0.95 * kExperiments,
              kErrors * kExperiments * MonteCarloError(0.95, kExperiments))
      << "seed " << kSeed + 5;
  EXPECT_LT(ratio, 0.95);
}

// Right shares: alarms come as often as the level says. Peeked at, chi-square's come more often,
// and those of the test made for it do not.
TEST(SampleRatioAlarms, AreAsRareAsTheirLevel) {
  constexpr int kExperiments = 20'000;
  const std::vector<double> shares = {0.5, 0.3, 0.2};
  std::mt19937_64 random(kSeed + 6);
  std::vector<int> alarms(3);
  const double levels[] = {0.05, 0.01, 0.001};
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    const int64_t all = 5000;
    const int64_t first = std::binomial_distribution<int64_t>(all, 0.5)(random);
    const int64_t second = std::binomial_distribution<int64_t>(all - first, 0.6)(random);
    const std::vector<int64_t> units = {first, second, all - first - second};
    const SampleRatioResult result = Value(SampleRatioTest(units, shares));
    for (int i = 0; i < 3; ++i) alarms[i] += result.mismatch(levels[i]);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(alarms[i], levels[i] * kExperiments,
                kErrors * kExperiments * MonteCarloError(levels[i], kExperiments))
        << "level " << levels[i] << " seed " << kSeed + 6;
    std::printf("SRM at %.3f: %d alarms of %d\n", levels[i], alarms[i], kExperiments);
  }
}

TEST(SampleRatioAlarms, MayBePeekedAt) {
  constexpr int kExperiments = 1000, kPeeks = 50;
  const std::vector<double> shares = {1, 1};
  std::mt19937_64 random(kSeed + 7);
  int sequential = 0, chi_squared = 0, found = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    std::vector<int64_t> even(2), uneven(2);
    RunningP p, p_uneven;
    bool alarm = false;
    for (int peek = 0; peek < kPeeks; ++peek) {
      for (auto* units : {&even, &uneven}) {
        const int64_t first =
            std::binomial_distribution<int64_t>(200, units == &even ? 0.5 : 0.47)(random);
        (*units)[0] += first;
        (*units)[1] += 200 - first;
      }
      p.Update(Value(SampleRatioSequentialP(even, shares, 10'000)));
      p_uneven.Update(Value(SampleRatioSequentialP(uneven, shares, 10'000)));
      alarm = alarm || Value(SampleRatioTest(even, shares)).mismatch(0.05);
    }
    sequential += p.p() < 0.05;
    chi_squared += alarm;
    found += p_uneven.p() < 0.05;
  }
  EXPECT_LE(sequential, 0.05 * kExperiments) << "seed " << kSeed + 7;
  EXPECT_GT(chi_squared, 0.15 * kExperiments) << "seed " << kSeed + 7;
  EXPECT_GT(found, 0.95 * kExperiments) << "seed " << kSeed + 7;
}

}  // namespace
}  // namespace vitrine::experiments
