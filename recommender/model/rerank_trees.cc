#include "recommender/model/rerank_trees.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Json = nlohmann::json;

struct Tree {
  std::vector<int64_t> left;
  std::vector<int64_t> right;
  std::vector<int64_t> features;
  std::vector<float> conditions;  // of a split its threshold, of a leaf its value

  bool IsLeaf(size_t node) const { return left[node] < 0; }
};

absl::Status Wrong(size_t tree, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("re-ranking model: tree ", tree, ": ", what));
}

// The depth below `node`, or an error if there is no end to it or a node is not as it should be.
absl::StatusOr<size_t> Measure(const Tree& tree, size_t number, size_t node, size_t depth,
                               size_t features) {
  if (tree.IsLeaf(node)) return depth;
  if (depth == TreeEnsemble::kDepthMax) {
    return Wrong(number, absl::StrCat("deeper than ", TreeEnsemble::kDepthMax));
  }
  if (tree.features[node] < 0 || static_cast<size_t>(tree.features[node]) >= features) {
    return Wrong(number, absl::StrCat("splits on feature ", tree.features[node], " of ", features));
  }
  size_t deepest = 0;
  for (const int64_t child : {tree.left[node], tree.right[node]}) {
    if (child < 0 || static_cast<size_t>(child) >= tree.left.size()) {
      return Wrong(number, absl::StrCat("node ", node, " has child ", child));
    }
    ASSIGN_OR_RETURN(const size_t below,
                     Measure(tree, number, static_cast<size_t>(child), depth + 1, features));
    deepest = std::max(deepest, below);
  }
  return deepest;
}

absl::StatusOr<Tree> ReadTree(const Json& json, size_t number) {
  Tree tree;
  json.at("left_children").get_to(tree.left);
  json.at("right_children").get_to(tree.right);
  json.at("split_indices").get_to(tree.features);
  json.at("split_conditions").get_to(tree.conditions);
  if (tree.left.empty() || tree.right.size() != tree.left.size() ||
      tree.features.size() != tree.left.size() || tree.conditions.size() != tree.left.size()) {
    return Wrong(number, "its lists are empty or differ in length");
  }
  return tree;
}

absl::StatusOr<std::vector<Tree>> ReadTrees(absl::string_view text, size_t count) {
  std::vector<Tree> trees;
  try {
    const Json json = Json::parse(text.begin(), text.end());
    const Json& booster = json.at("learner").at("gradient_booster");
    if (booster.at("name") != "gbtree") {
      return absl::InvalidArgumentError("re-ranking model: not of trees");
    }
    for (const Json& tree : booster.at("model").at("trees")) {
      if (trees.size() == count || trees.size() == TreeEnsemble::kTreesMax) break;
      ASSIGN_OR_RETURN(trees.emplace_back(), ReadTree(tree, trees.size()));
    }
  } catch (const Json::exception& e) {
    return absl::InvalidArgumentError(absl::StrCat("re-ranking model: ", e.what()));
  }
  if (trees.empty()) return absl::InvalidArgumentError("re-ranking model: it has no trees");
  return trees;
}

// Writes the tree below `node` to place `at` of a full tree, leaves above its last level to all
// places below.
void Fill(const Tree& tree, size_t node, size_t at, std::span<uint32_t> features,
          std::span<float> thresholds, std::span<float> leaves) {
  if (at >= thresholds.size()) {
    leaves[at - thresholds.size()] = tree.conditions[node];
    return;
  }
  const bool leaf = tree.IsLeaf(node);
  features[at] = leaf ? 0 : static_cast<uint32_t>(tree.features[node]);
  thresholds[at] = leaf ? std::numeric_limits<float>::infinity() : tree.conditions[node];
  const size_t left = leaf ? node : static_cast<size_t>(tree.left[node]);
  const size_t right = leaf ? node : static_cast<size_t>(tree.right[node]);
  Fill(tree, left, 2 * at + 1, features, thresholds, leaves);
  Fill(tree, right, 2 * at + 2, features, thresholds, leaves);
}

// What comes first of an encoded ensemble.
struct EncodedShape {
  uint32_t depth = 0;
  uint32_t features = 0;
  uint32_t trees = 0;
  uint32_t zero = 0;
};

template <typename T>
void AppendBytes(const std::vector<T>& values, std::string* out) {
  out->append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Takes `count` values off the front. REQUIRES: they are there.
template <typename T>
std::vector<T> TakeValues(size_t count, absl::string_view* bytes) {
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes->data(), count * sizeof(T));
  bytes->remove_prefix(count * sizeof(T));
  return values;
}

}  // namespace

