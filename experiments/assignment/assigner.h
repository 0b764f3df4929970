// Which arm of an experiment a unit (customer or visitor) gets, and why.

#ifndef VITRINE_EXPERIMENTS_ASSIGNMENT_ASSIGNER_H_
#define VITRINE_EXPERIMENTS_ASSIGNMENT_ASSIGNER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/bucket.h"
#include "experiments/assignment/layer.h"

namespace vitrine::experiments {

struct AssignerOptions {
  // Of this experiment and phase alone: two that share a seed put the same units into the same
  // arms.
  std::string seed;
  HashVersion hash = HashVersion::kNative;
  // One an arm, at least two arms, none negative. Native: in proportion, whatever their sum.
  // GrowthBook's: taken as they are, their sum in [0.99, 1.01].
  std::vector<double> weights = {};
  double coverage = 1;                   // in [0, 1]: the part of each arm's range that is used
  std::vector<BucketRange> ranges = {};  // one an arm, disjoint: instead of weights and coverage
  std::vector<LayerPart> layers = {};    // the unit has to be in each
  // What was remembered under another version does not count; a unit remembered under one below
  // the least is out of the experiment, for it saw something else before.
  uint32_t bucket_version = 0;
  uint32_t min_bucket_version = 0;
};

// An arm that a unit had before, kept by whoever keeps such things. Arms that are added, taken away
// or moved are another bucket version.
struct RememberedArm {
  uint32_t bucket_version = 0;
  uint32_t arm = 0;
};

// What is known of a unit when it is assigned, beside its name.
struct UnitFacts {
  std::optional<uint32_t> forced_arm = {};  // a signed override (forced_arms.h)
  bool held_out = false;                    // by the site's Holdout
  bool in_audience = true;  // not asked where an arm is remembered: who is in stays in
  // Under this unit; and under the name it had before (a visitor's, of a customer who logged in).
  // The unit's own count first, by version: the first assignment stays.
  std::span<const RememberedArm> remembered = {};
  std::span<const RememberedArm> remembered_before = {};
};

enum class AssignmentReason {
  kHash,
  kRemembered,
  kForced,  // not to be analysed
  // Below: in no arm.
  kNoUnit,
  kHeldOut,
  kVersionBlocked,
  kOtherLayerPart,
  kNotInAudience,
  kOutsideCoverage,
};

absl::string_view AssignmentReasonName(AssignmentReason reason);

struct Assignment {
  int arm = -1;  // -1: in none
  AssignmentReason reason = AssignmentReason::kNoUnit;
  double point = -1;  // in [0, 1) where it was asked for

  bool assigned() const { return arm >= 0; }
  bool analysed() const { return assigned() && reason != AssignmentReason::kForced; }
};

// Immutable, thread-safe.
class Assigner {
 public:
  // InvalidArgument for weights, ranges or a coverage that are not what is said above: nothing is
  // replaced by equal weights in silence.
  static absl::StatusOr<Assigner> Create(AssignerOptions options);

  // In this order: forced, no unit, holdout, remembered, layers,
  // audience, hash. Allocates nothing; about 25 ns, GrowthBook's version 2 about 65.
  Assignment Assign(absl::string_view unit, const UnitFacts& facts = {}) const;

  size_t arms() const { return ranges_.size(); }

  // Of the units that are in an arm, the part that each has: what SRM compares counts with.
  const std::vector<double>& shares() const { return shares_; }

 private:
  Assigner(AssignerOptions options, std::vector<BucketRange> ranges);

  enum class Memory { kNothing, kArm, kBlocked };
  Memory Remember(const UnitFacts& facts, int* arm) const;

  AssignerOptions options_;
  UnitHash hash_;
  std::vector<BucketRange> ranges_;
  std::vector<double> shares_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ASSIGNMENT_ASSIGNER_H_
