// What likelihoods of counts are made of, without overflow: rising factorials (all that is left of
// the gamma functions where purchases are whole numbers), sums and odds of logarithms.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_LOG_SPACE_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_LOG_SPACE_H_

#include <cmath>
#include <cstdint>

namespace vitrine {

// ln (z)_n = ln Gamma(z + n) - ln Gamma(z) and its derivative by z, for n that never falls: rows in
// the order of n cost O(largest n) in all, and nothing cancels however large z is.
class LogRising {
 public:
  explicit LogRising(double z) : z_(z) {}  // REQUIRES: z > 0

  // REQUIRES: `n` is not below that of the last call.
  void RiseTo(int64_t n) {
    for (; n_ < n; ++n_) {
      const double factor = z_ + static_cast<double>(n_);
      log_ += std::log(factor);
      derivative_ += 1 / factor;
    }
  }
  double log() const { return log_; }
  double derivative() const { return derivative_; }

 private:
  double z_;
  int64_t n_ = 0;
  double log_ = 0;
  double derivative_ = 0;
};

// ln (z)_n at once.
inline double LogRisingFactorial(double z, int64_t n) {
  LogRising rising(z);
  rising.RiseTo(n);
  return rising.log();
}

// ln(e^a + e^b); either may be -infinity.
inline double LogAddExp(double a, double b) {
  const double high = a > b ? a : b;
  const double low = a > b ? b : a;
  return std::isinf(high) ? high : high + std::log1p(std::exp(low - high));
}

// 1 / (1 + e^log_odds_against).
inline double ShareAgainst(double log_odds_against) {
  if (log_odds_against > 0) {
    const double odds_for = std::exp(-log_odds_against);
    return odds_for / (1 + odds_for);
  }
  return 1 / (1 + std::exp(log_odds_against));
}

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_LOG_SPACE_H_
