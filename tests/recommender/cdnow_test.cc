// What is published of the models for CDNOW, to the digits that are published (Fader, Hardie, Lee
// 2005 and Hardie's notes and sheets; R's BTYD; Python's lifetimes and pymc-marketing), and the
// maxima that full precision gives.

#include "tests/recommender/cdnow.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

#include "recommender/customers/gamma_gamma.h"
#include "recommender/customers/holdout.h"
#include "recommender/customers/purchase_model.h"
#include "recommender/customers/purchase_summary.h"
#include "store/base/atomic_file.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr PurchaseModel kPublishedBgNbd = {PurchaseModelKind::kBgNbd, {0.243, 4.414, 0.793, 2.426}};
constexpr PurchaseModel kPublishedPareto = {PurchaseModelKind::kParetoNbd,
                                            {0.553, 10.578, 0.606, 11.669}};
constexpr GammaGamma kPublishedSpending = {6.25, 3.74, 15.44};

// Rows of one of lifetimes' summaries.
std::vector<std::vector<double>> ReadRows(const std::string& file) {
  const std::string text = Value(ReadFile("../shared/data/cdnow/" + file, 1 << 20));
  std::vector<std::vector<double>> rows;
  for (const absl::string_view line :
       absl::StrSplit(text, absl::ByAnyChar("\r\n"), absl::SkipEmpty())) {
    std::vector<double>& row = rows.emplace_back();
    for (const absl::string_view field : absl::StrSplit(line, ',')) {
      double number = 0;
      if (absl::SimpleAtod(field, &number)) row.push_back(number);
    }
  }
  rows.erase(rows.begin());  // the head
  return rows;
}

class CdnowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Cdnow> read = ReadCdnow();
    if (absl::IsNotFound(read.status())) GTEST_SKIP() << read.status().message();
    data_ = Value(std::move(read));
  }

  // As lifetimes' summary has them, to two digits.
  std::vector<RepeatHistory> Histories() {
    std::vector<RepeatHistory> histories;
    for (const std::vector<double>& row : ReadRows("cdnow_customers_summary.csv")) {
      histories.push_back({static_cast<int64_t>(row[1]), row[2], row[3]});
    }
    return histories;
  }

  std::vector<Spending> Spendings() {
    std::vector<Spending> spendings;
    for (const auto& row : ReadRows("cdnow_customers_summary_with_transactions.csv")) {
      spendings.push_back({static_cast<int64_t>(row[1]), row[4]});
    }
    return spendings;
  }

  double LogLikelihood(const PurchaseModel& model) {
    double sum = 0;
    for (const RepeatHistory& history : Histories()) sum += model.LogLikelihood(history);
    return sum;
  }

  // Fits and compares; parameters to `digits` of themselves.
  FittedPurchaseModel ExpectFit(PurchaseModelKind kind, const std::array<double, 4>& parameters,
                                double log_likelihood, double digits) {
    const FittedPurchaseModel fitted = Value(FitPurchaseModel(kind, Histories()));
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(fitted.model.parameters[i], parameters[i], digits * parameters[i]) << i;
    }
    EXPECT_NEAR(fitted.info.log_likelihood, log_likelihood, 0.5e-4);
    EXPECT_EQ(fitted.info.customers, 2357);
    EXPECT_FALSE(fitted.info.at_bound);
    return fitted;
  }

  Cdnow data_;
};

TEST_F(CdnowTest, TheLogIsTheOneThatIsPublished) {
  EXPECT_EQ(data_.rows, 6919);
  EXPECT_EQ(data_.customers.size(), 2357);
  int64_t days = 0, cents = 0;
  for (const auto& customer : data_.customers) {
    days += static_cast<int64_t>(customer.size());
    for (const PurchaseDay& day : customer) cents += day.amount_minor;
  }
  EXPECT_EQ(days, 6696);
  EXPECT_EQ(cents, 24'409'194);
}

TEST_F(CdnowTest, SummariesAreThoseOfLifetimes) {
  const auto rows = ReadRows("cdnow_customers_summary_with_transactions.csv");
  ASSERT_EQ(rows.size(), data_.customers.size());
  int64_t repeats = 0, never = 0, most = 0, holdout = 0;
  double youngest = 1e9, oldest = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const PurchaseSummary summary =
        *SummarizePurchases(data_.customers[i], Cdnow::CalibrationEnd());
    EXPECT_EQ(summary.history.purchases, rows[i][1]) << "customer " << i + 1;
    EXPECT_NEAR(summary.history.recency, rows[i][2], 0.005) << "customer " << i + 1;
    EXPECT_NEAR(summary.history.age, rows[i][3], 0.005) << "customer " << i + 1;
    EXPECT_NEAR(summary.monetary_value / 100, rows[i][4], 0.0051) << "customer " << i + 1;
    repeats += summary.history.purchases;
    never += summary.history.purchases == 0 ? 1 : 0;
    most = std::max(most, summary.history.purchases);
    youngest = std::min(youngest, summary.history.age);
    oldest = std::max(oldest, summary.history.age);
    holdout += PurchasesBetween(data_.customers[i], Cdnow::CalibrationEnd(), Cdnow::End());
  }
  EXPECT_EQ(repeats, 2457);
  EXPECT_EQ(never, 1411);
  EXPECT_EQ(most, 29);
  EXPECT_NEAR(youngest, 27.00, 0.005);
  EXPECT_NEAR(oldest, 38.86, 0.005);
  EXPECT_EQ(holdout, 1882);
}

