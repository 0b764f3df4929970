#include "recommender/customers/pareto_nbd.h"

#include <array>
#include <cmath>
#include <limits>

#include <boost/math/constants/constants.hpp>
#include <boost/math/distributions/negative_binomial.hpp>

#include "recommender/customers/log_space.h"

namespace vitrine {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// Double exponential quadrature on [0, 1]: nodes crowd at both ends, so that a peak at t_x as
// narrow as 1e-12 of the interval is met as well as none.
constexpr int kHalfNodes = 36;
constexpr double kNodeStep = 0.0925;

struct Node {
  double at, weight;
};
using Nodes = std::array<Node, 2 * kHalfNodes + 1>;

const Nodes& UnitNodes() {
  static const Nodes nodes = [] {
    Nodes made;
    for (int i = -kHalfNodes; i <= kHalfNodes; ++i) {
      const double u = boost::math::constants::pi<double>() * std::sinh(kNodeStep * i);
      const double at = 1 / (1 + std::exp(-u));
      const double other = 1 / (1 + std::exp(u));  // 1 - at, where that is small
      made[static_cast<size_t>(i + kHalfNodes)] = {
          at,
          kNodeStep * boost::math::constants::pi<double>() * std::cosh(kNodeStep * i) * at * other};
    }
    return made;
  }();
  return nodes;
}

// Of those who left between t_x and T, at tau: ln of s * integral of (alpha + tau)^-(r + x) *
// (beta + tau)^-(s + 1), and means over tau with that density.
struct Left {
  double log_integral = kNever;
  double log_alpha = 0, log_beta = 0;  // of ln (alpha + tau), ln (beta + tau)
  double per_alpha = 0, per_beta = 0;  // of 1 / (alpha + tau), 1 / (beta + tau)
};

Left IntegrateLeft(const ParetoNbd& model, const RepeatHistory& h) {
  Left left;
  const double length = h.age - h.recency;
  if (!(length > 0)) return left;
  const double shape = model.r + static_cast<double>(h.purchases);
  const double at_alpha = model.alpha + h.recency;
  const double at_beta = model.beta + h.recency;
  double sum = 0;
  for (const auto& [at, weight] : UnitNodes()) {
    const double alpha_growth = std::log1p(length * at / at_alpha);
    const double beta_growth = std::log1p(length * at / at_beta);
    // Largest at t_x, and 1 there.
    const double part = weight * std::exp(-shape * alpha_growth - (model.s + 1) * beta_growth);
    sum += part;
    left.log_alpha += part * alpha_growth;
    left.log_beta += part * beta_growth;
    left.per_alpha += part / (at_alpha + length * at);
    left.per_beta += part / (at_beta + length * at);
  }
  left.log_alpha = left.log_alpha / sum + std::log(at_alpha);
  left.log_beta = left.log_beta / sum + std::log(at_beta);
  left.per_alpha /= sum;
  left.per_beta /= sum;
  left.log_integral = std::log(model.s * length * sum) - shape * std::log(at_alpha) -
                      (model.s + 1) * std::log(at_beta);
  return left;
}

double LogAlive(const ParetoNbd& model, const RepeatHistory& h) {
  return -(model.r + static_cast<double>(h.purchases)) * std::log(model.alpha + h.age) -
         model.s * std::log(model.beta + h.age);
}

}  // namespace

double ParetoNbd::LogLikelihood(const RepeatHistory& history) const {
  const RepeatRow row = {history, 1};
  double unused[4];
  return SumLogLikelihood({&row, 1}, unused);
}

double ParetoNbd::SumLogLikelihood(std::span<const RepeatRow> rows,
                                   std::span<double> gradient) const {
  LogRising buy(r);
  double sum = 0;
  double by_r = 0, by_alpha = 0, by_s = 0, by_beta = 0;
  for (const auto& [h, customers] : rows) {
    buy.RiseTo(h.purchases);
    const double alive = LogAlive(*this, h);
    const Left left = IntegrateLeft(*this, h);
    const double p_alive = ShareAgainst(left.log_integral - alive);
    const double p_left = 1 - p_alive;
    const double shape = r + static_cast<double>(h.purchases);
    const auto weight = static_cast<double>(customers);
    sum += weight * (buy.log() + r * std::log(alpha) + s * std::log(beta) +
                     LogAddExp(alive, left.log_integral));
    by_r += weight * (buy.derivative() + std::log(alpha) - p_alive * std::log(alpha + h.age) -
                      p_left * left.log_alpha);
    by_alpha +=
        weight * (r / alpha - shape * (p_alive / (alpha + h.age) + p_left * left.per_alpha));
    by_s += weight *
            (std::log(beta) - p_alive * std::log(beta + h.age) + p_left * (1 / s - left.log_beta));
    by_beta +=
        weight * (s / beta - p_alive * s / (beta + h.age) - p_left * (s + 1) * left.per_beta);
  }
  gradient[0] = by_r;
  gradient[1] = by_alpha;
  gradient[2] = by_s;
  gradient[3] = by_beta;
  return sum;
}

double ParetoNbd::ProbabilityAlive(const RepeatHistory& history) const {
  return ShareAgainst(IntegrateLeft(*this, history).log_integral - LogAlive(*this, history));
}

double ParetoNbd::ExpectedPurchases(const RepeatHistory& history, double t) const {
  // How long somebody who is alive at T lives on within t: the integral of
  // ((beta + T) / (beta + T + u))^s over u.
  const double growth = std::log1p(t / (beta + history.age));
  const double log_power = (s - 1) * growth;
  const double lives =
      (beta + history.age) * (log_power == 0 ? growth : -std::expm1(-log_power) / (s - 1));
  const double rate = (r + static_cast<double>(history.purchases)) / (alpha + history.age);
  return ProbabilityAlive(history) * rate * lives;
}

double ParetoNbd::ProbabilityOf(int64_t n, double t) const {
  const auto count = static_cast<double>(n);
  const auto within = [&](double time) {
    return pdf(boost::math::negative_binomial(r, alpha / (alpha + time)), count);
  };
  double probability = within(t) * std::pow(beta / (beta + t), s);
  for (const auto& [at, weight] : UnitNodes()) {
    const double tau = t * at;
    probability += t * weight * within(tau) * s / (beta + tau) * std::pow(beta / (beta + tau), s);
  }
  return probability;
}

}  // namespace vitrine
