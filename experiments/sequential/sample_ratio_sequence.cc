#include "experiments/sequential/sample_ratio_sequence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::Status CheckArms(std::span<const int64_t> units, std::span<const double> shares,
                       std::span<const double> prior) {
  if (units.size() != shares.size() || units.size() != prior.size()) {
    return absl::InvalidArgumentError("counts, shares and prior of different numbers of arms");
  }
  int arms = 0;
  for (size_t arm = 0; arm < units.size(); ++arm) {
    if (units[arm] < 0 || !(shares[arm] >= 0 && std::isfinite(shares[arm])) ||
        (shares[arm] > 0 && !(prior[arm] > 0 && std::isfinite(prior[arm])))) {
      return absl::InvalidArgumentError("a count, a share or a prior that is none");
    }
    arms += shares[arm] > 0 ? 1 : 0;
  }
  if (arms < 2) return absl::InvalidArgumentError("fewer than two arms have a share");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<double> SampleRatioLogEvidence(std::span<const int64_t> units,
                                              std::span<const double> shares,
                                              std::span<const double> prior) {
  RETURN_IF_ERROR(CheckArms(units, shares, prior));
  const double share_total = std::accumulate(shares.begin(), shares.end(), 0.0);
  double total = 0, prior_total = 0, log_evidence = 0;
  for (size_t arm = 0; arm < units.size(); ++arm) {
    const double n = static_cast<double>(units[arm]);
    if (shares[arm] == 0) {
      if (n > 0) return std::numeric_limits<double>::infinity();
      continue;
    }
    total += n;
    prior_total += prior[arm];
    log_evidence +=
        LogGamma(prior[arm] + n) - LogGamma(prior[arm]) - n * std::log(shares[arm] / share_total);
  }
  return log_evidence + LogGamma(prior_total) - LogGamma(prior_total + total);
}

absl::StatusOr<double> SampleRatioSequentialP(std::span<const int64_t> units,
                                              std::span<const double> shares,
                                              double concentration) {
  const double share_total = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<double> prior;
  for (const double share : shares) prior.push_back(concentration * share / share_total);
  ASSIGN_OR_RETURN(const double log_evidence, SampleRatioLogEvidence(units, shares, prior));
  return std::min(1.0, std::exp(-log_evidence));
}

}  // namespace vitrine::experiments