TEST_F(CdnowTest, BgNbdIsFitted) {
  ExpectFit(PurchaseModelKind::kBgNbd, {0.2425929, 4.4135317, 0.7928862, 2.4257535}, -9582.4256,
            2e-7);
  EXPECT_NEAR(LogLikelihood(kPublishedBgNbd), -9582.4268, 0.5e-4);
}

TEST_F(CdnowTest, MbgNbdIsFitted) {
  // Those who found the parameters searched without gradients: they are known to six digits.
  const std::array<double, 4> known = {0.5248381, 6.1829928, 0.8913558, 1.6139982};
  const FittedPurchaseModel fitted = ExpectFit(PurchaseModelKind::kMbgNbd, known, -9582.1327, 1e-6);
  EXPECT_LT(fitted.info.gradient, 1e-8);
  EXPECT_NEAR(LogLikelihood(fitted.model), LogLikelihood({PurchaseModelKind::kMbgNbd, known}),
              1e-8);
  const PurchaseModel published = {PurchaseModelKind::kMbgNbd, {0.525, 6.183, 0.891, 1.614}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(fitted.model.parameters[i], published.parameters[i], 0.51e-3) << i;
  }
}

TEST_F(CdnowTest, ParetoNbdIsFitted) {
  ExpectFit(PurchaseModelKind::kParetoNbd, {0.5532756, 10.5776, 0.6062132, 11.6679}, -9594.9739,
            5e-6);
}

TEST_F(CdnowTest, GammaGammaIsFitted) {
  const FittedGammaGamma fitted = Value(FitGammaGamma(Spendings()));
  EXPECT_EQ(fitted.info.customers, 946);
  EXPECT_NEAR(fitted.model.p, 6.2488026, 1e-6);
  EXPECT_NEAR(fitted.model.q, 3.7445884, 1e-6);
  EXPECT_NEAR(fitted.model.gamma, 15.4477476, 1e-5);
  EXPECT_NEAR(fitted.info.log_likelihood, -4055.9232, 0.5e-4);
  EXPECT_NEAR(fitted.correlation, 0.1139, 0.5e-4);
  double published = 0;
  for (const Spending& spending : Spendings()) {
    if (spending.purchases > 0) published += kPublishedSpending.LogLikelihood(spending);
  }
  EXPECT_NEAR(published, -4055.9247, 0.5e-4);
}

TEST_F(CdnowTest, SpendingIsThatOfHardiesSheet) {
  const std::vector<Spending> spendings = Spendings();
  const double full[] = {24.6637, 18.9169, 35.219, 35.219,  35.219,
                         71.4697, 18.9169, 35.219, 27.2884, 35.219};
  const double sheet[] = {24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17};
  for (size_t i = 0; i < std::size(sheet); ++i) {
    EXPECT_NEAR(kPublishedSpending.ExpectedValue(spendings[i]), full[i], 0.5e-3) << i;
    EXPECT_NEAR(kPublishedSpending.ExpectedValue(spendings[i]), sheet[i], 0.1) << i;
  }
  EXPECT_NEAR(kPublishedSpending.MeanValue(), 35.219, 0.5e-3);
  EXPECT_NEAR(kPublishedSpending.ExpectedValue({2, 40}), 39.1404, 0.5e-4);
}

TEST(PurchaseModelTest, ExpectationsAreThoseOfTheSheets) {
  EXPECT_NEAR(kPublishedBgNbd.ExpectedPurchases({2, 30.43, 38.86}, 39), 1.22603, 0.5e-5);
  EXPECT_NEAR(kPublishedBgNbd.ProbabilityAlive({2, 30.43, 38.86}), 0.72658, 0.5e-5);
  EXPECT_NEAR(kPublishedBgNbd.ExpectedPurchases({0, 0, 38.86}, 39), 0.19510, 0.5e-5);
  EXPECT_EQ(kPublishedBgNbd.ProbabilityAlive({0, 0, 38.86}), 1);
  EXPECT_NEAR(kPublishedBgNbd.ExpectedPurchases({26, 30.86, 31}, 52), 25.76, 0.5e-2);
  EXPECT_NEAR(kPublishedBgNbd.ProbabilityAlive({26, 30.86, 31}), 0.96892, 0.5e-5);
  EXPECT_NEAR(kPublishedPareto.ExpectedPurchases({26, 30.86, 31}, 52), 25.46, 0.5e-2);
  EXPECT_NEAR(kPublishedPareto.ProbabilityAlive({26, 30.86, 31}), 0.9979, 0.5e-4);
  EXPECT_NEAR(kPublishedBgNbd.ExpectedOfNew(78), 1.86052, 0.5e-5);
}

