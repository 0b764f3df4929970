#include "recommender/offline/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr double kOutside = 0.025;  // of the draws, on each side of the interval

// Linear between the two nearest, as most packages have it. REQUIRES: something is there.
double Quantile(std::span<const double> ascending, double part) {
  const double at = part * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], at - static_cast<double>(below));
}

void AddTo(std::span<const float> sums, double* total) {
  for (size_t c = 0; c < sums.size(); ++c) total[c] += static_cast<double>(sums[c]);
}

}  // namespace

Bootstrap::Bootstrap(const ClusterSums& sums, uint32_t resamples, uint64_t seed, uint32_t threads)
    : columns_(sums.columns()), all_(columns_), drawn_(resamples * columns_) {
  const size_t clusters = sums.clusters();
  for (size_t c = 0; c < clusters; ++c) AddTo(sums.Of(c), all_.data());
  Chunks chunks(resamples, 1);
  RunOnThreads(threads, [&] {
    while (const auto chunk = chunks.Next()) {
      std::seed_seq sequence{seed, seed >> 32, uint64_t{chunk->begin}};
      std::mt19937_64 random(sequence);
      double* const total = drawn_.data() + chunk->begin * columns_;
      // Not uniform_int_distribution: what it does with a seed differs between libraries.
      for (size_t i = 0; i < clusters; ++i) AddTo(sums.Of(random() % clusters), total);
    }
  });
}

template <typename Statistic>
Interval Bootstrap::Around(const Statistic& statistic, size_t count) const {
  if (all_[count] == 0) return {};
  std::vector<double> values;
  for (size_t row = 0; row < drawn_.size(); row += columns_) {
    if (drawn_[row + count] != 0) values.push_back(statistic(drawn_.data() + row));
  }
  const double value = statistic(all_.data());
  if (values.empty()) return {value, value, value};
  std::sort(values.begin(), values.end());
  return {value, Quantile(values, kOutside), Quantile(values, 1 - kOutside)};
}

Interval Bootstrap::Mean(size_t column, size_t count) const {
  return Around([=](const double* sums) { return sums[column] / sums[count]; }, count);
}

Interval Bootstrap::Difference(size_t a, size_t b, size_t count) const {
  return Around([=](const double* sums) { return (sums[a] - sums[b]) / sums[count]; }, count);
}

}  // namespace vitrine
