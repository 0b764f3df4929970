#include "experiments/bandit/policy.h"

#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace vitrine::experiments {
namespace {

absl::StatusOr<std::vector<BucketRange>> RangesOf(const std::vector<double>& weights) {
  for (const double weight : weights) {
    if (!(weight >= 0)) return absl::InvalidArgumentError(absl::StrCat("a weight of ", weight));
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(std::abs(sum - 1) <= 1e-9)) {
    return absl::InvalidArgumentError(absl::StrCat("weights of sum ", sum));
  }
  std::vector<BucketRange> ranges = ArmRanges(weights.size(), 1, weights);
  // What sums of doubles leave over at the end belongs to the last arm that can be played.
  size_t last = weights.size() - 1;
  while (weights[last] == 0) --last;
  ranges[last].end = 1;
  return ranges;
}

}  // namespace

absl::StatusOr<BanditPolicy> BanditPolicy::Create(
    absl::string_view seed, int64_t batch,
    const absl::flat_hash_map<std::string, std::vector<double>>& weights) {
  const auto common = weights.find("");
  if (common == weights.end()) return absl::InvalidArgumentError("no weights for all others");
  BanditPolicy policy(batch);
  for (const auto& [segment, of_segment] : weights) {
    if (of_segment.size() != common->second.size()) {
      return absl::InvalidArgumentError(absl::StrCat("segment ", segment, " has other arms"));
    }
    absl::StatusOr<std::vector<BucketRange>> ranges = RangesOf(of_segment);
    if (!ranges.ok()) return ranges.status();
    const UnitHash hash(HashVersion::kNative, absl::StrCat(seed, "/", batch, "/", segment));
    policy.segments_.emplace(segment, Segment{hash, *std::move(ranges)});
  }
  return policy;
}

const BanditPolicy::Segment& BanditPolicy::Find(absl::string_view segment) const {
  const auto found = segments_.find(segment);
  return found != segments_.end() ? found->second : segments_.find("")->second;
}

BanditChoice BanditPolicy::Choose(absl::string_view segment, absl::string_view unit) const {
  const Segment& of = Find(segment);
  const size_t arm = static_cast<size_t>(ChooseArm(of.hash.Point(unit), of.ranges));
  return {static_cast<uint32_t>(arm), of.ranges[arm].end - of.ranges[arm].begin};
}

std::vector<double> BanditPolicy::Weights(absl::string_view segment) const {
  std::vector<double> weights;
  for (const BucketRange& range : Find(segment).ranges) weights.push_back(range.end - range.begin);
  return weights;
}

}  // namespace vitrine::experiments
