// The models against slow twins of themselves: other forms of the same formulas, sums, numeric
// derivatives, and simulated customers.

#include "recommender/customers/purchase_model.h"

#include <cmath>
#include <random>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include "recommender/customers/beta_geometric.h"
#include "recommender/customers/gamma_gamma.h"
#include "recommender/customers/pareto_nbd.h"
#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;

constexpr uint64_t kSeed = 20'050'701;

PurchaseModel BgNbd(double r, double alpha, double a, double b) {
  return {PurchaseModelKind::kBgNbd, {r, alpha, a, b}};
}

// Gauss' series, term by term.
double Hypergeometric(double a, double b, double c, double z) {
  double sum = 1, term = 1;
  for (int k = 0; k < 200'000; ++k) {
    term *= (a + k) * (b + k) / (c + k) / (k + 1) * z;
    sum += term;
    if (std::abs(term) < 1e-17 * std::abs(sum)) break;
  }
  return sum;
}

// Equation 10 as the paper has it.
double ExpectedByThePaper(const BetaGeometric& m, const RepeatHistory& h, double t) {
  const auto x = static_cast<double>(h.purchases);
  const double hyper =
      Hypergeometric(m.r + x, m.b + x, m.a + m.b + x - 1, t / (m.alpha + h.age + t));
  const double power = std::pow((m.alpha + h.age) / (m.alpha + h.age + t), m.r + x);
  const double left =
      h.purchases == 0
          ? 0
          : m.a / (m.b + x - 1) * std::pow((m.alpha + h.age) / (m.alpha + h.recency), m.r + x);
  return (m.a + m.b + x - 1) / (m.a - 1) * (1 - power * hyper) / (1 + left);
}

TEST(BetaGeometricTest, ExpectationIsThePapersFormula) {
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> parameter(0.2, 3), time(0, 50);
  for (int i = 0; i < 300; ++i) {
    BetaGeometric model = {parameter(random), 2 * parameter(random), parameter(random),
                           parameter(random), false};
    if (std::abs(model.a - 1) < 0.05) model.a = 1.2;
    const double age = time(random);
    const int64_t purchases = i % 12;
    const RepeatHistory h = {purchases, purchases == 0 ? 0 : age * 0.7, age};
    if (model.a + model.b + static_cast<double>(purchases) < 1.05) continue;  // the paper's c <= 0
    const double t = time(random);
    const double expected = ExpectedByThePaper(model, h, t);
    EXPECT_NEAR(model.ExpectedPurchases(h, t), expected, 1e-9 * (1 + expected))
        << "seed " << kSeed << ", " << i;
  }
}

TEST(BetaGeometricTest, ExpectationIsSmoothWhereThePapersFormulaIsNot) {
  const RepeatHistory h = {3, 20, 30};
  const double at = BgNbd(.5, 4, 1, 2).ExpectedPurchases(h, 26);
  EXPECT_NEAR(BgNbd(.5, 4, 1 - 1e-9, 2).ExpectedPurchases(h, 26), at, 1e-8);
  EXPECT_NEAR(BgNbd(.5, 4, 1 + 1e-9, 2).ExpectedPurchases(h, 26), at, 1e-8);
  // c = a + b + x - 1 is 0 and below for who never came back.
  const double zero = BgNbd(.5, 4, .4, .6).ExpectedPurchases({0, 0, 10}, 26);
  EXPECT_NEAR(BgNbd(.5, 4, .4, .6 - 1e-9).ExpectedPurchases({0, 0, 10}, 26), zero, 1e-8);
  EXPECT_TRUE(std::isfinite(zero));
  // A naive form overflows.
  const double busy = BgNbd(.25, 4, .8, 2.5).ExpectedPurchases({3000, 39.99, 40}, 40);
  EXPECT_GT(busy, 500);
  EXPECT_LT(busy, 3000);
}

TEST(BetaGeometricTest, ProbabilitiesAddUpToOneAndToTheExpectation) {
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const PurchaseModel model = {kind, {.6, 5, .9, 4}};
    double all = 0, mean = 0;
    for (int n = 0; n < 400; ++n) {
      const double probability = model.ProbabilityOf(n, 20);
      EXPECT_GE(probability, 0);
      all += probability;
      mean += n * probability;
    }
    EXPECT_NEAR(all, 1, 1e-9) << PurchaseModelName(kind);
    EXPECT_NEAR(mean, model.ExpectedOfNew(20), 1e-8) << PurchaseModelName(kind);
  }
}

