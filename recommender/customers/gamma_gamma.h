// Gamma-Gamma: what a customer's purchases are worth on average. The amounts of one customer vary
// about a mean of their own, by a gamma distribution of shape p; the means vary among customers by
// an inverse gamma distribution (q, gamma). How much is independent of how often.
//
// Fader, Hardie, "The Gamma-Gamma Model of Monetary Value", note 025 (2013); Fader, Hardie, Lee,
// "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", J. of Marketing Research 42
// (2005).

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_GAMMA_GAMMA_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_GAMMA_GAMMA_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/customers/maximum_likelihood.h"

namespace vitrine {

// What is known of a customer's spending: `mean` of `purchases` amounts.
struct Spending {
  int64_t purchases = 0;
  double mean = 0;  // in any unit of money; above 0 where there are purchases
};

// Pure functions, thread-safe. Money is in the unit that the model was fitted in.
struct GammaGamma {
  double p = 0, q = 0, gamma = 0;  // `gamma` is v in other texts; it is in units of money

  // ln f(mean | p, q, gamma; x), equation 1a of the note. REQUIRES: purchases > 0, mean > 0.
  double LogLikelihood(const Spending& spending) const;

  // E[M | mean, x], equation 5: between the customer's mean and that of all, nearer to the former
  // the more purchases there are. REQUIRES: q > 1, or there are purchases and p x + q > 1.
  double ExpectedValue(const Spending& spending) const;

  // E[M] of a customer of whom nothing is known, p gamma / (q - 1). REQUIRES: q > 1.
  double MeanValue() const;
};

// How strongly the mean amount may depend on how often somebody buys (Pearson): beyond, the model's
// independence does not hold, and its product with a purchase model would be wrong.
constexpr double kSpendingCorrelationMax = 0.3;

struct FittedGammaGamma {
  GammaGamma model;
  FitInfo info;
  double correlation = 0;  // of purchases and mean
};

// Fits to customers with purchases (others are left out). InvalidArgument for a mean that is not
// above 0; FailedPrecondition, saying what and by how much, where the model does not hold: fewer
// than limits::kFittedCustomersMin customers, correlation beyond kSpendingCorrelationMax, q <= 1
// (the mean of all would be infinite, and values of few purchases negative), no convergence.
absl::StatusOr<FittedGammaGamma> FitGammaGamma(std::vector<Spending> spendings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_GAMMA_GAMMA_H_
