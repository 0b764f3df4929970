#include "recommender/customers/beta_geometric.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/math/distributions/negative_binomial.hpp>

#include "recommender/customers/log_space.h"

namespace vitrine {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr double kRelativeTail = 1e-16;  // of a sum, that may be left out
constexpr double kRescaleAbove = 1e200;

int64_t TimesStayed(const BetaGeometric& model, int64_t purchases) {
  return purchases + (model.may_leave_at_once ? 1 : 0);
}

// ln of L's two alternatives, without the factors that they share.
struct Alternatives {
  double alive, left;
};

Alternatives Compare(const BetaGeometric& model, const RepeatHistory& h) {
  const double shape = model.r + static_cast<double>(h.purchases);
  const auto m = static_cast<double>(TimesStayed(model, h.purchases));
  return {-shape * std::log(model.alpha + h.age),
          m > 0 ? std::log(model.a / (model.b + m - 1)) - shape * std::log(model.alpha + h.recency)
                : kNever};
}

}  // namespace

double BetaGeometric::LogLikelihood(const RepeatHistory& history) const {
  const RepeatRow row = {history, 1};
  double unused[4];
  return SumLogLikelihood({&row, 1}, unused);
}

double BetaGeometric::SumLogLikelihood(std::span<const RepeatRow> rows,
                                       std::span<double> gradient) const {
  LogRising buy(r), stay(b), stay_or_leave(a + b);
  double sum = 0;
  double by_r = 0, by_alpha = 0, by_a = 0, by_b = 0;
  for (const auto& [h, customers] : rows) {
    const int64_t m = TimesStayed(*this, h.purchases);
    buy.RiseTo(h.purchases);
    stay.RiseTo(m);
    stay_or_leave.RiseTo(m);
    const auto [alive, left] = Compare(*this, h);
    const double either = LogAddExp(alive, left);
    const double p_alive = ShareAgainst(left - alive);
    const double p_left = 1 - p_alive;
    const double shape = r + static_cast<double>(h.purchases);
    const auto weight = static_cast<double>(customers);
    sum += weight * (buy.log() + r * std::log(alpha) + stay.log() - stay_or_leave.log() + either);
    by_r += weight * (buy.derivative() + std::log(alpha) - p_alive * std::log(alpha + h.age) -
                      p_left * std::log(alpha + h.recency));
    by_alpha +=
        weight * (r / alpha - shape * (p_alive / (alpha + h.age) + p_left / (alpha + h.recency)));
    by_a += weight * (p_left / a - stay_or_leave.derivative());
    by_b += weight * (stay.derivative() - stay_or_leave.derivative() -
                      (m > 0 ? p_left / (b + static_cast<double>(m) - 1) : 0));
  }
  gradient[0] = by_r;
  gradient[1] = by_alpha;
  gradient[2] = by_a;
  gradient[3] = by_b;
  return sum;
}

double BetaGeometric::ProbabilityAlive(const RepeatHistory& history) const {
  const auto [alive, left] = Compare(*this, history);
  return ShareAgainst(left - alive);
}

double BetaGeometric::ExpectedPurchases(const RepeatHistory& history, double t) const {
  // Of who is alive at T, the chance to leave is Beta(a, b + m).
  const double shape = r + static_cast<double>(history.purchases);
  const double stayed = b + static_cast<double>(TimesStayed(*this, history.purchases));
  const double share = t / (alpha + history.age + t);
  double log_scale = -shape * std::log1p(t / (alpha + history.age));  // ln P(K = 0)
  double weight = 1;                                                  // P(K = k), over the scale
  double stays = 1;                                                   // P(stays k times more)
  double made = 0;                                                    // purchases made of k
  double expected = 0;
  for (double k = 0;; ++k) {
    const double term = weight * made;
    expected += term;
    const double step = share * (shape + k) / (k + 1);
    // From here on, terms shrink at least as fast as a geometric series of this ratio.
    const double ratio = std::max(share, step) * (1 + stays / std::max(made, 1.0));
    if (k > 0 && ratio < 1 && term * ratio <= (1 - ratio) * kRelativeTail * expected) break;
    made += stays;
    stays *= (stayed + k) / (a + stayed + k);
    weight *= step;
    if (weight > kRescaleAbove) {
      weight /= kRescaleAbove;
      expected /= kRescaleAbove;
      log_scale += std::log(kRescaleAbove);
    }
  }
  return ProbabilityAlive(history) * std::exp(log_scale) * expected;
}

double BetaGeometric::ProbabilityOf(int64_t n, double t) const {
  const int64_t m = TimesStayed(*this, n);
  const double stayed = std::exp(LogRisingFactorial(b, m) - LogRisingFactorial(a + b, m));
  const boost::math::negative_binomial purchases(r, alpha / (alpha + t));
  const auto count = static_cast<double>(n);
  const double goes_on = pdf(purchases, count);
  if (m == 0) return stayed * goes_on;
  const double at_least = n == 0 ? 1 : cdf(complement(purchases, count - 1));
  return stayed * (goes_on + a / (b + static_cast<double>(m) - 1) * at_least);
}

}  // namespace vitrine
