// A bandit as it is played: weights that are frozen for a batch, by segment, and the exact
// propensity of each choice.

#ifndef VITRINE_EXPERIMENTS_BANDIT_POLICY_H_
#define VITRINE_EXPERIMENTS_BANDIT_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/bucket.h"

namespace vitrine::experiments {

struct BanditChoice {
  uint32_t arm = 0;
  double propensity = 0;  // of this arm, in this batch and segment, > 0: to be logged
};

// Immutable for its batch, thread-safe, so that everybody who has it makes the same choice, and a
// log can be played again.
class BanditPolicy {
 public:
  // `seed` names the experiment; a batch has a number of its own, so that no unit is in the same
  // place of every batch. Weights by segment ("" is the one of all that have none), one an arm, the
  // same number in each. InvalidArgument: no segment "", weights below 0 or not of sum 1 (to 1e-9).
  static absl::StatusOr<BanditPolicy> Create(
      absl::string_view seed, int64_t batch,
      const absl::flat_hash_map<std::string, std::vector<double>>& weights);

  // `unit` is a person, or a request where each may get another arm. Allocates nothing.
  BanditChoice Choose(absl::string_view segment, absl::string_view unit) const;

  int64_t batch() const { return batch_; }
  // Of the segment's arms, or of "" for one that is not known.
  std::vector<double> Weights(absl::string_view segment) const;

 private:
  struct Segment {
    UnitHash hash;
    std::vector<BucketRange> ranges;
  };

  explicit BanditPolicy(int64_t batch) : batch_(batch) {}
  const Segment& Find(absl::string_view segment) const;

  int64_t batch_;
  absl::flat_hash_map<std::string, Segment> segments_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_BANDIT_POLICY_H_
