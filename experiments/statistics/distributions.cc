#include "experiments/statistics/distributions.h"

#include <cmath>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

namespace math = boost::math;

// Boost answers with numbers instead of exceptions.
using Policy =
    math::policies::policy<math::policies::domain_error<math::policies::ignore_error>,
                           math::policies::overflow_error<math::policies::ignore_error>,
                           math::policies::evaluation_error<math::policies::ignore_error>,
                           math::policies::pole_error<math::policies::ignore_error>>;
using Normal = math::normal_distribution<double, Policy>;
using Student = math::students_t_distribution<double, Policy>;
using ChiSquared = math::chi_squared_distribution<double, Policy>;
using Binomial = math::binomial_distribution<double, Policy>;
using Beta = math::beta_distribution<double, Policy>;

void CheckProbability(double p) { CHECK(p > 0 && p < 1) << "probability " << p; }

}  // namespace

double NormalDensity(double z) { return math::pdf(Normal(), z); }

double NormalCdf(double z) { return math::cdf(Normal(), z); }

double NormalQuantile(double p) {
  CheckProbability(p);
  return math::quantile(Normal(), p);
}

double StudentCdf(double t, double df) {
  CHECK(df > 0) << df;
  if (std::isinf(df)) return NormalCdf(t);
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  return math::cdf(Student(df), t);
}

double StudentQuantile(double p, double df) {
  CheckProbability(p);
  CHECK(df > 0) << df;
  return std::isinf(df) ? NormalQuantile(p) : math::quantile(Student(df), p);
}

double ChiSquaredSurvival(double x, double df) {
  CHECK(x >= 0 && df > 0) << x << ", " << df;
  return std::isinf(x) ? 0 : math::cdf(math::complement(ChiSquared(df), x));
}

double BinomialSurvival(double successes, double trials, double p) {
  CHECK(p >= 0 && p <= 1 && trials >= 0) << p << ", " << trials;
  if (successes <= 0) return 1;
  if (successes > trials) return 0;
  return math::cdf(math::complement(Binomial(trials, p), successes - 1));
}

double BetaDensity(double x, double a, double b) {
  if (x <= 0 || x >= 1) return 0;
  return math::pdf(Beta(a, b), x);
}

double BetaCdf(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  return math::cdf(Beta(a, b), x);
}

double BetaQuantile(double p, double a, double b) {
  CheckProbability(p);
  return math::quantile(Beta(a, b), p);
}

double LogGamma(double x) { return math::lgamma(x, Policy()); }

namespace {

double Integrate(absl::FunctionRef<double(double)> f, double low, double high, double tolerance,
                 int halvings) {
  double error = 0;
  const double whole = math::quadrature::gauss_kronrod<double, 31>::integrate(
      [f](double x) { return f(x); }, low, high, 0, 0, &error);
  if (error <= tolerance || halvings == 0) return whole;
  const double middle = (low + high) / 2;
  return Integrate(f, low, middle, tolerance, halvings - 1) +
         Integrate(f, middle, high, tolerance, halvings - 1);
}

}  // namespace

double Integral(absl::FunctionRef<double(double)> f, double low, double high, double tolerance) {
  // Boost's own halving asks for a part of each piece, however little of the whole that piece is.
  return low < high ? Integrate(f, low, high, tolerance, 10) : 0;
}

}  // namespace vitrine::experiments
