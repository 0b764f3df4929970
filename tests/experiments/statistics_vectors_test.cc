// What scipy, statsmodels, tea-tasting and GrowthBook's statistics compute, computed by ours.

#include <cmath>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "experiments/statistics/effect.h"
#include "experiments/statistics/multiplicity.h"
#include "experiments/statistics/power.h"
#include "experiments/statistics/sample_ratio.h"
#include "experiments/statistics/winsorise.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr char kScipy[] = "scipy/vectors.json";
constexpr char kGrowthBook[] = "growthbook/gbstats_vectors.json";
constexpr char kUsers[] = "tea_tasting/users_100_seed42.csv";
constexpr double kFive = 5.1e-6;  // where five decimals are published

Effect EffectOf(const MetricSums& a, const MetricSums& b, MetricKind kind = MetricKind::kMean,
                const Cuped& cuped = {}) {
  return Value(EstimateEffect(a, b, {.kind = kind, .cuped = cuped}));
}

MetricSums Sums(const Json& arm) {
  return MetricSums::Of(arm["n"], arm["sum"], arm.contains("ss") ? arm["ss"] : arm["sum_squares"]);
}

MetricSums Proportion(int64_t units, int64_t successes) {
  return MetricSums::Of(units, static_cast<double>(successes), static_cast<double>(successes));
}

TEST(StatisticsVectors, Welch) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json welch = ReadVectors(kScipy, "welch");
  const Json& expected = welch["expected"];
  const Effect effect = EffectOf(Sums(welch["inputs"]["a"]), Sums(welch["inputs"]["b"]));
  EXPECT_NEAR(effect.absolute.value, expected["diff"], 1e-12);
  EXPECT_NEAR(effect.absolute.se, expected["se"], 1e-12);
  EXPECT_NEAR(effect.absolute.df, expected["df"], 1e-7);
  const TestResult absolute = FixedTest(effect.absolute, 0.05);
  EXPECT_NEAR(absolute.statistic, expected["t"], 1e-10);
  EXPECT_NEAR(absolute.p, expected["p"], 1e-11);
  EXPECT_NEAR(absolute.low, expected["ci"][0], 1e-10);
  EXPECT_NEAR(absolute.high, expected["ci"][1], 1e-10);
  ASSERT_TRUE(effect.relative.has_value());
  const TestResult relative = FixedTest(*effect.relative, 0.05);
  EXPECT_NEAR(effect.relative->value, expected["rel"], 1e-12);
  EXPECT_NEAR(effect.relative->se, expected["rel_se"], 1e-12);
  EXPECT_NEAR(relative.p, expected["rel_p"], 1e-11);
  EXPECT_NEAR(relative.low, expected["rel_ci"][0], 1e-10);
  EXPECT_NEAR(relative.high, expected["rel_ci"][1], 1e-10);
}

TEST(StatisticsVectors, WelchOfUnits) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json raw = ReadVectors(kScipy, "welch_raw");
  MetricSums a, b;
  for (const double value : raw["a"]) a.Add({.value = value});
  for (const double value : raw["b"]) b.Add({.value = value});
  const TestResult test = FixedTest(EffectOf(b, a).absolute, 0.05);
  EXPECT_NEAR(test.statistic, raw["t"], 1e-10);
  EXPECT_NEAR(test.p, raw["p"], 1e-11);
}

TEST(StatisticsVectors, GrowthBookTwoSided) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  for (const Json& one : ReadVectors(kGrowthBook, "ttest_two_sided")) {
    const bool proportion = one["a"]["type"] == "proportion";
    const Effect effect =
        proportion ? EffectOf(Proportion(one["a"]["n"], one["a"]["sum"]),
                              Proportion(one["b"]["n"], one["b"]["sum"]), MetricKind::kProportion)
                   : EffectOf(Sums(one["a"]), Sums(one["b"]));
    const Estimate estimate = one["diff"] == "relative" ? *effect.relative : effect.absolute;
    const TestResult test = FixedTest(estimate, 0.05);
    EXPECT_NEAR(estimate.value, one["expected"], kFive) << one;
    EXPECT_NEAR(estimate.se, one["se"], kFive) << one;
    EXPECT_NEAR(test.p, one["p"], kFive) << one;
    EXPECT_NEAR(test.low, one["ci"][0], kFive) << one;
    EXPECT_NEAR(test.high, one["ci"][1], kFive) << one;
  }
}

