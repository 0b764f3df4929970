#include "recommender/customers/gamma_gamma.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// In double throughout: long double is slower and no more exact than what it is subtracted from.
using Double = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
double LogGamma(double z) { return boost::math::lgamma(z, Double()); }
double Digamma(double z) { return boost::math::digamma(z, Double()); }

// The sum over customers in the order of purchases, of which few differ: what depends on nothing
// else is computed once for each.
double SumLogLikelihood(const GammaGamma& model, std::span<const Spending> spendings,
                        std::span<double> gradient) {
  const auto& [p, q, gamma] = model;
  const double log_gamma_q = LogGamma(q), digamma_q = Digamma(q), log_gamma = std::log(gamma);
  double sum = 0, by_p = 0, by_q = 0, by_gamma = 0;
  double beta = 0, digamma_px = 0, digamma_all = 0;
  int64_t known = -1;
  for (const auto& [purchases, mean] : spendings) {
    const auto x = static_cast<double>(purchases);
    if (purchases != known) {
      known = purchases;
      beta = LogGamma(p * x) + log_gamma_q - LogGamma(p * x + q);
      digamma_px = Digamma(p * x);
      digamma_all = Digamma(p * x + q);
    }
    const double rate = gamma + x * mean;
    const double log_share = std::log(x * mean / rate);
    sum += p * x * log_share - std::log(mean) + q * std::log(gamma / rate) - beta;
    by_p += x * (digamma_all - digamma_px + log_share);
    by_q += digamma_all - digamma_q + log_gamma - std::log(rate);
    by_gamma += q / gamma - (p * x + q) / rate;
  }
  gradient[0] = by_p;
  gradient[1] = by_q;
  gradient[2] = by_gamma;
  return sum;
}

double Correlation(std::span<const Spending> spendings) {
  const auto n = static_cast<double>(spendings.size());
  double x = 0, z = 0;
  for (const Spending& spending : spendings) {
    x += static_cast<double>(spending.purchases) / n;
    z += spending.mean / n;
  }
  double xx = 0, zz = 0, xz = 0;
  for (const Spending& spending : spendings) {
    const double dx = static_cast<double>(spending.purchases) - x;
    const double dz = spending.mean - z;
    xx += dx * dx;
    zz += dz * dz;
    xz += dx * dz;
  }
  return xx > 0 && zz > 0 ? xz / std::sqrt(xx * zz) : 0;
}

absl::Status Check(std::span<const Spending> spendings) {
  for (const Spending& spending : spendings) {
    if (!(spending.mean > 0) || !std::isfinite(spending.mean)) {
      return absl::InvalidArgumentError(absl::StrCat("no spending: a mean of ", spending.mean,
                                                     " in ", spending.purchases, " purchases"));
    }
  }
  if (spendings.size() >= limits::kFittedCustomersMin) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("too little data: ", spendings.size(),
                                                    " customers paid again, ",
                                                    limits::kFittedCustomersMin, " are needed"));
}

}  // namespace

double GammaGamma::LogLikelihood(const Spending& spending) const {
  double unused[3];
  return SumLogLikelihood(*this, {&spending, 1}, unused);
}

double GammaGamma::ExpectedValue(const Spending& spending) const {
  const auto x = static_cast<double>(spending.purchases);
  return p * (gamma + x * spending.mean) / (p * x + q - 1);
}

double GammaGamma::MeanValue() const { return p * gamma / (q - 1); }

absl::StatusOr<FittedGammaGamma> FitGammaGamma(std::vector<Spending> spendings) {
  std::erase_if(spendings, [](const Spending& spending) { return spending.purchases <= 0; });
  RETURN_IF_ERROR(Check(spendings));
  FittedGammaGamma fitted;
  fitted.correlation = Correlation(spendings);
  if (std::abs(fitted.correlation) > kSpendingCorrelationMax) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "correlation: how much customers spend depends on how often they buy (%.2f, beyond %.1f)",
        fitted.correlation, kSpendingCorrelationMax));
  }
  double scale = 0;
  for (const Spending& spending : spendings) {
    scale += spending.mean / static_cast<double>(spendings.size());
  }
  for (Spending& spending : spendings) spending.mean /= scale;
  std::sort(spendings.begin(), spendings.end(), [](const Spending& a, const Spending& b) {
    return a.purchases != b.purchases ? a.purchases < b.purchases : a.mean < b.mean;
  });
  const auto sum = [&](std::span<const double> parameters, std::span<double> gradient) {
    return SumLogLikelihood({parameters[0], parameters[1], parameters[2]}, spendings, gradient);
  };
  constexpr double kStart[] = {1, 2, 1};
  ASSIGN_OR_RETURN(LikelihoodMaximum maximum,
                   MaximizeLikelihood(sum, kStart, static_cast<int64_t>(spendings.size())));
  const std::vector<double>& found = maximum.parameters;
  if (!(found[1] > 1)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("q: %.3f is not above 1: so few customers make so much of the revenue that "
                        "a mean of all is not defined",
                        found[1]));
  }
  fitted.model = {found[0], found[1], found[2] * scale};
  fitted.info = std::move(maximum.info);
  fitted.info.rows = fitted.info.customers;
  // A density per unit of money.
  fitted.info.log_likelihood -= static_cast<double>(spendings.size()) * std::log(scale);
  return fitted;
}

}  // namespace vitrine
