#include "recommender/rank/explain.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "recommender/model/row_solver.h"

namespace vitrine {

Explainer::Explainer(const Model& model, const Profile& profile, std::span<const Cell> session,
                     float session_share) {
  const MixedTaste mixed = MixTastes(model, profile, session, session_share);
  std::vector<std::span<const Cell>> explained;
  const auto add = [&](std::span<const Cell> cells, double share) {
    parts_.emplace_back(model, cells, share);
    explained.push_back(cells);
    for (const Cell& cell : cells) from_.push_back(cell.index);
  };
  if (!profile.cells.empty()) add(profile.cells, mixed.history_share);
  if (mixed.session_share != 0) add(session, mixed.session_share);
  std::ranges::sort(from_);
  from_.erase(std::unique(from_.begin(), from_.end()), from_.end());
  for (size_t i = 0; i < parts_.size(); ++i) {
    for (const Cell& cell : explained[i]) {
      const auto at = std::ranges::lower_bound(from_, cell.index);
      parts_[i].places.push_back(static_cast<size_t>(at - from_.begin()));
    }
  }
}

Eigen::MatrixXd Explainer::Given(std::span<const uint32_t> products) const {
  const auto count = static_cast<Eigen::Index>(products.size());
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(from_.size()), count);
  for (const Part& part : parts_) {
    const Eigen::MatrixXd given = part.Given(products);
    for (size_t i = 0; i < part.places.size(); ++i) {
      sums.row(static_cast<Eigen::Index>(part.places[i])) +=
          given.row(static_cast<Eigen::Index>(i));
    }
  }
  return sums;
}

std::vector<Contribution> Explainer::Explain(uint32_t product) const {
  const Eigen::MatrixXd given = Given({&product, 1});
  std::vector<Contribution> all;
  for (size_t i = 0; i < from_.size(); ++i) {
    all.push_back({from_[i], static_cast<float>(given(static_cast<Eigen::Index>(i), 0))});
  }
  std::ranges::stable_sort(all, std::greater<>(), &Contribution::score);
  return all;
}

std::vector<Contribution> Explainer::Strongest(std::span<const uint32_t> products) const {
  std::vector<Contribution> strongest(products.size());
  if (from_.empty() || products.empty()) return strongest;
  const Eigen::MatrixXd given = Given(products);
  for (size_t j = 0; j < products.size(); ++j) {
    Eigen::Index best = 0;
    const double score = given.col(static_cast<Eigen::Index>(j)).maxCoeff(&best);
    if (score > 0) strongest[j] = {from_[static_cast<size_t>(best)], static_cast<float>(score)};
  }
  return strongest;
}

Explainer::Part::Part(const Model& model, std::span<const Cell> cells, double share)
    : side_(model.FoldInSide()) {
  const auto n = static_cast<Eigen::Index>(cells.size());
  const auto width = static_cast<Eigen::Index>(side_.width);
  const double regularization = RowRegularization(model.als, CountedCells(cells), side_.count);
  const Eigen::VectorXd diagonal =
      (model.als.unobserved_weight *
           Eigen::Map<const Eigen::VectorXf>(side_.spectrum.data(), width).cast<double>().array() +
       regularization)
          .matrix();
  inverse_diagonal_ = diagonal.cwiseInverse();
  std::vector<uint32_t> products;
  Eigen::VectorXd root_weights(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const Cell& cell = cells[static_cast<size_t>(i)];
    products.push_back(cell.index);
    root_weights[i] = std::sqrt(static_cast<double>(cell.weight));
  }
  weighted_ = root_weights.asDiagonal() * RowsOf(products).transpose();
  scale_ = share * root_weights;
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

Eigen::MatrixXd Explainer::Part::Given(std::span<const uint32_t> products) const {
  const Eigen::MatrixXd rows = RowsOf(products);
  if (small_) {
    return scale_.asDiagonal() *
           system_.solve(weighted_ * (inverse_diagonal_.asDiagonal() * rows).eval());
  }
  return scale_.asDiagonal() * (weighted_ * system_.solve(rows)).eval();
}

Eigen::MatrixXd Explainer::Part::RowsOf(std::span<const uint32_t> products) const {
  const auto width = static_cast<Eigen::Index>(side_.width);
  Eigen::MatrixXd rows(width, static_cast<Eigen::Index>(products.size()));
  for (size_t i = 0; i < products.size(); ++i) {
    rows.col(static_cast<Eigen::Index>(i)) =
        Eigen::Map<const Eigen::VectorXf>(side_.rows + products[i] * side_.stride, width)
            .cast<double>();
  }
  return rows;
}

}  // namespace vitrine