TEST(StatisticsVectors, GrowthBookOneSided) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  const Json tests = ReadVectors(kGrowthBook, "ttest_one_sided");
  const Effect effect = EffectOf(Sums(tests[0]["a"]), Sums(tests[0]["b"]));
  for (const Json& one : tests) {
    const Estimate estimate = one["diff"] == "relative" ? *effect.relative : effect.absolute;
    const TestResult greater = FixedTest(estimate, 0.05, Alternative::kGreater);
    const TestResult less = FixedTest(estimate, 0.05, Alternative::kLess);
    EXPECT_NEAR(greater.low, one["greater"]["lower"], 1e-9);
    EXPECT_NEAR(greater.p, one["greater"]["p"], 1e-9);
    EXPECT_NEAR(less.high, one["lesser"]["upper"], 1e-9);
    EXPECT_NEAR(less.p, one["lesser"]["p"], 1e-9);
    EXPECT_TRUE(std::isinf(greater.high) && std::isinf(less.low));
  }
}

// The same for a test with a name of its own in the vectors.
void ExpectProportions(const Json& expected, int64_t a, int64_t n_a, int64_t b, int64_t n_b) {
  const TestResult test = Value(TwoProportionTest(a, n_a, b, n_b, 0.05));
  EXPECT_NEAR(test.statistic, -expected["z_control_minus_treatment"].get<double>(), 1e-9);
  EXPECT_NEAR(test.p, expected["p_two_sided"], 1e-10);
  EXPECT_NEAR(test.low, expected["newcombe_ci"][0], 1e-11);
  EXPECT_NEAR(test.high, expected["newcombe_ci"][1], 1e-11);
  const Effect effect = EffectOf(Proportion(n_a, a), Proportion(n_b, b), MetricKind::kProportion);
  EXPECT_NEAR(effect.absolute.value, expected["diff_t_minus_c"], 1e-14);
  EXPECT_NEAR(effect.absolute.se, expected["wald_se_unpooled"], 1e-12);
}

TEST(StatisticsVectors, TwoProportionsOfPublicTests) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json all = ReadVectors(kScipy);
  ExpectProportions(all["cookie_cats"]["retention_1"], 20034, 44700, 20119, 45489);
  ExpectProportions(all["cookie_cats"]["retention_7"], 8502, 44700, 8279, 45489);
  ExpectProportions(all["ab_data"]["conversion"], 17489, 145274, 17264, 145310);
}

// The 100 users of tea-tasting, by arm, with these columns as a unit's values (-1: none).
std::array<MetricSums, 2> Users(int value, int denominator, int before, int before_denominator) {
  std::array<MetricSums, 2> arms;
  std::ifstream in(VectorsFile(kUsers));
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::vector<double> cells;
    for (const absl::string_view cell : absl::StrSplit(line, ',')) {
      EXPECT_TRUE(absl::SimpleAtod(cell, &cells.emplace_back()));
    }
    const auto cell = [&cells](int column) { return column < 0 ? 0 : cells.at(column); };
    arms.at(static_cast<size_t>(cells[1]))
        .Add({cell(value), cell(denominator), cell(before), cell(before_denominator)});
  }
  return arms;
}

constexpr int kSessions = 2, kOrders = 3, kSessionsBefore = 5, kOrdersBefore = 6;

TEST(StatisticsVectors, TeaTastingMeanAndRatio) {
  SKIP_WITHOUT_VECTORS(kUsers);
  const Json all = ReadVectors(kScipy);
  const auto orders = Users(kOrders, -1, -1, -1);
  const Effect mean = EffectOf(orders[0], orders[1]);
  const Json& welch = all["tea_tasting_orders_welch"];
  EXPECT_NEAR(mean.control.value, welch["control"], 1e-12);
  EXPECT_NEAR(mean.treatment.value, welch["treatment"], 1e-12);
  EXPECT_NEAR(FixedTest(mean.absolute, 0.05).statistic, welch["t"], 1e-12);
  EXPECT_NEAR(FixedTest(mean.absolute, 0.05).p, welch["p"], 1e-12);

  const auto per_session = Users(kOrders, kSessions, -1, -1);
  const Effect ratio = EffectOf(per_session[0], per_session[1], MetricKind::kRatio);
  const Json& delta = all["tea_tasting_ratio_delta"];
  EXPECT_NEAR(ratio.control.value, delta["control"], 1e-14);
  EXPECT_NEAR(ratio.treatment.value, delta["treatment"], 1e-14);
  EXPECT_NEAR(ratio.absolute.se, delta["se_welch"], 1e-12);
}