// A likelihood is one over all that could have happened: no purchase, or densities of the times of
// n of them, which for one purchase are integrated here.
TEST(PurchaseModelTest, LikelihoodOfOnePurchaseIntegratesToItsProbability) {
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const PurchaseModel model = {kind, {.6, 5, .9, 4}};
    EXPECT_NEAR(std::exp(model.LogLikelihood({0, 0, 20})), model.ProbabilityOf(0, 20), 1e-12);
    const double one = boost::math::quadrature::gauss_kronrod<double, 61>::integrate(
        [&](double recency) {
          return std::exp(model.LogLikelihood({1, recency, 20}));
        },
        0, 20);
    EXPECT_NEAR(one, model.ProbabilityOf(1, 20), 1e-10) << PurchaseModelName(kind);
  }
}

// A_0 of the note, equations 19 and 20.
double LogLikelihoodByTheNote(const ParetoNbd& m, const RepeatHistory& h) {
  const auto x = static_cast<double>(h.purchases);
  const double all = m.r + m.s + x;
  const double larger = std::max(m.alpha, m.beta), smaller = std::min(m.alpha, m.beta);
  const double second = m.alpha >= m.beta ? m.s + 1 : m.r + x;
  const auto part = [&](double t) {
    return Hypergeometric(all, second, all + 1, (larger - smaller) / (larger + t)) /
           std::pow(larger + t, all);
  };
  const double alive = std::pow(m.alpha + h.age, -m.r - x) * std::pow(m.beta + h.age, -m.s);
  return boost::math::lgamma(m.r + x) - boost::math::lgamma(m.r) + m.r * std::log(m.alpha) +
         m.s * std::log(m.beta) + std::log(alive + m.s / all * (part(h.recency) - part(h.age)));
}

TEST(ParetoNbdTest, LikelihoodIsThatOfTheNote) {
  std::mt19937_64 random(kSeed);
  std::uniform_real_distribution<double> parameter(0.2, 3), scale(1, 20), share(0, 1);
  for (int i = 0; i < 300; ++i) {
    const ParetoNbd model = {parameter(random), scale(random), parameter(random), scale(random)};
    const double age = 60 * share(random);
    const int64_t purchases = i % 15;
    const RepeatHistory h = {purchases, purchases == 0 ? 0 : age * share(random), age};
    const double expected = LogLikelihoodByTheNote(model, h);
    EXPECT_NEAR(model.LogLikelihood(h), expected, 1e-9 * (1 + std::abs(expected)))
        << "seed " << kSeed << ", " << i;
  }
}

// A fine sum in the logarithm of beta + tau, over so wide a range that no fixed rule is easy.
TEST(ParetoNbdTest, LikelihoodIsExactFarFromTheUsual) {
  const RepeatHistory histories[] = {{0, 0, 500}, {5000, 300, 500}, {2, 499.999, 500}, {1, 1, 500}};
  for (const ParetoNbd& model :
       {ParetoNbd{.3, 1e-3, .5, 1e4}, ParetoNbd{.3, 1e4, .5, 1e-3}, ParetoNbd{200, 1, 80, 1e-2}}) {
    for (const RepeatHistory& h : histories) {
      const double shape = model.r + static_cast<double>(h.purchases);
      const double smaller = std::min(model.alpha, model.beta);
      const double from = std::log(smaller + h.recency), to = std::log(smaller + h.age);
      constexpr int kSteps = 200'000;  // Simpson's rule
      double integral = 0;
      for (int i = 0; i <= kSteps; ++i) {
        const double u = from + (to - from) * i / kSteps;
        const double tau = std::exp(u) - smaller;
        const double part =
            std::exp(-shape * std::log((model.alpha + tau) / (model.alpha + h.recency)) -
                     (model.s + 1) * std::log((model.beta + tau) / (model.beta + h.recency)) + u);
        integral += part * (i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2);
      }
      integral *= (to - from) / kSteps / 3;
      const double log_left = std::log(model.s * integral) -
                              shape * std::log(model.alpha + h.recency) -
                              (model.s + 1) * std::log(model.beta + h.recency);
      const double log_alive =
          -shape * std::log(model.alpha + h.age) - model.s * std::log(model.beta + h.age);
      EXPECT_NEAR(model.ProbabilityAlive(h), 1 / (1 + std::exp(log_left - log_alive)), 1e-8)
          << model.alpha << ' ' << model.beta << ' ' << h.purchases;
    }
  }
}

