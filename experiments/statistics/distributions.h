// The distributions that tests are read from: Boost.Math behind plain functions, so that only one
// file pays for its templates. All are thread-safe and take what the mathematics allows; arguments
// beyond (a probability of 2) are CHECKed.

#ifndef VITRINE_EXPERIMENTS_STATISTICS_DISTRIBUTIONS_H_
#define VITRINE_EXPERIMENTS_STATISTICS_DISTRIBUTIONS_H_

#include "absl/functional/function_ref.h"

namespace vitrine::experiments {

double NormalDensity(double z);
double NormalCdf(double z);
double NormalQuantile(double p);  // 0 < p < 1

// `df` infinite: the normal one.
double StudentCdf(double t, double df);
double StudentQuantile(double p, double df);

double ChiSquaredSurvival(double x, double df);  // P(X > x)

// P(X >= successes) of Binomial(trials, p).
double BinomialSurvival(double successes, double trials, double p);

double BetaDensity(double x, double a, double b);
double BetaCdf(double x, double a, double b);
double BetaQuantile(double p, double a, double b);

double LogGamma(double x);

// Integral over [low, high] by Gauss-Kronrod of 31 points, halved where its error is above the
// tolerance (absolute, of each piece: the estimate is far larger than the error), ten times at
// most. `f` is smooth there, or nearly.
double Integral(absl::FunctionRef<double(double)> f, double low, double high, double tolerance);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_DISTRIBUTIONS_H_
