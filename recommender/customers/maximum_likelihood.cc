#include "recommender/customers/maximum_likelihood.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <nlopt.h>

#include "absl/strings/str_cat.h"

#include "store/base/check.h"

namespace vitrine {
namespace {

constexpr double kLogBound = 12;      // parameters from e^-12 to e^12, after scaling
constexpr double kFlat = 1e-6;        // a customer's mean log-likelihood, by a log parameter
constexpr int kEvaluationsMax = 500;  // from one beginning
constexpr double kNearBound = 0.01;

struct Objective {
  LogLikelihoodFunction function;
  double customers;
  int evaluations = 0;
};

// The mean over customers and its derivatives by the logarithms of the parameters.
double Evaluate(Objective* objective, std::span<const double> logs, std::span<double> gradient) {
  std::vector<double> parameters(logs.size());
  std::transform(logs.begin(), logs.end(), parameters.begin(),
                 [](double x) { return std::exp(x); });
  std::vector<double> derivatives(logs.size());
  ++objective->evaluations;
  const double sum = objective->function(parameters, derivatives);
  for (size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = derivatives[i] * parameters[i] / objective->customers;
  }
  // Where it is no number, no step goes.
  return std::isfinite(sum) ? sum / objective->customers : std::numeric_limits<double>::lowest();
}

double ForNlopt(unsigned n, const double* logs, double* gradient, void* data) {
  return Evaluate(static_cast<Objective*>(data), {logs, n},
                  {gradient, gradient == nullptr ? 0 : n});
}

const char* ReasonName(nlopt_result result) {
  switch (result) {
    case NLOPT_SUCCESS:
      return "success";
    case NLOPT_STOPVAL_REACHED:
      return "stopval_reached";
    case NLOPT_FTOL_REACHED:
      return "ftol_reached";
    case NLOPT_XTOL_REACHED:
      return "xtol_reached";
    case NLOPT_MAXEVAL_REACHED:
      return "maxeval_reached";
    case NLOPT_MAXTIME_REACHED:
      return "maxtime_reached";
    case NLOPT_ROUNDOFF_LIMITED:
      return "roundoff_limited";
    case NLOPT_INVALID_ARGS:
      return "invalid_args";
    case NLOPT_OUT_OF_MEMORY:
      return "out_of_memory";
    case NLOPT_FORCED_STOP:
      return "forced_stop";
    default:
      return "failure";
  }
}

struct Ending {
  std::vector<double> logs;
  double mean = std::numeric_limits<double>::lowest();
  const char* reason = "";
  double gradient = std::numeric_limits<double>::infinity();
  bool at_bound = false;
};

// The largest derivative that a step within the bounds could follow.
double FreeGradient(std::span<const double> logs, std::span<const double> gradient,
                    bool* at_bound) {
  double largest = 0;
  for (size_t i = 0; i < logs.size(); ++i) {
    const bool low = logs[i] < kNearBound - kLogBound;
    const bool high = logs[i] > kLogBound - kNearBound;
    *at_bound = *at_bound || low || high;
    if ((low && gradient[i] < 0) || (high && gradient[i] > 0)) continue;
    largest = std::max(largest, std::abs(gradient[i]));
  }
  return largest;
}

Ending ClimbFrom(Objective* objective, std::vector<double> logs) {
  const auto n = static_cast<unsigned>(logs.size());
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> optimizer(
      nlopt_create(NLOPT_LD_SLSQP, n), nlopt_destroy);
  CHECK(optimizer != nullptr);
  nlopt_set_max_objective(optimizer.get(), ForNlopt, objective);
  nlopt_set_lower_bounds1(optimizer.get(), -kLogBound);
  nlopt_set_upper_bounds1(optimizer.get(), kLogBound);
  nlopt_set_ftol_rel(optimizer.get(), 1e-15);
  nlopt_set_xtol_abs1(optimizer.get(), 1e-10);
  nlopt_set_maxeval(optimizer.get(), kEvaluationsMax);
  Ending ending;
  ending.logs = std::move(logs);
  ending.reason = ReasonName(nlopt_optimize(optimizer.get(), ending.logs.data(), &ending.mean));
  std::vector<double> gradient(ending.logs.size());
  ending.mean = Evaluate(objective, ending.logs, gradient);
  ending.gradient = FreeGradient(ending.logs, gradient, &ending.at_bound);
  return ending;
}

}  // namespace

absl::StatusOr<LikelihoodMaximum> MaximizeLikelihood(LogLikelihoodFunction function,
                                                     std::span<const double> start,
                                                     int64_t customers) {
  CHECK(customers > 0);
  Objective objective{function, static_cast<double>(customers)};
  Ending best;
  for (const double shift : {0.0, 2.0, -2.0}) {
    std::vector<double> logs;
    for (const double parameter : start) logs.push_back(std::log(parameter) + shift);
    Ending ending = ClimbFrom(&objective, std::move(logs));
    if (ending.gradient < best.gradient) best = std::move(ending);
    if (best.gradient <= kFlat) break;
  }
  if (!(best.gradient <= kFlat)) {
    return absl::FailedPreconditionError(
        absl::StrCat("not converged: ", best.reason, " after ", objective.evaluations,
                     " evaluations, where the mean log-likelihood still rises by ", best.gradient));
  }
  LikelihoodMaximum maximum;
  for (const double x : best.logs) maximum.parameters.push_back(std::exp(x));
  maximum.info = {.log_likelihood = best.mean * static_cast<double>(customers),
                  .customers = customers,
                  .reason = best.reason,
                  .evaluations = objective.evaluations,
                  .gradient = best.gradient,
                  .at_bound = best.at_bound};
  return maximum;
}

}  // namespace vitrine
