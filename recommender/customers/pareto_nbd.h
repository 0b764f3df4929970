// Pareto/NBD. Customers buy by a Poisson process whose rate is gamma distributed among them
// (r, alpha), until they leave after an exponential life time, whose rate is gamma distributed too
// (s, beta).
//
// Schmittlein, Morrison, Colombo, "Counting Your Customers: Who Are They and What Will They Do
// Next?", Management Science 33 (1987), in the form of Fader, Hardie, "A Note on Deriving the
// Pareto/NBD Model and Related Expressions" (2005). All times are in one unit, that of alpha and
// beta.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_PARETO_NBD_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_PARETO_NBD_H_

#include <cstdint>
#include <span>

#include "recommender/customers/purchase_summary.h"

namespace vitrine {

struct ParetoNbd {
  double r, alpha, s, beta;  // above 0

  // ln L(x, t_x, T). The customer is alive at T, or left at some time tau from t_x to T: the
  // integral over tau that the note turns into a difference of two hypergeometric functions is
  // computed as it is, by double exponential quadrature (Takahasi, Mori 1974). All of it is
  // positive, so nothing cancels where T is near t_x or x is large.
  double LogLikelihood(const RepeatHistory& history) const;

  // The sum over all rows (in the order of Compress); into `gradient` its derivatives by r, alpha,
  // s, beta. Some 5 us a row.
  double SumLogLikelihood(std::span<const RepeatRow> rows, std::span<double> gradient) const;

  // P(alive at T): the part of L in which the customer is.
  double ProbabilityAlive(const RepeatHistory& history) const;

  // E[Y(t) | x, t_x, T], equation 41 of the note; of RepeatHistory{} it is E[X(t)], equation 27.
  // Continuous at s = 1, where the paper's form is 0 / 0.
  double ExpectedPurchases(const RepeatHistory& history, double t) const;

  // P(X(t) = n) of a customer who has just bought for the first time: alive at t, or left before.
  double ProbabilityOf(int64_t n, double t) const;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_PARETO_NBD_H_
