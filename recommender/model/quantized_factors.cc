#include "recommender/model/quantized_factors.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vitrine {
namespace {

constexpr int kZero = 128;
constexpr float kCodeMax = 127;
// A scale that still has an inverse.
constexpr float kLargestFactorMin = 1e-30f;

}  // namespace

QuantizedFactors::QuantizedFactors(const FactorView& factors)
    : products_(static_cast<size_t>(factors.rows())),
      groups_(Groups(static_cast<size_t>(factors.cols()))) {
  const size_t blocks = Blocks(products_);
  auto storage = std::make_shared<Storage>();
  storage->codes.assign(blocks * groups_ * kLanes * kGroup, kZero);
  storage->scales.assign(blocks * kLanes, 0.0f);
  storage->bounds.resize(blocks);
  for (size_t product = 0; product < products_; ++product) {
    Encode(factors, product, storage.get());
  }
  arrays_ = {storage->codes, storage->scales, storage->bounds, storage->uncoded};
  storage_ = std::move(storage);
}

void QuantizedFactors::Encode(const FactorView& factors, size_t product, Storage* storage) const {
  const auto row = factors.row(static_cast<Eigen::Index>(product));
  if (row.size() == 0 || row.isZero(0)) return;
  const float largest = row.cwiseAbs().maxCoeff();
  if (!row.allFinite() || largest < kLargestFactorMin) {
    storage->uncoded.push_back(static_cast<uint32_t>(product));
    return;
  }
  const size_t block = product / kLanes;
  const size_t lane = product % kLanes;
  uint8_t* const codes = storage->codes.data() + block * groups_ * kLanes * kGroup + lane * kGroup;
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
  storage->scales[product] = scale;
  Bounds& bounds = storage->bounds[block];
  bounds.residual = std::max(bounds.residual, static_cast<float>(std::sqrt(residual)));
  bounds.norm = std::max(bounds.norm, static_cast<float>(std::sqrt(norm)));
}

}  // namespace vitrine
