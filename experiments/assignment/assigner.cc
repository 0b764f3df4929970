#include "experiments/assignment/assigner.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::StatusOr<std::vector<BucketRange>> RangesOfWeights(const AssignerOptions& options) {
  std::vector<double> weights = options.weights;
  if (weights.size() < 2) return absl::InvalidArgumentError("an experiment has at least two arms");
  if (!(options.coverage >= 0 && options.coverage <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("coverage ", options.coverage, " is not in [0, 1]"));
  }
  for (const double weight : weights) {
    if (!(weight >= 0 && weight < 1e9)) {
      return absl::InvalidArgumentError(absl::StrCat("a weight of ", weight));
    }
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (sum <= 0) return absl::InvalidArgumentError("no arm has a weight");
  if (options.hash == HashVersion::kNative) {
    for (double& weight : weights) weight /= sum;
  } else if (sum < 0.99 || sum > 1.01) {
    return absl::InvalidArgumentError(absl::StrCat("the sum of the weights is ", sum, ", not 1"));
  }
  return ArmRanges(weights.size(), options.coverage, weights);
}

absl::Status CheckRanges(std::vector<BucketRange> ranges) {
  if (ranges.size() < 2) return absl::InvalidArgumentError("an experiment has at least two arms");
  std::sort(ranges.begin(), ranges.end(),
            [](const BucketRange& a, const BucketRange& b) { return a.begin < b.begin; });
  double end = 0;
  for (const BucketRange& range : ranges) {
    if (!(range.begin >= end && range.begin <= range.end && range.end <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("range [", range.begin, ", ", range.end, ") overlaps or leaves [0, 1)"));
    }
    end = range.end;
  }
  return absl::OkStatus();
}

}  // namespace

absl::string_view AssignmentReasonName(AssignmentReason reason) {
  switch (reason) {
    case AssignmentReason::kHash:
      return "hash";
    case AssignmentReason::kRemembered:
      return "remembered";
    case AssignmentReason::kForced:
      return "forced";
    case AssignmentReason::kNoUnit:
      return "no_unit";
    case AssignmentReason::kHeldOut:
      return "held_out";
    case AssignmentReason::kVersionBlocked:
      return "version_blocked";
    case AssignmentReason::kOtherLayerPart:
      return "other_layer_part";
    case AssignmentReason::kNotInAudience:
      return "not_in_audience";
    case AssignmentReason::kOutsideCoverage:
      return "outside_coverage";
  }
  return "";
}

absl::StatusOr<Assigner> Assigner::Create(AssignerOptions options) {
  if (options.seed.empty()) return absl::InvalidArgumentError("an experiment without a seed");
  std::vector<BucketRange> ranges = options.ranges;
  if (ranges.empty()) {
    ASSIGN_OR_RETURN(ranges, RangesOfWeights(options));
  } else {
    RETURN_IF_ERROR(CheckRanges(ranges));
  }
  return Assigner(std::move(options), std::move(ranges));
}

Assigner::Assigner(AssignerOptions options, std::vector<BucketRange> ranges)
    : options_(std::move(options)),
      hash_(options_.hash, options_.seed),
      ranges_(std::move(ranges)) {
  for (const BucketRange& range : ranges_) shares_.push_back(ShareOfUnits(hash_, range));
  const double sum = std::accumulate(shares_.begin(), shares_.end(), 0.0);
  if (sum > 0) {
    for (double& share : shares_) share /= sum;
  }
}

Assigner::Memory Assigner::Remember(const UnitFacts& facts, int* arm) const {
  Memory memory = Memory::kNothing;
  for (const auto& remembered : {facts.remembered, facts.remembered_before}) {
    for (const RememberedArm& before : remembered) {
      if (before.bucket_version < options_.min_bucket_version) return Memory::kBlocked;
      if (memory == Memory::kNothing && before.bucket_version == options_.bucket_version &&
          before.arm < ranges_.size()) {
        *arm = static_cast<int>(before.arm);
        memory = Memory::kArm;
      }
    }
  }
  return memory;
}

Assignment Assigner::Assign(absl::string_view unit, const UnitFacts& facts) const {
  if (facts.forced_arm.has_value() && *facts.forced_arm < ranges_.size()) {
    return {static_cast<int>(*facts.forced_arm), AssignmentReason::kForced};
  }
  if (unit.empty()) return {-1, AssignmentReason::kNoUnit};
  if (facts.held_out) return {-1, AssignmentReason::kHeldOut};
  int arm = -1;
  const Memory memory = Remember(facts, &arm);
  if (memory == Memory::kBlocked) return {-1, AssignmentReason::kVersionBlocked};
  if (memory == Memory::kArm) return {arm, AssignmentReason::kRemembered, hash_.Point(unit)};
  for (const LayerPart& layer : options_.layers) {
    if (!layer.Holds(unit)) return {-1, AssignmentReason::kOtherLayerPart};
  }
  if (!facts.in_audience) return {-1, AssignmentReason::kNotInAudience};
  const double point = hash_.Point(unit);
  arm = ChooseArm(point, ranges_);
  return {arm, arm < 0 ? AssignmentReason::kOutsideCoverage : AssignmentReason::kHash, point};
}

}  // namespace vitrine::experiments
