// Maximum likelihood of a few positive parameters, by NLopt's SLSQP (Kraft 1994) with gradients,
// over their logarithms: no step leaves the model, and parameters of different size are alike.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_MAXIMUM_LIKELIHOOD_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_MAXIMUM_LIKELIHOOD_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace vitrine {

// How a fit ended.
struct FitInfo {
  double log_likelihood = 0;  // of all customers
  int64_t customers = 0;
  int64_t rows = 0;     // that differ (purchase_summary.h, Compress)
  std::string reason;   // in NLopt's terms: "ftol_reached", "xtol_reached", "roundoff_limited"
  int evaluations = 0;  // of the likelihood, with its gradient
  double gradient = 0;  // the largest derivative of a customer's mean log-likelihood that is left
  bool at_bound =
      false;  // a parameter wants to be 0 or infinite: the model is more than the data ask
};

struct LikelihoodMaximum {
  std::vector<double> parameters;
  FitInfo info;
};

// The sum of log-likelihoods at `parameters` (all above 0), and into `gradient` its derivatives by
// each parameter itself.
using LogLikelihoodFunction =
    absl::FunctionRef<double(std::span<const double> parameters, std::span<double> gradient)>;

// Begins at `start`, and where that does not converge, at `start` times and divided by e^2.
// `customers`: what the sum is of. FailedPrecondition, with the reason, if no beginning ends where
// the likelihood is flat. Deterministic; thread-safe as far as `function` is.
absl::StatusOr<LikelihoodMaximum> MaximizeLikelihood(LogLikelihoodFunction function,
                                                     std::span<const double> start,
                                                     int64_t customers);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_MAXIMUM_LIKELIHOOD_H_
