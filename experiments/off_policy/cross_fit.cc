#include "experiments/off_policy/cross_fit.h"

#include <xxhash.h>

namespace vitrine::experiments {

size_t CrossFitMeans::FoldOf(absl::string_view user) {
  return XXH3_64bits(user.data(), user.size()) % kFolds;
}

CrossFitMeans::Sum CrossFitMeans::Others(const Folds& folds, size_t fold) {
  Sum sum;
  // Without a condition inside: GCC 12 at -O3 for AVX-512 loses part of a sum that has one.
  for (size_t step = 1; step < kFolds; ++step) {
    const Sum& other = folds[(fold + step) % kFolds];
    sum.rows += other.rows;
    sum.reward += other.reward;
  }
  return sum;
}

void CrossFitMeans::Add(absl::string_view user, absl::string_view cell, double reward) {
  const size_t fold = FoldOf(user);
  for (Folds* folds : {&all_, &cells_[cell]}) {
    (*folds)[fold].rows += 1;
    (*folds)[fold].reward += reward;
  }
}

double CrossFitMeans::Predict(absl::string_view user, absl::string_view cell) const {
  const size_t fold = FoldOf(user);
  const Sum all = Others(all_, fold);
  if (all.rows == 0) return 0;
  const double mean = all.reward / all.rows;
  const auto found = cells_.find(cell);
  const Sum of_cell = found == cells_.end() ? Sum() : Others(found->second, fold);
  const double rows = of_cell.rows + shrinkage_;
  return rows == 0 ? mean : (of_cell.reward + shrinkage_ * mean) / rows;
}

}  // namespace vitrine::experiments
