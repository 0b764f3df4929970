// A model of rewards for the doubly robust estimator: means of what each cell (a product, or a
// product at a position for a segment) earned, of other users than the one that is predicted for.

#ifndef VITRINE_EXPERIMENTS_OFF_POLICY_CROSS_FIT_H_
#define VITRINE_EXPERIMENTS_OFF_POLICY_CROSS_FIT_H_

#include <array>
#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace vitrine::experiments {

// Users fall into three folds by hash; a prediction is made from the two that the user is not in
// (Chernozhukov et al., Econometrics Journal 2018: cross-fitting). Not thread-safe while rows are
// added.
class CrossFitMeans {
 public:
  // A cell's mean is drawn to that of all cells by so many rows of it. REQUIRES: >= 0.
  explicit CrossFitMeans(double shrinkage = 10) : shrinkage_(shrinkage) {}

  void Add(absl::string_view user, absl::string_view cell, double reward);

  // For this user; 0 if no other fold has a row.
  double Predict(absl::string_view user, absl::string_view cell) const;

 private:
  static constexpr size_t kFolds = 3;
  struct Sum {
    double rows = 0;
    double reward = 0;
  };
  using Folds = std::array<Sum, kFolds>;

  static size_t FoldOf(absl::string_view user);
  static Sum Others(const Folds& folds, size_t fold);

  double shrinkage_;
  Folds all_ = {};
  absl::flat_hash_map<std::string, Folds> cells_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_OFF_POLICY_CROSS_FIT_H_
