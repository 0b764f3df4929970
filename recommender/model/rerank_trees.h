// Boosted regression trees as XGBoost writes them, walked without a branch that depends on data and
// without memory: every tree is filled up to one depth, so that a walk is `depth` look-ups.

#ifndef VITRINE_RECOMMENDER_MODEL_RERANK_TREES_H_
#define VITRINE_RECOMMENDER_MODEL_RERANK_TREES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

class TreeEnsemble {
 public:
  static constexpr size_t kDepthMax = 8;
  static constexpr size_t kTreesMax = 10'000;

  // Reads a model in XGBoost 1.7's JSON, the first `trees` of it, over rows of `features` numbers.
  // InvalidArgument, saying where, for anything that is no such model: another booster, a split on
  // an unknown feature, a child that is no node, a tree deeper than kDepthMax.
  static absl::StatusOr<TreeEnsemble> Parse(absl::string_view json, size_t features, size_t trees);

  // As a model file keeps it (README.md), and back. DataLoss, saying what is wrong, for bytes that
  // no ensemble has.
  std::string Encode() const;
  static absl::StatusOr<TreeEnsemble> Decode(absl::string_view bytes);

  TreeEnsemble() = default;

  size_t trees() const { return leaves_.size() >> depth_; }
  size_t features() const { return features_; }

  // Sets scores[i] to the sum of the leaves that row i falls into; XGBoost's margin without its
  // base score, to rounding. `rows` holds scores.size() rows one after the other; no value is NaN.
  // Thread-safe. O(rows * trees * depth).
  void Score(std::span<const float> rows, std::span<float> scores) const;

  bool operator==(const TreeEnsemble&) const = default;

 private:
  size_t depth_ = 0;
  size_t features_ = 0;
  // By tree, its 2^depth - 1 inner nodes level by level: left where row[feature] < threshold.
  std::vector<uint32_t> split_features_;
  std::vector<float> thresholds_;
  std::vector<float> leaves_;  // by tree, 2^depth of them
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_RERANK_TREES_H_
