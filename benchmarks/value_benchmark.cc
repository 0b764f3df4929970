// value_benchmark [DATA]: what it takes to fit the models of customer value to CDNOW's 2,357
// customers, one evaluation of each likelihood with equal histories put together beside the same
// without, and what it takes to score a customer by the fitted model; then how far the models and
// the plain baseline were right about the 39 weeks after the fit. DATA: ../shared/data.

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "recommender/customers/beta_geometric.h"
#include "recommender/customers/gamma_gamma.h"
#include "recommender/customers/holdout.h"
#include "recommender/customers/pareto_nbd.h"
#include "recommender/customers/purchase_model.h"
#include "store/base/clock.h"
#include "tests/recommender/cdnow.h"

namespace vitrine {
namespace {

constexpr int kRounds = 9;

// Milliseconds, the median of some rounds.
double MedianMs(const std::function<void()>& work) {
  std::array<double, kRounds> times;
  for (double& time : times) {
    const int64_t begin = Clock::System().SteadyNs();
    work();
    time = static_cast<double>(Clock::System().SteadyNs() - begin) / 1e6;
  }
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

double Evaluate(PurchaseModelKind kind, const std::array<double, 4>& p,
                const std::vector<RepeatRow>& rows) {
  double gradient[4];
  if (kind == PurchaseModelKind::kParetoNbd) {
    return ParetoNbd{p[0], p[1], p[2], p[3]}.SumLogLikelihood(rows, gradient);
  }
  const bool at_once = kind == PurchaseModelKind::kMbgNbd;
  return BetaGeometric{p[0], p[1], p[2], p[3], at_once}.SumLogLikelihood(rows, gradient);
}

void PrintQuality(const char* name, const std::vector<HoldoutCase>& cases, Forecast forecast) {
  const ForecastQuality q = JudgeForecast(cases, forecast);
  std::printf("%-12s %9.1f %8.1f%% %9.4f %9.4f %9.4f  ", name, q.total, 100 * q.total_error,
              q.mean_absolute_error, q.root_mean_square_error, q.correlation);
  for (const double mean : q.mean_by_frequency) std::printf(" %6.3f", mean);
  std::printf("\n");
}

void PrintHoldout(const Cdnow& data, const std::vector<RepeatHistory>& histories) {
  const std::vector<HoldoutCase> cases =
      SplitHistories(data.customers, Cdnow::CalibrationEnd(), Cdnow::End());
  std::printf("\n%-12s %9s %9s %9s %9s %9s   by repeat purchases 0, 1, ... 7+\n", "holdout",
              "total", "error", "MAE", "RMSE", "corr");
  const ByFrequency by = HoldoutByFrequency(cases);
  double bought = 0;
  for (const HoldoutCase& c : cases) bought += static_cast<double>(c.bought);
  std::printf("%-12s %9.0f %9s %9s %9s %9s  ", "bought", bought, "", "", "", "");
  for (const double mean : by.mean_bought) std::printf(" %6.3f", mean);
  std::printf("\n");
  PrintQuality("past rate", cases,
               [](const RepeatHistory& h) { return PurchasesAtPastRate(h, 39); });
  for (const PurchaseModelKind kind : kPurchaseModels) {
    const absl::StatusOr<FittedPurchaseModel> fitted = FitPurchaseModel(kind, histories);
    if (!fitted.ok()) continue;
    PrintQuality(std::string(PurchaseModelName(kind)).c_str(), cases,
                 [&](const RepeatHistory& h) { return fitted->model.ExpectedPurchases(h, 39); });
  }
}

int Run(const std::string& data) {
  const absl::StatusOr<Cdnow> read = ReadCdnow(data);
  if (!read.ok()) {
    std::fprintf(stderr, "%s\n", read.status().ToString().c_str());
    return 1;
  }
  const std::vector<RepeatHistory> histories = CalibrationHistories(*read);
  const std::vector<RepeatRow> together = Compress(histories);
  std::vector<RepeatRow> each;
  for (const RepeatRow& row : together) each.insert(each.end(), row.customers, {row.history, 1});
  std::printf("CDNOW: %zu customers, %zu histories that differ\n", histories.size(),
              together.size());
  std::printf("%-12s %9s %6s %14s %12s %9s %14s\n", "", "fit ms", "evals", "evaluation us",
              "uncompressed", "ratio", "score ns");
  double sink = 0;
  for (const PurchaseModelKind kind : kPurchaseModels) {
    absl::StatusOr<FittedPurchaseModel> fitted = FitPurchaseModel(kind, histories);
    if (!fitted.ok()) {
      std::fprintf(stderr, "%s\n", fitted.status().ToString().c_str());
      return 1;
    }
    const double fit = MedianMs([&] { fitted = FitPurchaseModel(kind, histories); });
    const std::array<double, 4>& p = fitted->model.parameters;
    const double one = MedianMs([&] { sink += Evaluate(kind, p, together); });
    const double all = MedianMs([&] { sink += Evaluate(kind, p, each); });
    const double score = MedianMs([&] {
      for (const RepeatHistory& h : histories) sink += fitted->model.ExpectedPurchases(h, 39);
    });
    std::printf("%-12s %9.2f %6d %14.1f %12.1f %9.2f %14.0f\n",
                std::string(PurchaseModelName(kind)).c_str(), fit, fitted->info.evaluations,
                1e3 * one, 1e3 * all, all / one, 1e6 * score / static_cast<double>(each.size()));
  }
  std::vector<Spending> spendings;
  for (const std::vector<PurchaseDay>& days : read->customers) {
    const auto summary = SummarizePurchases(days, Cdnow::CalibrationEnd());
    if (summary && summary->paid_repeats > 0) {
      spendings.push_back({summary->paid_repeats, summary->monetary_value});
    }
  }
  absl::StatusOr<FittedGammaGamma> spending = FitGammaGamma(spendings);
  const double fit = MedianMs([&] { spending = FitGammaGamma(spendings); });
  std::printf("%-12s %9.2f %6d   (%s)\n", "gamma_gamma", fit, spending->info.evaluations,
              spending->info.reason.c_str());
  PrintHoldout(*read, histories);
  return sink == 0 ? 1 : 0;
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) { return vitrine::Run(argc > 1 ? argv[1] : "../shared/data"); }
