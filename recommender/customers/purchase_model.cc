#include "recommender/customers/purchase_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/customers/beta_geometric.h"
#include "recommender/customers/pareto_nbd.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Gives `use` the model as what it is.
template <typename Use>
auto With(PurchaseModelKind kind, std::span<const double> p, Use use) {
  if (kind == PurchaseModelKind::kParetoNbd) return use(ParetoNbd{p[0], p[1], p[2], p[3]});
  const bool at_once = kind == PurchaseModelKind::kMbgNbd;
  return use(BetaGeometric{p[0], p[1], p[2], p[3], at_once});
}

absl::Status Check(const std::vector<RepeatHistory>& histories) {
  size_t repeat = 0;
  for (const RepeatHistory& h : histories) {
    if (h.purchases < 0 || !(h.recency >= 0 && h.recency <= h.age) || !std::isfinite(h.age)) {
      return absl::InvalidArgumentError(
          absl::StrCat("no history: ", h.purchases, " purchases, ", h.recency, " of ", h.age));
    }
    repeat += h.purchases > 0 ? 1 : 0;
  }
  if (repeat >= limits::kFittedCustomersMin) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("too little data: ", repeat,
                                                    " customers bought again, ",
                                                    limits::kFittedCustomersMin, " are needed"));
}

// The unit of time in which all parameters are of the size of 1.
double TimeScale(const std::vector<RepeatHistory>& histories) {
  double sum = 0;
  for (const RepeatHistory& h : histories) sum += h.age;
  return sum / static_cast<double>(histories.size());
}

}  // namespace

absl::string_view PurchaseModelName(PurchaseModelKind kind) {
  switch (kind) {
    case PurchaseModelKind::kBgNbd:
      return "bg_nbd";
    case PurchaseModelKind::kMbgNbd:
      return "mbg_nbd";
    case PurchaseModelKind::kParetoNbd:
      return "pareto_nbd";
  }
  return "";
}

double PurchaseModel::LogLikelihood(const RepeatHistory& history) const {
  return With(kind, parameters, [&](const auto& model) { return model.LogLikelihood(history); });
}

double PurchaseModel::ProbabilityAlive(const RepeatHistory& history) const {
  return With(kind, parameters, [&](const auto& model) { return model.ProbabilityAlive(history); });
}

double PurchaseModel::ExpectedPurchases(const RepeatHistory& history, double t) const {
  return With(kind, parameters,
              [&](const auto& model) { return model.ExpectedPurchases(history, t); });
}

double PurchaseModel::ProbabilityOf(int64_t n, double t) const {
  return With(kind, parameters, [&](const auto& model) { return model.ProbabilityOf(n, t); });
}

double PurchaseModel::DiscountedPurchases(const RepeatHistory& history, double period, int periods,
                                          double discount) const {
  double before = 0, worth = 0, factor = 1;
  for (int i = 1; i <= periods; ++i) {
    const double until = ExpectedPurchases(history, period * i);
    factor /= 1 + discount;
    worth += (until - before) * factor;
    before = until;
  }
  return worth;
}

absl::StatusOr<FittedPurchaseModel> FitPurchaseModel(PurchaseModelKind kind,
                                                     std::vector<RepeatHistory> histories) {
  RETURN_IF_ERROR(Check(histories));
  const auto customers = static_cast<int64_t>(histories.size());
  const double scale = TimeScale(histories);
  for (RepeatHistory& h : histories) {
    h.recency /= scale;
    h.age /= scale;
  }
  const std::vector<RepeatRow> rows = Compress(std::move(histories));
  const auto sum = [&](std::span<const double> parameters, std::span<double> gradient) {
    return With(kind, parameters,
                [&](const auto& model) { return model.SumLogLikelihood(rows, gradient); });
  };
  constexpr double kStart[] = {1, 1, 1, 1};
  ASSIGN_OR_RETURN(LikelihoodMaximum maximum, MaximizeLikelihood(sum, kStart, customers));
  FittedPurchaseModel fitted;
  fitted.model.kind = kind;
  std::copy(maximum.parameters.begin(), maximum.parameters.end(), fitted.model.parameters.begin());
  fitted.model.parameters[1] *= scale;
  if (kind == PurchaseModelKind::kParetoNbd) fitted.model.parameters[3] *= scale;
  fitted.info = std::move(maximum.info);
  fitted.info.rows = static_cast<int64_t>(rows.size());
  // A density per unit of time: each repeat purchase is one of them.
  double repeats = 0;
  for (const RepeatRow& row : rows) {
    repeats += static_cast<double>(row.history.purchases * row.customers);
  }
  fitted.info.log_likelihood -= repeats * std::log(scale);
  return fitted;
}

double PurchasesAtPastRate(const RepeatHistory& history, double t) {
  return history.age > 0 ? static_cast<double>(history.purchases) / history.age * t : 0;
}

}  // namespace vitrine
