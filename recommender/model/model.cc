#include "recommender/model/model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "recommender/model/eigenbasis.h"

namespace vitrine {
namespace {

// Whether folding in as if the Gramian were diagonal changes a solution by a 10^-5th at most: with
// D the diagonal of a row's system and E what is left out of it, |D^-1/2 E D^-1/2|.
bool IsDiagonal(const FactorMatrix& gramian, const AlsSettings& als, size_t products) {
  const double regularization = RowRegularization(als, /*degree=*/1, products);
  const Eigen::ArrayXd inverse_root =
      (als.unobserved_weight * gramian.diagonal().cast<double>().array() + regularization).rsqrt();
  Eigen::MatrixXd scaled = inverse_root.matrix().asDiagonal() *
                           (als.unobserved_weight * gramian.cast<double>()) *
                           inverse_root.matrix().asDiagonal();
  scaled.diagonal().setZero();
  return scaled.norm() <= 1e-5;  // false for NaN
}

}  // namespace

std::optional<uint32_t> Model::Find(absl::string_view product_id) const {
  const auto found = index.find(product_id);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

FixedSide Model::FoldInSide() const {
  if (fold_in.rotated) return MakeFixedSide(*fold_in.rotated, fold_in.spectrum);
  const auto width = static_cast<size_t>(factors.cols());
  return {factors.data(), static_cast<size_t>(factors.rows()), width, width, fold_in.spectrum};
}

void Model::Derive() {
  gramian = Gramian(factors, /*threads=*/1);
  const auto width =
      (static_cast<size_t>(factors.cols()) + kWidthStep - 1) / kWidthStep * kWidthStep;
  fold_in = {};
  if (IsDiagonal(gramian, als, products.size())) {
    fold_in.spectrum.assign(gramian.diagonal().begin(), gramian.diagonal().end());
    fold_in.spectrum.resize(width);
    if (width != static_cast<size_t>(factors.cols())) {
      fold_in.rotated = std::make_shared<const PaddedMatrix>(factors);
    }
  } else {
    Eigenbasis eigen = Diagonalize(gramian.cast<double>(), width);
    auto rotated = std::make_shared<PaddedMatrix>(factors);
    Rotate(eigen.basis, /*threads=*/1, rotated.get());
    fold_in = {std::move(rotated), std::move(eigen.spectrum), eigen.basis.cast<float>()};
  }

  by_popularity.resize(products.size());
  std::iota(by_popularity.begin(), by_popularity.end(), 0u);
  std::stable_sort(by_popularity.begin(), by_popularity.end(),
                   [this](uint32_t a, uint32_t b) { return popularity[a] > popularity[b]; });

  quantized = QuantizedFactors(factors);

  index.clear();
  index.reserve(products.size());
  for (uint32_t i = 0; i < products.size(); ++i) index.emplace(products[i], i);
}

}  // namespace vitrine
