#include "experiments/bandit/weights.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

bool HasSpread(const BetaPosterior& arm) {
  return arm.a > 0 && arm.b > 0 && std::isfinite(arm.a + arm.b);
}
bool HasSpread(const NormalPosterior& arm) {
  return arm.sd > 0 && std::isfinite(arm.sd) && std::isfinite(arm.mean);
}

// The posterior of 1 - x, or of -x: its best arm is the smallest one.
BetaPosterior Mirrored(const BetaPosterior& arm) { return {arm.b, arm.a}; }
NormalPosterior Mirrored(const NormalPosterior& arm) { return {-arm.mean, arm.sd}; }

template <typename Posterior>
absl::StatusOr<std::vector<double>> Weights(std::span<const Posterior> arms,
                                            std::span<const int64_t> units,
                                            const BanditOptions& options) {
  const double k = static_cast<double>(arms.size());
  if (arms.size() < 2 || units.size() != arms.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arms.size(), " arms, units of ", units.size(), ": at least two, and alike"));
  }
  if (!(options.floor >= 0 && options.floor * k <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a floor of ", options.floor, " for ", arms.size(), " arms"));
  }
  std::vector<Posterior> posteriors;
  for (const Posterior& arm : arms) {
    if (!HasSpread(arm)) return absl::InvalidArgumentError("a posterior without spread");
    posteriors.push_back(options.smaller_is_better ? Mirrored(arm) : arm);
  }
  if (*std::min_element(units.begin(), units.end()) < options.units_per_arm_min) {
    return std::vector<double>(arms.size(), 1 / k);
  }
  std::vector<double> weights = ChanceToBeBest(std::span<const Posterior>(posteriors));
  for (double& weight : weights) weight = options.floor + (1 - k * options.floor) * weight;
  return weights;
}

}  // namespace

absl::StatusOr<std::vector<double>> ThompsonWeights(std::span<const BetaPosterior> arms,
                                                    std::span<const int64_t> units,
                                                    const BanditOptions& options) {
  return Weights(arms, units, options);
}

absl::StatusOr<std::vector<double>> ThompsonWeights(std::span<const NormalPosterior> arms,
                                                    std::span<const int64_t> units,
                                                    const BanditOptions& options) {
  return Weights(arms, units, options);
}

absl::StatusOr<std::vector<double>> InverseGapWeights(std::span<const double> scores, double gamma,
                                                      double floor) {
  if (scores.empty() || !(gamma >= 0 && std::isfinite(gamma)) || !(floor >= 0 && floor < 1) ||
      !std::all_of(scores.begin(), scores.end(),
                   [](double score) { return std::isfinite(score); })) {
    return absl::InvalidArgumentError("inverse gap weighting of no scores, or of none that are");
  }
  const size_t best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  const double k = static_cast<double>(scores.size());
  std::vector<double> weights;
  double others = 0;
  for (size_t arm = 0; arm < scores.size(); ++arm) {
    const double gap = scores[best] - scores[arm];
    weights.push_back(std::max(1 / (k + gamma * gap), floor / k));
    if (arm != best) others += weights.back();
  }
  weights[best] = 1 - others;
  return weights;
}

}  // namespace vitrine::experiments