TEST(ParetoNbdTest, ExpectationIsSmoothAtOne) {
  const RepeatHistory h = {3, 20, 30};
  const double at = ParetoNbd{.5, 4, 1, 8}.ExpectedPurchases(h, 26);
  EXPECT_NEAR((ParetoNbd{.5, 4, 1 - 1e-10, 8}.ExpectedPurchases(h, 26)), at, 1e-9);
  EXPECT_NEAR((ParetoNbd{.5, 4, 1 + 1e-10, 8}.ExpectedPurchases(h, 26)), at, 1e-9);
}

template <typename Model>
void ExpectGradient(const std::vector<RepeatRow>& rows, const std::array<double, 4>& at) {
  const auto sum = [&](const std::array<double, 4>& p, std::span<double> gradient) {
    if constexpr (std::is_same_v<Model, ParetoNbd>) {
      return ParetoNbd{p[0], p[1], p[2], p[3]}.SumLogLikelihood(rows, gradient);
    } else {
      return BetaGeometric{p[0], p[1], p[2], p[3], true}.SumLogLikelihood(rows, gradient);
    }
  };
  std::array<double, 4> gradient, unused;
  sum(at, gradient);
  for (size_t i = 0; i < 4; ++i) {
    std::array<double, 4> up = at, down = at;
    const double step = 1e-5 * at[i];
    up[i] += step;
    down[i] -= step;
    EXPECT_NEAR(gradient[i], (sum(up, unused) - sum(down, unused)) / (2 * step),
                1e-6 * (1 + std::abs(gradient[i])))
        << i;
  }
}

TEST(PurchaseModelTest, GradientsAreThoseOfTheLikelihood) {
  const std::vector<RepeatRow> rows = Compress(
      {{0, 0, 30}, {0, 0, 30}, {1, 4, 30}, {3, 29, 31}, {12, 20, 33}, {2, 5, 5}, {7, 1, 40}});
  ExpectGradient<BetaGeometric>(rows, {.4, 3, .8, 2.5});
  ExpectGradient<ParetoNbd>(rows, {.4, 9, .8, 12});
  ExpectGradient<ParetoNbd>(rows, {.4, 12, .8, 3});
}

// Customers as MBG/NBD has them, watched for a year.
std::vector<RepeatHistory> Simulate(const BetaGeometric& model, size_t customers, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::gamma_distribution<double> rate(model.r, 1 / model.alpha), ga(model.a), gb(model.b);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<RepeatHistory> histories;
  for (size_t c = 0; c < customers; ++c) {
    const double lambda = rate(random);
    const double x = ga(random), p = x / (x + gb(random));
    RepeatHistory h = {0, 0, 30 + 22 * unit(random)};
    bool here = !model.may_leave_at_once || unit(random) >= p;
    for (double time = 0; here;) {
      time -= std::log(1 - unit(random)) / lambda;
      if (time > h.age) break;
      ++h.purchases;
      h.recency = time;
      here = unit(random) >= p;
    }
    histories.push_back(h);
  }
  return histories;
}

