// How often a customer will buy, and whether they are a customer still: the models of customer-base
// analysis behind one face. A model is a kind and four numbers, so it can be kept; a customer who
// buys is scored anew by it at once, without a fit.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_MODEL_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_MODEL_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/customers/maximum_likelihood.h"
#include "recommender/customers/purchase_summary.h"

namespace vitrine {

enum class PurchaseModelKind {
  kBgNbd,      // beta_geometric.h
  kMbgNbd,     // beta_geometric.h
  kParetoNbd,  // pareto_nbd.h
};

inline constexpr PurchaseModelKind kPurchaseModels[] = {
    PurchaseModelKind::kBgNbd, PurchaseModelKind::kMbgNbd, PurchaseModelKind::kParetoNbd};

// "bg_nbd", "mbg_nbd", "pareto_nbd".
absl::string_view PurchaseModelName(PurchaseModelKind kind);

// Pure functions, thread-safe. Times are in the unit that the model was fitted in.
struct PurchaseModel {
  PurchaseModelKind kind = PurchaseModelKind::kMbgNbd;
  std::array<double, 4> parameters = {};  // r, alpha, a, b; of Pareto/NBD r, alpha, s, beta

  double LogLikelihood(const RepeatHistory& history) const;
  // That the customer, as of T, has not left for good.
  double ProbabilityAlive(const RepeatHistory& history) const;
  // Purchases within `t` from T on. t >= 0.
  double ExpectedPurchases(const RepeatHistory& history, double t) const;
  // Repeat purchases within `t` of the first, of a customer nothing else is known of.
  double ExpectedOfNew(double t) const { return ExpectedPurchases({}, t); }
  // That there are n of them.
  double ProbabilityOf(int64_t n, double t) const;
  // What the purchases of the next `periods` periods of length `period` are worth today if each
  // were worth 1: those of period i (from 1) count (1 + discount)^-i, as in lifetimes.
  double DiscountedPurchases(const RepeatHistory& history, double period, int periods,
                             double discount) const;
};

struct FittedPurchaseModel {
  PurchaseModel model;
  FitInfo info;
};

// Fits by maximum likelihood. The result in other units of time is the same in those units.
// InvalidArgument for a history that is none (recency above age, counts below 0);
// FailedPrecondition if there are fewer than limits::kFittedCustomersMin customers with a repeat
// purchase, or the fit does not converge.
absl::StatusOr<FittedPurchaseModel> FitPurchaseModel(PurchaseModelKind kind,
                                                     std::vector<RepeatHistory> histories);

// The plain alternative that every model has to beat: who bought x times in T goes on at that rate.
// A customer known for no time is not expected back.
double PurchasesAtPastRate(const RepeatHistory& history, double t);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_PURCHASE_MODEL_H_
