#include "experiments/statistics/metric_sums.h"

#include <algorithm>

namespace vitrine::experiments {
namespace {

size_t PairIndex(int part, int other) {
  const int high = std::max(part, other), low = std::min(part, other);
  return static_cast<size_t>(high * (high + 1) / 2 + low);
}

}  // namespace

void MetricSums::AddTimes(const UnitValues& unit, int times) {
  const std::array<double, kParts> values = {unit.value, unit.denominator, unit.value_before,
                                             unit.denominator_before};
  units += times;
  size_t pair = 0;
  for (int i = 0; i < kParts; ++i) {
    sums[i] += times * values[i];
    for (int j = 0; j <= i; ++j) products[pair++] += times * values[i] * values[j];
  }
}

void MetricSums::Merge(const MetricSums& other) {
  units += other.units;
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
  for (size_t i = 0; i < products.size(); ++i) products[i] += other.products[i];
}

double MetricSums::Product(int part, int other) const { return products[PairIndex(part, other)]; }

double MetricSums::Covariance(int part, int other) const {
  const double n = static_cast<double>(units);
  return (Product(part, other) - sums[part] * sums[other] / n) / (n - 1);
}

double MetricSums::Variance(const Gradient& gradient) const {
  double variance = 0;
  for (int i = 0; i < kParts; ++i) {
    if (gradient[i] == 0) continue;
    for (int j = 0; j < kParts; ++j) {
      if (gradient[j] != 0) variance += gradient[i] * gradient[j] * Covariance(i, j);
    }
  }
  return std::max(0.0, variance);
}

MetricSums MetricSums::Of(int64_t units, double sum, double sum_of_squares) {
  MetricSums sums;
  sums.units = units;
  sums.sums[kValue] = sum;
  sums.products[0] = sum_of_squares;
  return sums;
}

}  // namespace vitrine::experiments
