#include "experiments/bayesian/posterior.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

// In standard deviations: where nearly all of a distribution is, and where nothing is left of it.
// A Beta's tail may fall as slowly as e^-x.
constexpr double kNear = 5;
constexpr double kNormalReach = 9;
constexpr double kBetaReach = 40;
constexpr double kTolerance = 1e-12;

double Density(const BetaPosterior& arm, double x) { return BetaDensity(x, arm.a, arm.b); }
double Cdf(const BetaPosterior& arm, double x) { return BetaCdf(x, arm.a, arm.b); }
Interval Around(const BetaPosterior& arm, double sds) {
  const double mean = arm.Mean();
  const double sd = std::sqrt(mean * (1 - mean) / (arm.a + arm.b + 1));
  return {std::max(0.0, mean - sds * sd), std::min(1.0, mean + sds * sd)};
}
Interval Support(const BetaPosterior& arm) { return Around(arm, kBetaReach); }

double Density(const NormalPosterior& arm, double x) {
  return NormalDensity((x - arm.mean) / arm.sd) / arm.sd;
}
double Cdf(const NormalPosterior& arm, double x) { return NormalCdf((x - arm.mean) / arm.sd); }
Interval Around(const NormalPosterior& arm, double sds) {
  return {arm.mean - sds * arm.sd, arm.mean + sds * arm.sd};
}
Interval Support(const NormalPosterior& arm) { return Around(arm, kNormalReach); }

// Integral of a function that changes where the arms do, piece by piece between where they are, so
// that no narrow arm is overlooked beside a wide one.
template <typename Posterior, typename Function>
double IntegralOver(std::span<const Posterior> arms, const Interval& over, double tolerance,
                    const Function& f) {
  std::vector<double> cuts = {over.low, over.high};
  for (const Posterior& arm : arms) {
    const Interval near = Around(arm, kNear);
    for (const double cut : {near.low, (near.low + near.high) / 2, near.high}) {
      if (over.low < cut && cut < over.high) cuts.push_back(cut);
    }
  }
  std::sort(cuts.begin(), cuts.end());
  double sum = 0;
  for (size_t i = 1; i < cuts.size(); ++i) {
    sum += Integral(f, cuts[i - 1], cuts[i], tolerance);
  }
  return sum;
}

template <typename Posterior>
std::vector<double> Best(std::span<const Posterior> arms) {
  CHECK(!arms.empty());
  std::vector<double> chances;
  for (size_t arm = 0; arm + 1 < arms.size(); ++arm) {
    chances.push_back(IntegralOver(arms, Support(arms[arm]), kTolerance, [arms, arm](double x) {
      double product = Density(arms[arm], x);
      for (size_t other = 0; other < arms.size() && product > 0; ++other) {
        if (other != arm) product *= Cdf(arms[other], x);
      }
      return product;
    }));
  }
  chances.push_back(std::max(0.0, 1 - std::accumulate(chances.begin(), chances.end(), 0.0)));
  return chances;
}

// E max(0, b - a): the integral of P(a < x < b).
double ExpectedExcess(const BetaPosterior& b, const BetaPosterior& a) {
  const BetaPosterior arms[] = {a, b};
  const Interval over = {Support(a).low, Support(b).high};
  return IntegralOver(std::span<const BetaPosterior>(arms), over,
                      kTolerance * (over.high - over.low),
                      [&](double x) { return BetaCdf(1 - x, b.b, b.a) * Cdf(a, x); });
}

}  // namespace

absl::StatusOr<BetaPosterior> UpdateBeta(const BetaPosterior& prior, int64_t successes,
                                         int64_t units) {
  if (!(prior.a > 0 && prior.b > 0 && std::isfinite(prior.a + prior.b))) {
    return absl::InvalidArgumentError(
        absl::StrCat("a prior of Beta(", prior.a, ", ", prior.b, ")"));
  }
  if (successes < 0 || successes > units) {
    return absl::InvalidArgumentError(absl::StrCat(successes, " successes of ", units));
  }
  return BetaPosterior{prior.a + static_cast<double>(successes),
                       prior.b + static_cast<double>(units - successes)};
}

NormalPosterior UpdateNormal(const NormalPosterior& prior, const Estimate& estimate) {
  CHECK(prior.sd > 0 && estimate.se > 0) << prior.sd << ", " << estimate.se;
  const double of_prior = 1 / (prior.sd * prior.sd);
  const double of_estimate = 1 / (estimate.se * estimate.se);
  const double precision = of_prior + of_estimate;
  return {(prior.mean * of_prior + estimate.value * of_estimate) / precision,
          1 / std::sqrt(precision)};
}

Interval CredibleInterval(const BetaPosterior& posterior, double alpha) {
  return {BetaQuantile(alpha / 2, posterior.a, posterior.b),
          BetaQuantile(1 - alpha / 2, posterior.a, posterior.b)};
}

Interval CredibleInterval(const NormalPosterior& posterior, double alpha) {
  const double half = NormalQuantile(1 - alpha / 2) * posterior.sd;
  return {posterior.mean - half, posterior.mean + half};
}

Comparison Compare(const BetaPosterior& control, const BetaPosterior& treatment) {
  const BetaPosterior arms[] = {control, treatment};
  return {ChanceToBeBest(std::span<const BetaPosterior>(arms))[1],
          ExpectedExcess(treatment, control), ExpectedExcess(control, treatment)};
}

Comparison Compare(const NormalPosterior& effect) {
  CHECK(effect.sd > 0) << effect.sd;
  const double z = effect.mean / effect.sd;
  const double tail = effect.sd * NormalDensity(z);
  return {NormalCdf(z), effect.mean * NormalCdf(z) + tail, -effect.mean * NormalCdf(-z) + tail};
}

std::vector<double> ChanceToBeBest(std::span<const BetaPosterior> arms) { return Best(arms); }

std::vector<double> ChanceToBeBest(std::span<const NormalPosterior> arms) { return Best(arms); }

}  // namespace vitrine::experiments