TEST(PurchaseModelTest, AFitFindsWhatCustomersWereMadeOf) {
  const BetaGeometric truth = {.8, 6, .9, 3, true};
  const FittedPurchaseModel fitted =
      Value(FitPurchaseModel(PurchaseModelKind::kMbgNbd, Simulate(truth, 20'000, kSeed)));
  SCOPED_TRACE(kSeed);
  EXPECT_NEAR(fitted.model.parameters[0], truth.r, 0.06);
  EXPECT_NEAR(fitted.model.parameters[1], truth.alpha, 0.5);
  EXPECT_NEAR(
      fitted.model.parameters[2] / (fitted.model.parameters[2] + fitted.model.parameters[3]),
      truth.a / (truth.a + truth.b), 0.01);
}

TEST(PurchaseModelTest, TheUnitOfTimeChangesNothing) {
  const std::vector<RepeatHistory> weeks = Simulate({.8, 6, .9, 3, true}, 2000, kSeed);
  std::vector<RepeatHistory> days = weeks;
  for (RepeatHistory& h : days) {
    h.recency *= 7;
    h.age *= 7;
  }
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const FittedPurchaseModel by_week = Value(FitPurchaseModel(kind, weeks));
    const FittedPurchaseModel by_day = Value(FitPurchaseModel(kind, days));
    EXPECT_NEAR(by_day.model.parameters[1] / by_week.model.parameters[1], 7, 1e-4);
    EXPECT_NEAR(by_day.model.ExpectedPurchases({3, 70, 140}, 70),
                by_week.model.ExpectedPurchases({3, 10, 20}, 10), 1e-5);
  }
}

TEST(PurchaseModelTest, AFitRefusesWhatItCannotSay) {
  const auto refusal = [](std::vector<RepeatHistory> histories) {
    return FitPurchaseModel(PurchaseModelKind::kBgNbd, std::move(histories)).status();
  };
  EXPECT_EQ(refusal({{1, 5, 4}}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refusal({}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      refusal(std::vector<RepeatHistory>(limits::kFittedCustomersMin - 1, {1, 2, 4})).message(),
      HasSubstr("too little data: 29"));
}

// Everybody stays, so that nothing says how fast people leave.
TEST(PurchaseModelTest, AModelThatIsMoreThanTheDataAskSaysSo) {
  std::mt19937_64 random(kSeed);
  std::vector<RepeatHistory> histories;
  for (int i = 0; i < 500; ++i) {
    const auto purchases = std::poisson_distribution<int>(20)(random);
    histories.push_back({purchases, purchases == 0 ? 0 : 40.0, 40.0});
  }
  const FittedPurchaseModel fitted =
      Value(FitPurchaseModel(PurchaseModelKind::kMbgNbd, std::move(histories)));
  EXPECT_TRUE(fitted.info.at_bound) << fitted.info.reason;
  EXPECT_NEAR(fitted.model.ExpectedPurchases({20, 40, 40}, 10), 5, 0.1);
}

TEST(PurchaseModelTest, DiscountingIsAWeightOfEachPeriod) {
  const PurchaseModel model = BgNbd(.243, 4.414, .793, 2.426);
  const RepeatHistory h = {2, 30.43, 38.86};
  EXPECT_NEAR(model.DiscountedPurchases(h, 4, 3, 0), model.ExpectedPurchases(h, 12), 1e-12);
  const double e4 = model.ExpectedPurchases(h, 4), e8 = model.ExpectedPurchases(h, 8);
  EXPECT_NEAR(model.DiscountedPurchases(h, 4, 2, .01), e4 / 1.01 + (e8 - e4) / 1.0201, 1e-12);
}

// Amounts of customers whose means are (q, gamma)-distributed.
std::vector<Spending> SimulateSpending(const GammaGamma& truth, int customers, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Spending> spendings;
  for (int c = 0; c < customers; ++c) {
    const double rate = std::gamma_distribution<double>(truth.q, 1 / truth.gamma)(random);
    const int64_t x = 1 + static_cast<int64_t>(random() % 6);
    const double sum =
        std::gamma_distribution<double>(truth.p * static_cast<double>(x), 1 / rate)(random);
    spendings.push_back({x, sum / static_cast<double>(x)});
  }
  return spendings;
}

TEST(GammaGammaTest, AFitFindsWhatCustomersWereMadeOf) {
  const GammaGamma truth = {5, 3.5, 20};
  const FittedGammaGamma fitted = Value(FitGammaGamma(SimulateSpending(truth, 20'000, kSeed)));
  EXPECT_NEAR(fitted.model.MeanValue(), truth.MeanValue(), 0.6) << kSeed;
  EXPECT_NEAR(fitted.model.q, truth.q, 0.15) << kSeed;
}

TEST(GammaGammaTest, ThePriceUnitChangesNothing) {
  std::vector<Spending> pounds = SimulateSpending({5, 3.5, 20}, 2000, kSeed);
  std::vector<Spending> pence = pounds;
  for (Spending& spending : pence) spending.mean *= 100;
  const GammaGamma a = Value(FitGammaGamma(pounds)).model;
  const GammaGamma b = Value(FitGammaGamma(pence)).model;
  EXPECT_NEAR(b.ExpectedValue({2, 4000}), 100 * a.ExpectedValue({2, 40}), 1e-3);
}

TEST(GammaGammaTest, AFitRefusesWhereTheModelDoesNotHold) {
  // The mean of all is infinite.
  const absl::Status wild = FitGammaGamma(SimulateSpending({5, 0.7, 20}, 5000, kSeed)).status();
  EXPECT_EQ(wild.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(wild.message(), HasSubstr("q: 0."));
  // Who buys often spends more.
  std::vector<Spending> tied = SimulateSpending({5, 3.5, 20}, 2000, kSeed);
  for (Spending& spending : tied) spending.mean += 10 * static_cast<double>(spending.purchases);
  EXPECT_THAT(FitGammaGamma(tied).status().message(), HasSubstr("correlation: "));
  EXPECT_THAT(FitGammaGamma({{1, 5}, {2, 7}}).status().message(), HasSubstr("too little data: 2"));
  EXPECT_EQ(FitGammaGamma({{1, 0}}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