std::string TreeEnsemble::Encode() const {
  const EncodedShape shape = {static_cast<uint32_t>(depth_), static_cast<uint32_t>(features_),
                              static_cast<uint32_t>(trees())};
  std::string out(reinterpret_cast<const char*>(&shape), sizeof(shape));
  AppendBytes(split_features_, &out);
  AppendBytes(thresholds_, &out);
  AppendBytes(leaves_, &out);
  return out;
}

absl::StatusOr<TreeEnsemble> TreeEnsemble::Decode(absl::string_view bytes) {
  EncodedShape shape;
  if (bytes.size() < sizeof(shape)) return absl::DataLossError("re-ranking trees: cut short");
  std::memcpy(&shape, bytes.data(), sizeof(shape));
  bytes.remove_prefix(sizeof(shape));
  if (shape.depth > kDepthMax || shape.trees == 0 || shape.trees > kTreesMax || shape.zero != 0) {
    return absl::DataLossError(
        absl::StrCat("re-ranking trees: ", shape.trees, " trees of depth ", shape.depth));
  }
  const size_t leaves = size_t{shape.trees} << shape.depth;
  const size_t inner = leaves - shape.trees;
  if (bytes.size() != inner * (sizeof(uint32_t) + sizeof(float)) + leaves * sizeof(float)) {
    return absl::DataLossError("re-ranking trees: cut short or too long");
  }
  TreeEnsemble ensemble;
  ensemble.depth_ = shape.depth;
  ensemble.features_ = shape.features;
  ensemble.split_features_ = TakeValues<uint32_t>(inner, &bytes);
  ensemble.thresholds_ = TakeValues<float>(inner, &bytes);
  ensemble.leaves_ = TakeValues<float>(leaves, &bytes);
  if (!std::ranges::all_of(ensemble.split_features_,
                           [&](uint32_t feature) { return feature < shape.features; }) ||
      std::ranges::any_of(ensemble.thresholds_, [](float value) { return std::isnan(value); }) ||
      !std::ranges::all_of(ensemble.leaves_, [](float value) { return std::isfinite(value); })) {
    return absl::DataLossError("re-ranking trees: a split or a leaf is out of range");
  }
  return ensemble;
}

absl::StatusOr<TreeEnsemble> TreeEnsemble::Parse(absl::string_view json, size_t features,
                                                 size_t trees) {
  ASSIGN_OR_RETURN(const std::vector<Tree> read, ReadTrees(json, trees));
  TreeEnsemble ensemble;
  ensemble.features_ = features;
  for (size_t t = 0; t < read.size(); ++t) {
    ASSIGN_OR_RETURN(const size_t depth, Measure(read[t], t, 0, 0, features));
    ensemble.depth_ = std::max(ensemble.depth_, depth);
  }
  const size_t leaves = size_t{1} << ensemble.depth_;
  const size_t inner = leaves - 1;
  ensemble.split_features_.resize(read.size() * inner);
  ensemble.thresholds_.resize(read.size() * inner);
  ensemble.leaves_.resize(read.size() * leaves);
  for (size_t t = 0; t < read.size(); ++t) {
    Fill(read[t], 0, 0, std::span(ensemble.split_features_).subspan(t * inner, inner),
         std::span(ensemble.thresholds_).subspan(t * inner, inner),
         std::span(ensemble.leaves_).subspan(t * leaves, leaves));
  }
  return ensemble;
}

void TreeEnsemble::Score(std::span<const float> rows, std::span<float> scores) const {
  std::fill(scores.begin(), scores.end(), 0.0f);
  const size_t leaves = size_t{1} << depth_;
  const size_t inner = leaves - 1;
  // Tree by tree, so that a tree stays in the cache; rows are independent, so that the processor
  // walks several at once.
  for (size_t t = 0; t < trees(); ++t) {
    const uint32_t* features = split_features_.data() + t * inner;
    const float* thresholds = thresholds_.data() + t * inner;
    const float* values = leaves_.data() + t * leaves;
    for (size_t i = 0; i < scores.size(); ++i) {
      const float* row = rows.data() + i * features_;
      size_t at = 0;
      for (size_t level = 0; level < depth_; ++level) {
        at = 2 * at + 1 + (row[features[at]] < thresholds[at] ? 0 : 1);
      }
      scores[i] += values[at - inner];
    }
  }
}

}  // namespace vitrine
