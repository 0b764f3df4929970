#include "recommender/model/quantized_factors.h"

#include <algorithm>
#include <cmath>

namespace vitrine {
namespace {

constexpr int kZero = 128;
constexpr float kCodeMax = 127;
// A scale that still has an inverse.
constexpr float kLargestFactorMin = 1e-30f;

}  // namespace

QuantizedFactors::QuantizedFactors(const FactorMatrix& factors)
    : products_(static_cast<size_t>(factors.rows())),
      groups_((static_cast<size_t>(factors.cols()) + kGroup - 1) / kGroup) {
  const size_t blocks = (products_ + kLanes - 1) / kLanes;
  codes_.assign(blocks * groups_ * kLanes * kGroup, kZero);
  scales_.assign(blocks * kLanes, 0.0f);
  bounds_.resize(blocks);
  for (size_t product = 0; product < products_; ++product) Encode(factors, product);
}

void QuantizedFactors::Encode(const FactorMatrix& factors, size_t product) {
  const auto row = factors.row(static_cast<Eigen::Index>(product));
  if (row.size() == 0 || row.isZero(0)) return;
  const float largest = row.cwiseAbs().maxCoeff();
  if (!row.allFinite() || largest < kLargestFactorMin) {
    uncoded_.push_back(static_cast<uint32_t>(product));
    return;
  }
  const size_t block = product / kLanes;
  const size_t lane = product % kLanes;
  uint8_t* const codes = codes_.data() + block * groups_ * kLanes * kGroup + lane * kGroup;
  const float scale = largest / kCodeMax;
  double residual = 0, norm = 0;
  for (Eigen::Index j = 0; j < row.size(); ++j) {
    const double exact = static_cast<double>(row[j]) / scale;
    const double code = std::clamp(std::nearbyint(exact), -127.0, 127.0);
    residual += (exact - code) * (exact - code);
    norm += code * code;
    const auto component = static_cast<size_t>(j);
    codes[component / kGroup * kLanes * kGroup + component % kGroup] =
        static_cast<uint8_t>(static_cast<int>(code) + kZero);
  }
  scales_[product] = scale;
  Bounds& bounds = bounds_[block];
  bounds.residual = std::max(bounds.residual, static_cast<float>(std::sqrt(residual)));
  bounds.norm = std::max(bounds.norm, static_cast<float>(std::sqrt(norm)));
}

}  // namespace vitrine
