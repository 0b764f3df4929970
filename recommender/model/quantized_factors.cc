#include "recommender/model/quantized_factors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

using Q = QuantizedFactors;
using Row = std::span<const float>;

constexpr size_t kBlocksAtOnce = 64;

Row RowOf(const FactorView& factors, uint32_t product) {
  const auto d = static_cast<size_t>(factors.cols());
  return {factors.data() + product * d, d};
}

// The least float that is not below `value`.
float RoundUp(double value) {
  const auto nearest = static_cast<float>(value);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return nearest < value ? std::nextafter(nearest, kInfinity) : nearest;
}

float NormOf(Row row) {
  if (std::ranges::all_of(row, [](float factor) { return factor == 0; })) return 0;
  if (!Q::HasCodes(row)) return std::numeric_limits<float>::infinity();
  double squares = 0;
  for (const double factor : row) squares += factor * factor;
  return RoundUp(std::sqrt(squares));
}

// The nearest whole number from `low` to `high`.
double Nearest(double value, int low, int high) {
  return std::floor(std::clamp(value, double(low), double(high)) + 0.5);
}

// It is of use to have the largest a bit out of range, if that brings the others nearer: from the
// largest on, the codes that are nearest and the scale that fits those best by least squares are
// sought in turn.
float ScaleOf(Row row) {
  constexpr int kTurns = 2;  // the next makes a residual smaller by less than a 100th
  constexpr int kCodeMax = Q::kZero - 1;
  float largest = 0;
  for (const float factor : row) largest = std::max(largest, std::abs(factor));
  auto scale = static_cast<float>(largest / kCodeMax);
  for (int turn = 0; turn < kTurns; ++turn) {
    double products = 0, squares = 0;
    for (const double factor : row) {
      const double code = Nearest(factor / scale, -kCodeMax, kCodeMax);
      products += factor * code;
      squares += code * code;
    }
    scale = static_cast<float>(products / squares);  // the largest has a code other than 0
  }
  return scale;
}

// The codes of one lane of a block. How far off they are, in units of the scale.
float PutCodes(Row row, float scale, uint8_t* codes) {
  double residual = 0;
  const auto exact = [&](size_t j) { return j < row.size() ? double{row[j]} / scale : 0.0; };
  const auto count = [&](size_t j, double code) {
    if (j < row.size()) residual += (exact(j) - code) * (exact(j) - code);
  };
  constexpr int kHalfMax = Q::kParts - 1;
  for (size_t s = 0; s < row.size(); s += Q::kSlice, codes += Q::kSliceBytes) {
    for (size_t j = s; j < s + Q::kGroup; ++j) {
      const double lower = Nearest(exact(j) + Q::kZero, 0, kHalfMax);
      const double parts = lower / Q::kParts;
      const double upper = Nearest(exact(j + Q::kGroup) + Q::kZero - parts, 0, kHalfMax);
      codes[j - s] = static_cast<uint8_t>(upper * Q::kParts + lower);
      count(j, lower - Q::kZero);
      count(j + Q::kGroup, upper + parts - Q::kZero);
    }
  }
  return RoundUp(std::sqrt(residual));
}

// The same of the codes of the second look.
float PutFineCodes(Row row, float scale, uint8_t* codes) {
  constexpr int kFineMax = Q::kFineZero - 1;
  double residual = 0;
  for (size_t j = 0; j < row.size(); ++j) {
    const double exact = double{row[j]} / scale;
    const double code = Nearest(exact * Q::kFineParts, -kFineMax, kFineMax);
    codes[j] = static_cast<uint8_t>(Q::kFineZero + code);
    const double off = exact - code / Q::kFineParts;
    residual += off * off;
  }
  return RoundUp(std::sqrt(residual));
}

// By falling norm; of equals, the lower number first.
std::vector<uint32_t> OrderByNorm(std::span<const float> norms) {
  std::vector<uint32_t> order(norms.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, std::greater<>(), [&](uint32_t i) { return norms[i]; });
  return order;
}

}  // namespace

bool QuantizedFactors::HasCodes(std::span<const float> row) {
  constexpr float kLargestMin = 1e-30f, kLargestMax = 1e15f;
  float largest = 0;
  for (const float factor : row) {
    if (!(std::abs(factor) <= kLargestMax)) return false;
    largest = std::max(largest, std::abs(factor));
  }
  return largest >= kLargestMin;
}

QuantizedFactors::QuantizedFactors(const FactorView& factors)
    : factors_(static_cast<size_t>(factors.cols())), slices_(Slices(factors_)) {
  std::vector<float> norms(static_cast<size_t>(factors.rows()));
  for (uint32_t i = 0; i < norms.size(); ++i) norms[i] = NormOf(RowOf(factors, i));
  const size_t blocks = Blocks(norms.size());
  auto storage = std::make_shared<Storage>();
  storage->codes.assign(blocks * slices_ * kSliceBytes, 0);
  storage->fine_codes.assign(blocks * kLanes * factors_, kFineZero);
  storage->scales.assign(blocks * kLanes, 0.0f);
  storage->bounds.resize(blocks);
  storage->order = OrderByNorm(norms);
  Chunks chunks(blocks, kBlocksAtOnce);
  RunOnThreads(blocks <= kBlocksAtOnce ? 1 : 0, [&] {
    while (const auto chunk = chunks.Next()) {
      for (size_t block = chunk->begin; block < chunk->end; ++block) {
        EncodeBlock(factors, norms, block, storage.get());
      }
    }
  });
  arrays_ = {storage->codes, storage->fine_codes, storage->scales, storage->bounds, storage->order};
  storage_ = std::move(storage);
}

void QuantizedFactors::EncodeBlock(const FactorView& factors, std::span<const float> norms,
                                   size_t block, Storage* storage) const {
  uint8_t* const codes = storage->codes.data() + block * slices_ * kSliceBytes;
  uint8_t* const fine_codes = storage->fine_codes.data() + block * kLanes * factors_;
  float* const scales = storage->scales.data() + block * kLanes;
  Bounds& bounds = storage->bounds[block];
  const auto order = std::span(storage->order).subspan(block * kLanes);
  bounds.norm = norms[order[0]];
  for (size_t lane = 0; lane < std::min(kLanes, order.size()); ++lane) {
    const float norm = norms[order[lane]];
    if (norm == 0 || std::isinf(norm)) continue;
    const Row row = RowOf(factors, order[lane]);
    scales[lane] = ScaleOf(row);
    bounds.residual = std::max(bounds.residual, PutCodes(row, scales[lane], codes + lane * kGroup));
    bounds.fine_residual = std::max(bounds.fine_residual,
                                    PutFineCodes(row, scales[lane], fine_codes + lane * factors_));
  }
}

}  // namespace vitrine