TEST(StatisticsVectors, TeaTastingRatioWithCuped) {
  SKIP_WITHOUT_VECTORS(kUsers);
  const auto arms = Users(kOrders, kSessions, kOrdersBefore, kSessionsBefore);
  MetricSums all = arms[0];
  all.Merge(arms[1]);  // tea-tasting's theta is that of all units, as if they were one arm
  const Cuped cuped = PoolCuped({&all, 1}, MetricKind::kRatio);
  const Effect effect = EffectOf(arms[0], arms[1], MetricKind::kRatio, cuped);
  const Json expected = ReadVectors(kScipy, "tea_tasting_ratio_cuped_less_norm");
  EXPECT_NEAR(effect.theta, expected["theta"], 1e-12);
  EXPECT_NEAR(effect.control.value, expected["control"], 1e-12);
  EXPECT_NEAR(effect.treatment.value, expected["treatment"], 1e-12);
  Estimate normal = effect.absolute;
  normal.df = std::numeric_limits<double>::infinity();
  const TestResult less = FixedTest(normal, 0.05, Alternative::kLess);
  EXPECT_NEAR(less.statistic, expected["z"], 1e-12);
  EXPECT_NEAR(less.p, expected["p_less"], 1e-12);
}

void SetProduct(MetricSums& sums, int part, int other, double product) {
  const int high = std::max(part, other), low = std::min(part, other);
  sums.products[static_cast<size_t>(high * (high + 1) / 2 + low)] = product;
}

TEST(StatisticsVectors, GrowthBookRatioWithCuped) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  const Json one = ReadVectors(kGrowthBook, "cuped_ratio");
  const auto arm = [&one](const char* name) {
    const Json& from = one[name];
    MetricSums sums;
    sums.units = one["n"];
    const std::array<const char*, 4> parts = {"m_post", "d_post", "m_pre", "d_pre"};
    for (int i = 0; i < 4; ++i) {
      sums.sums[i] = from[parts[i]][0];
      SetProduct(sums, i, i, from[parts[i]][1]);
    }
    SetProduct(sums, 0, 1, from["m_post_d_post"]);
    SetProduct(sums, 0, 2, from["m_post_m_pre"]);
    SetProduct(sums, 0, 3, from["m_post_d_pre"]);
    SetProduct(sums, 1, 2, from["m_pre_d_post"]);
    SetProduct(sums, 1, 3, from["d_post_d_pre"]);
    SetProduct(sums, 2, 3, from["m_pre_d_pre"]);
    return sums;
  };
  const std::array<MetricSums, 2> arms = {arm("a"), arm("b")};
  const Effect effect =
      EffectOf(arms[0], arms[1], MetricKind::kRatio, PoolCuped(arms, MetricKind::kRatio));
  const TestResult test = FixedTest(*effect.relative, 0.05);
  const Json& expected = one["ttest_relative"];
  EXPECT_NEAR(effect.relative->value, expected["expected"], kFive);
  EXPECT_NEAR(effect.relative->se, expected["se"], kFive);
  EXPECT_NEAR(test.p, expected["p"], kFive);
  EXPECT_NEAR(test.low, expected["ci"][0], kFive);
  EXPECT_NEAR(test.high, expected["ci"][1], kFive);
}

TEST(StatisticsVectors, GrowthBookDeltaMethod) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  const Json one = ReadVectors(kGrowthBook, "delta_variance");
  const auto arm = [&one](size_t from) {
    const double variance = one["args"][from], mean = one["args"][from + 1],
                 n = one["args"][from + 2];
    return MetricSums::Of(static_cast<int64_t>(n), n * mean, (n - 1) * variance + n * mean * mean);
  };
  const Effect effect = EffectOf(arm(0), arm(3));
  EXPECT_NEAR(effect.absolute.se * effect.absolute.se, one["absolute"], kFive);
  EXPECT_NEAR(effect.relative->se * effect.relative->se, one["relative"], kFive);
}

TEST(StatisticsVectors, GrowthBookTheta) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  const Json one = ReadVectors(kGrowthBook, "cuped_theta");
  MetricSums arm;
  for (size_t i = 0; i < one["pre"].size(); ++i) {
    arm.Add({.value = one["post"][i], .value_before = one["pre"][i]});
  }
  const std::array<MetricSums, 2> arms = {arm, arm};
  EXPECT_NEAR(PoolCuped(arms, MetricKind::kMean).theta, one["theta"], kFive);
}