TEST_F(CdnowTest, PurchasesOfTheUnknownAreThoseOfLifetimes) {
  const PurchaseModel bg = Value(FitPurchaseModel(PurchaseModelKind::kBgNbd, Histories())).model;
  const double times[] = {0.1429, 1, 3, 31.8571, 32, 78};
  const double published[] = {0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576};
  const double full[] = {0.007816, 0.053185, 0.150632, 1.040494, 1.043737, 1.857972};
  for (size_t i = 0; i < std::size(times); ++i) {
    EXPECT_NEAR(bg.ExpectedOfNew(times[i]), full[i], 1e-6) << times[i];
    EXPECT_NEAR(bg.ExpectedOfNew(times[i]), published[i], i == 5 ? 0.5e-3 : 0.5e-4) << times[i];
  }
  EXPECT_NEAR(kPublishedBgNbd.ProbabilityOf(0, 39), 0.5737864, 0.5e-7);
  EXPECT_NEAR(kPublishedBgNbd.ProbabilityOf(10, 2), 1.07869e-07, 0.5e-12);
  const double eleven_on[] = {.0019995214, .0015170236, .0011633150, .0009003148, .0007023638,
                              .0005517902, .0004361913, .0003467171, .0002769613, .0002222260};
  for (int n = 11; n <= 20; ++n) {
    EXPECT_NEAR(kPublishedBgNbd.ProbabilityOf(n, 30), eleven_on[n - 11], 0.5e-10) << n;
  }
  // Of BTYD's manual.
  const PurchaseModel pareto = {PurchaseModelKind::kParetoNbd, {0.55, 10.56, 0.61, 11.64}};
  const double weeks[] = {0,         .05077821, .09916088, .14542507, .18979930,
                          .23247466, .27361274, .31335159, .35181024, .38909211};
  for (int t = 0; t < 10; ++t) {
    EXPECT_NEAR(pareto.ExpectedOfNew(t), weeks[t], 0.51e-8) << t;
  }
}

TEST(PurchaseModelTest, ManyPurchasesDoNotOverflow) {
  const PurchaseModel pareto = {PurchaseModelKind::kParetoNbd, {.55, 10.58, .61, 11.67}};
  EXPECT_NEAR(pareto.ExpectedPurchases({132, 200, 200}, 10), 6.2060517889632418, 1e-12);
  EXPECT_NEAR(pareto.ExpectedPurchases({133, 200, 200}, 10), 6.2528722475748113, 1e-12);
  const PurchaseModel bg = {PurchaseModelKind::kBgNbd, {.25, 4, .8, 2.5}};
  EXPECT_NEAR(bg.LogLikelihood({0, 0, 40}), -0.59947382, 0.5e-8);
  EXPECT_NEAR(bg.LogLikelihood({200, 38, 40}), 100.7957, 0.5e-4);
}

// How the fit compares with what happened, as is published beside it.
TEST_F(CdnowTest, TheFitDescribesCalibrationAndHoldout) {
  const PurchaseModel bg = Value(FitPurchaseModel(PurchaseModelKind::kBgNbd, Histories())).model;
  const std::vector<RepeatHistory> histories = CalibrationHistories(data_);
  std::array<int64_t, 8> actual = {};
  std::array<double, 8> expected = {};
  for (const RepeatHistory& history : histories) {
    ++actual[static_cast<size_t>(std::min<int64_t>(history.purchases, 7))];
    double rest = 1;
    for (int n = 0; n < 7; ++n) {
      const double probability = bg.ProbabilityOf(n, history.age);
      expected[static_cast<size_t>(n)] += probability;
      rest -= probability;
    }
    expected[7] += rest;
  }
  EXPECT_THAT(actual, ::testing::ElementsAre(1411, 439, 214, 100, 62, 38, 29, 64));
  const double published[] = {1407.7, 460.3, 192.5, 101.2, 59.8, 38.1, 25.5, 71.9};
  for (size_t n = 0; n < 8; ++n) EXPECT_NEAR(expected[n], published[n], 0.05) << n;

  const std::vector<HoldoutCase> cases =
      SplitHistories(data_.customers, Cdnow::CalibrationEnd(), Cdnow::End());
  const ForecastQuality quality = JudgeForecast(
      cases, [&](const RepeatHistory& history) { return bg.ExpectedPurchases(history, 39); });
  EXPECT_NEAR(quality.total, 1653.4, 0.05);
  EXPECT_NEAR(quality.total_error, -0.121, 0.5e-3);
  const double bought[] = {.237, .697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359};
  const double forecast[] = {.225, .523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157};
  const ByFrequency by = HoldoutByFrequency(cases);
  for (size_t n = 0; n < 8; ++n) {
    EXPECT_NEAR(by.mean_bought[n], bought[n], 0.5e-3) << n;
    EXPECT_NEAR(quality.mean_by_frequency[n], forecast[n], 0.5e-3) << n;
  }
}

}  // namespace
}  // namespace vitrine
