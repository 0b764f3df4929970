#include "experiments/off_policy/off_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::Status CheckRow(const LoggedChoice& row) {
  if (!(row.propensity > 0 && row.propensity <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a logged propensity of ", row.propensity, " is not in (0, 1]"));
  }
  if (!(row.target_propensity >= 0 && row.target_propensity <= 1 + 1e-9) ||
      !(row.target_unsupported >= 0 && row.target_unsupported <= 1 + 1e-9)) {
    return absl::InvalidArgumentError("a propensity of the judged policy is not in [0, 1]");
  }
  if (!std::isfinite(row.reward + row.predicted + row.predicted_target)) {
    return absl::InvalidArgumentError("a reward or prediction is not finite");
  }
  return absl::OkStatus();
}

// num / den - minus * reward / rows, of sums by user.
Estimate Ratio(const MetricSums& sums, double minus) {
  const double numerator = sums.Mean(0), denominator = sums.Mean(1);
  const double reward = sums.Mean(2), rows = sums.Mean(3);
  const Gradient gradient = {1 / denominator, -numerator / (denominator * denominator),
                             -minus / rows, minus * reward / (rows * rows)};
  return {numerator / denominator - minus * reward / rows,
          std::sqrt(sums.Variance(gradient) / static_cast<double>(sums.units))};
}

PolicyValue ValueOf(const MetricSums& sums, double z) {
  PolicyValue value;
  value.value = Ratio(sums, 0);
  value.low = value.value.value - z * value.value.se;
  value.high = value.value.value + z * value.value.se;
  value.improvement = Ratio(sums, 1);
  value.improvement_low = value.improvement.value - z * value.improvement.se;
  value.improvement_high = value.improvement.value + z * value.improvement.se;
  return value;
}

}  // namespace

absl::Status OffPolicyEvaluator::AddUser(std::span<const LoggedChoice> rows) {
  if (rows.empty()) return absl::OkStatus();
  for (const LoggedChoice& row : rows) RETURN_IF_ERROR(CheckRow(row));
  double reward = 0, weighted = 0, weight = 0, plain_weight = 0, correction = 0, predicted = 0;
  for (const LoggedChoice& row : rows) {
    const double unclipped = row.target_propensity / row.propensity;
    const double w = std::min(unclipped, options_.clip);
    reward += row.reward;
    weighted += w * row.reward;
    weight += w;
    plain_weight += unclipped;
    correction += w * (row.reward - row.predicted);
    predicted += row.predicted_target;
    squares_ += w * w;
    max_weight_ = std::max(max_weight_, unclipped);
    unsupported_ = std::max(unsupported_, row.target_unsupported);
  }
  const double count = static_cast<double>(rows.size());
  ips_.Add({weighted, count, reward, count});
  snips_.Add({weighted, weight, reward, count});
  dr_.Add({predicted + correction, count, reward, count});
  sndr_.Add({correction, weight, predicted, count});
  weights_.Add({plain_weight, count, reward, count});
  return absl::OkStatus();
}

absl::StatusOr<OffPolicyReport> OffPolicyEvaluator::Report() const {
  if (ips_.units < 2) return absl::FailedPreconditionError("fewer than two users in the log");
  if (!(snips_.sums[1] > 0)) {
    return absl::FailedPreconditionError("the policy chooses nothing of what was logged");
  }
  const double z = NormalQuantile(1 - options_.alpha / 2);
  OffPolicyReport report;
  report.users = ips_.units;
  report.rows = static_cast<int64_t>(ips_.sums[1]);
  report.logged_value = ips_.sums[2] / ips_.sums[3];
  report.ips = ValueOf(ips_, z);
  report.snips = ValueOf(snips_, z);
  report.dr = ValueOf(dr_, z);
  report.dm = sndr_.sums[2] / sndr_.sums[3];
  report.sndr = report.dm + sndr_.sums[0] / sndr_.sums[1];
  report.effective_size = snips_.sums[1] * snips_.sums[1] / squares_;
  const Estimate mean_weight = Ratio(weights_, 0);
  report.mean_weight = mean_weight.value;
  report.mean_weight_se = mean_weight.se;
  report.max_weight = max_weight_;
  report.clipped_share = 1 - snips_.sums[1] / weights_.sums[0];
  report.objections = Objections(report);
  return report;
}

std::vector<std::string> OffPolicyEvaluator::Objections(const OffPolicyReport& report) const {
  constexpr double kStandardErrors = 3;
  std::vector<std::string> objections;
  if (unsupported_ > 1e-9) {
    objections.push_back(
        absl::StrCat("no support: the policy would choose, with a chance of up to ", unsupported_,
                     ", what could not be shown"));
  }
  if (!(report.effective_size >= options_.effective_size_min)) {
    objections.push_back(absl::StrCat("the log is worth ", std::floor(report.effective_size),
                                      " rows of this policy, and ", options_.effective_size_min,
                                      " are needed"));
  }
  if (!(std::abs(report.mean_weight - 1) <= kStandardErrors * report.mean_weight_se + 1e-9)) {
    objections.push_back(absl::StrCat("the mean weight is ", report.mean_weight,
                                      " (standard error ", report.mean_weight_se,
                                      "), not 1: propensities are wrong"));
  }
  return objections;
}

}  // namespace vitrine::experiments