TEST(StatisticsVectors, SampleRatio) {
  SKIP_WITHOUT_VECTORS(kScipy);
  for (const Json& one : ReadVectors(kScipy, "srm")) {
    const auto units = one["users"].get<std::vector<int64_t>>();
    const auto shares = one["weights"].get<std::vector<double>>();
    const SampleRatioResult result = Value(SampleRatioTest(units, shares));
    EXPECT_NEAR(result.chi_squared, one["chi2"], 1e-10) << one;
    EXPECT_EQ(result.df, one["df"].get<int>()) << one;
    EXPECT_NEAR(result.p, one["p"], 1e-12) << one;
  }
  const Json big = ReadVectors(kScipy, "srm_statsig_example");
  const SampleRatioResult result = Value(SampleRatioTest(
      big["users"].get<std::vector<int64_t>>(), big["weights"].get<std::vector<double>>()));
  EXPECT_NEAR(result.p / big["p"].get<double>(), 1, 1e-9);
}

TEST(StatisticsVectors, GrowthBookSampleRatio) {
  SKIP_WITHOUT_VECTORS(kGrowthBook);
  for (const Json& one : ReadVectors(kGrowthBook, "srm")) {
    const auto units = one[0].get<std::vector<int64_t>>();
    const auto shares = one[1].get<std::vector<double>>();
    EXPECT_NEAR(Value(SampleRatioTest(units, shares)).p, one[2], 5e-9) << one;
  }
}

TEST(StatisticsVectors, Multiplicity) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json all = ReadVectors(kScipy);
  for (const char* name : {"multiplicity_gb_holm", "multiplicity_gb_bh", "multiplicity_tea"}) {
    const auto p = all[name]["p"].get<std::vector<double>>();
    const std::vector<double> holm = Holm(p), bh = BenjaminiHochberg(p);
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(holm[i], all[name]["holm"][i], 1e-12) << name;
      EXPECT_NEAR(bh[i], all[name]["bh"][i], 1e-12) << name;
    }
  }
}

TEST(StatisticsVectors, Power) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json power = ReadVectors(kScipy, "power");
  const MetricPlan plan = {.mean = 10, .variance = 3909.9997749994377};
  EXPECT_NEAR(PowerForLift(plan, 0.05, 400'000 / 3.0), power["gb_recomputed"]["power"], 1e-10);
  EXPECT_NEAR(MinimumDetectableLift(plan, 400'000 / 3.0).value(), power["gb_recomputed"]["mde"],
              1e-10);
  EXPECT_NEAR(UnitsForProportions(0.10, 0.11, 0.05, 0.8),
              power["two_prop_10_vs_11"]["n_per_arm_wald"], 1e-6);
}

// One user of 90,189, who played 49,854 rounds, makes the difference between p 0.38 and p 0.95.
TEST(StatisticsVectors, CookieCatsRounds) {
  SKIP_WITHOUT_VECTORS(kScipy);
  const Json cats = ReadVectors(kScipy, "cookie_cats");
  const auto expect = [](const Json& expected, const MetricSums& a, const MetricSums& b) {
    const Effect effect = EffectOf(a, b);
    const TestResult test = FixedTest(effect.absolute, 0.05);
    EXPECT_NEAR(effect.absolute.value, expected["diff"], 1e-10);
    EXPECT_NEAR(effect.absolute.se, expected["se"], 1e-10);
    EXPECT_NEAR(effect.absolute.df, expected["df"], 1e-5);
    EXPECT_NEAR(test.p, expected["p"], 1e-10);
    EXPECT_NEAR(effect.relative->se, expected["rel_se"], 1e-12);
    EXPECT_NEAR(FixedTest(*effect.relative, 0.05).p, expected["rel_p"], 1e-10);
  };
  const auto arm = [&cats](const char* name) {
    const Json& sums = cats["aggregates"][name];
    return MetricSums::Of(sums["n"], sums["rounds_sum"], sums["rounds_sum_sq"]);
  };
  MetricSums a = arm("gate_30");
  expect(cats["rounds_welch"], a, arm("gate_40"));
  a.Remove({.value = 49854});
  expect(cats["rounds_welch_without_max_outlier_49854"], a, arm("gate_40"));
}

}  // namespace
}  // namespace vitrine::experiments
