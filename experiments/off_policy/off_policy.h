// What another policy would have earned on the traffic of this one, from its log alone: before
// anybody sees it (Strehl et al. 2010; Dudík, Langford, Li, ICML 2011; Swaminathan, Joachims, NIPS
// 2015).

#ifndef VITRINE_EXPERIMENTS_OFF_POLICY_OFF_POLICY_H_
#define VITRINE_EXPERIMENTS_OFF_POLICY_OFF_POLICY_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "experiments/statistics/effect.h"
#include "experiments/statistics/metric_sums.h"

namespace vitrine::experiments {

// One choice of the log. Of a list, a choice is a position: its propensity is that of the product
// at this position, for both policies.
struct LoggedChoice {
  double reward = 0;
  double propensity = 0;         // of what was chosen, by the policy that chose it: in (0, 1]
  double target_propensity = 0;  // the same by the policy that is judged: in [0, 1]
  // The policy's chance to choose here what the other could not: nothing can be known of that.
  double target_unsupported = 0;
  // A model of rewards, for DR; 0 without one. Fit to other users than this one
  // (cross_fit.h), or intervals come out too narrow.
  double predicted = 0;         // of what was chosen
  double predicted_target = 0;  // mean over the choices of the policy that is judged
};

struct OffPolicyOptions {
  double alpha = 0.05;
  double clip =
      std::numeric_limits<double>::infinity();  // of importance weights: less variance, some bias
  double effective_size_min = 1000;
};

struct PolicyValue {
  Estimate value;  // reward a choice
  double low = 0, high = 0;
  // Less what the policy of the log earned on the same rows.
  Estimate improvement;
  double improvement_low = 0, improvement_high = 0;
};

struct OffPolicyReport {
  int64_t rows = 0, users = 0;
  double logged_value = 0;
  PolicyValue ips;  // mean of weighted rewards: unbiased
  PolicyValue
      snips;  // divided by the sum of weights: less variance, and no change by adding a constant
  PolicyValue dr;   // doubly robust: right if propensities or predictions are
  double dm = 0;    // direct method: predictions alone; no interval, for its error is bias
  double sndr = 0;  // DR with its correction by the sum of weights
  double effective_size = 0;  // (sum w)^2 / sum w^2, in rows
  double mean_weight = 0;     // near 1 if propensities are right
  double mean_weight_se = 0;
  double max_weight = 0;
  double clipped_share = 0;  // of the weights' sum

  // Empty: the numbers may be read. Else why not.
  std::vector<std::string> objections;
};

// Sums only; standard errors are by user (delta method over users: a user's rows are not
// independent). Not thread-safe. O(1) a row.
class OffPolicyEvaluator {
 public:
  explicit OffPolicyEvaluator(const OffPolicyOptions& options = {}) : options_(options) {}

  // All rows of one user. InvalidArgument, and nothing is added, for propensities that are none and
  // numbers that are not finite.
  absl::Status AddUser(std::span<const LoggedChoice> rows);

  // FailedPrecondition with fewer than two users, or where nothing was ever earned by a weighted
  // row.
  absl::StatusOr<OffPolicyReport> Report() const;

 private:
  std::vector<std::string> Objections(const OffPolicyReport& report) const;

  OffPolicyOptions options_;
  // By user, the parts: estimator's numerator and denominator, reward, rows.
  MetricSums ips_, snips_, dr_;
  MetricSums sndr_;     // w (r - q), w, q of the policy, rows
  MetricSums weights_;  // weight before clipping, rows
  double squares_ = 0;  // of clipped weights
  double max_weight_ = 0;
  double unsupported_ = 0;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_OFF_POLICY_OFF_POLICY_H_
