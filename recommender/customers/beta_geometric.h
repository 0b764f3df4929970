// BG/NBD and MBG/NBD. Customers buy by a Poisson process whose rate is gamma distributed among them
// (r, alpha), and after each purchase leave for good with a chance that is beta distributed (a, b).
//
// BG/NBD: Fader, Hardie, Lee, "'Counting Your Customers' the Easy Way: An Alternative to the
// Pareto/NBD Model", Marketing Science 24 (2005). Nobody leaves before their first repeat purchase,
// so that who never came back is alive for certain.
// MBG/NBD: Batislam, Denizel, Filiztekin, "Empirical validation and comparison of models for
// customer base analysis", Int. J. of Research in Marketing 24 (2007). They may leave after the
// first purchase too.
//
// Both are one formula in m, how often a customer has stayed: x in BG/NBD, x + 1 in MBG/NBD. The
// logarithms are those of Hardie's note 027 ("Overcoming the BG/NBD Model's #NUM! Error Problem").
// All times are in one unit, that of alpha.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_BETA_GEOMETRIC_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_BETA_GEOMETRIC_H_

#include <cstdint>
#include <span>

#include "recommender/customers/purchase_summary.h"

namespace vitrine {

struct BetaGeometric {
  double r, alpha, a, b;   // above 0
  bool may_leave_at_once;  // MBG/NBD

  // ln L(x, t_x, T), equation 6 of the paper of 2005: the alternative is that the customer is alive
  // at T, or has left at t_x.
  double LogLikelihood(const RepeatHistory& history) const;

  // The sum over all rows (in the order of Compress); into `gradient` its derivatives by r, alpha,
  // a, b. O(rows + largest x).
  double SumLogLikelihood(std::span<const RepeatRow> rows, std::span<double> gradient) const;

  // P(alive at T): Fader, Hardie, Lee, "Computing P(alive) Using the BG/NBD Model"
  // (2008).
  double ProbabilityAlive(const RepeatHistory& history) const;

  // E[Y(t) | x, t_x, T], equation 10; of RepeatHistory{} it is E[X(t)], equation 9. Summed
  // over how often a customer who never leaves would buy: P(alive) * sum_k P(K = k) * sum_{j < k}
  // P(stays j times more), K ~ NB(r + x, t / (alpha + T + t)). That is the paper's hypergeometric
  // form, rearranged so that all terms are positive: nothing cancels near a = 1 or overflows, which
  // 2F1 with its factor does. O(E[K] + some standard deviations).
  double ExpectedPurchases(const RepeatHistory& history, double t) const;

  // P(X(t) = n) of a customer who has just bought for the first time, equation 8.
  double ProbabilityOf(int64_t n, double t) const;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_BETA_GEOMETRIC_H_
