#include "recommender/rank/explain.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "absl/container/flat_hash_map.h"

#include "recommender/model/row_solver.h"

namespace vitrine {

Explainer::Explainer(const Model& model, const Profile& profile, std::span<const Cell> session,
                     float session_share) {
  const MixedTaste mixed = MixTastes(model, profile, session, session_share);
  if (!profile.cells.empty()) parts_.emplace_back(model, profile.cells, mixed.history_share);
  if (mixed.session_share != 0) parts_.emplace_back(model, session, mixed.session_share);
}

template <typename Use>
void Explainer::Part::ForEach(uint32_t product, Use use) const {
  const Eigen::VectorXd row = Row(product);
  Eigen::VectorXd t;
  if (small_) {
    t = system_.solve(weighted_ * inverse_diagonal_.cwiseProduct(row));
  } else {
    t = weighted_ * system_.solve(row);
  }
  for (size_t i = 0; i < products_.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    use(products_[i], static_cast<float>(share_ * root_weights_[at] * t[at]));
  }
}

std::vector<Contribution> Explainer::Explain(uint32_t product) const {
  std::vector<Contribution> all;
  for (const Part& part : parts_) {
    part.ForEach(product, [&](uint32_t from, float score) { all.push_back({from, score}); });
  }
  std::ranges::stable_sort(all, {}, &Contribution::product);
  std::vector<Contribution> merged;
  for (const Contribution& one : all) {
    if (!merged.empty() && merged.back().product == one.product) {
      merged.back().score += one.score;
    } else {
      merged.push_back(one);
    }
  }
  std::ranges::stable_sort(merged, std::greater<>(), &Contribution::score);
  return merged;
}

Contribution Explainer::Strongest(uint32_t product) const {
  absl::flat_hash_map<uint32_t, float> sums;
  for (const Part& part : parts_) {
    part.ForEach(product, [&](uint32_t from, float score) { sums[from] += score; });
  }
  Contribution best;
  for (const auto& [from, score] : sums) {
    if (score > best.score || (score == best.score && score > 0 && from < best.product)) {
      best = {from, score};
    }
  }
  return best;
}

Explainer::Part::Part(const Model& model, std::span<const Cell> cells, double share)
    : side_(model.FoldInSide()), share_(share) {
  const auto n = static_cast<Eigen::Index>(cells.size());
  const auto width = static_cast<Eigen::Index>(side_.width);
  const double regularization = RowRegularization(model.als, CountedCells(cells), side_.count);
  const Eigen::VectorXd diagonal =
      (model.als.unobserved_weight *
           Eigen::Map<const Eigen::VectorXf>(side_.spectrum.data(), width).cast<double>().array() +
       regularization)
          .matrix();
  inverse_diagonal_ = diagonal.cwiseInverse();
  root_weights_.resize(n);
  weighted_.resize(n, width);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Cell& cell = cells[static_cast<size_t>(i)];
    products_.push_back(cell.index);
    root_weights_[i] = std::sqrt(static_cast<double>(cell.weight));
    weighted_.row(i) = root_weights_[i] * Row(cell.index);
  }
  small_ = n <= width;
  Eigen::MatrixXd system;
  if (small_) {
    system = weighted_ * inverse_diagonal_.asDiagonal() * weighted_.transpose();
    system.diagonal().array() += 1;
  } else {
    system = weighted_.transpose() * weighted_;
    system.diagonal() += diagonal;
  }
  system_.compute(system);
}

Eigen::VectorXd Explainer::Part::Row(uint32_t product) const {
  return Eigen::Map<const Eigen::VectorXf>(side_.rows + product * side_.stride,
                                           static_cast<Eigen::Index>(side_.width))
      .cast<double>();
}

}  // namespace vitrine
