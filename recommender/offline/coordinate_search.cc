#include "recommender/offline/coordinate_search.h"

#include <cmath>

namespace vitrine {

std::vector<float> OtherWeights(float weight) {
  constexpr float kWeightMax = 1e6f;
  std::vector<float> others = {0};
  for (const float factor : {0.1f, 0.25f, 0.5f, 0.7f, 1.4f, 2.0f, 4.0f, 10.0f}) {
    others.push_back(std::min((weight == 0 ? 1 : weight) * factor, kWeightMax));
  }
  return others;
}

std::vector<float> OtherExponents(float) { return {0.25f, 0.35f, 0.5f, 0.7f, 1.0f, 1.4f, 2.0f}; }

double Mean(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double StandardErrors(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  double squares = 0;
  for (size_t q = 0; q < a.size(); ++q) {
    const double difference = static_cast<double>(b[q]) - static_cast<double>(a[q]);
    sum += difference;
    squares += difference * difference;
  }
  if (sum == 0) return 0;
  const auto n = static_cast<double>(a.size());
  const double variance = squares / n - (sum / n) * (sum / n);
  if (variance <= 0) return sum > 0 ? 1e9 : -1e9;
  return sum / n / std::sqrt(variance / n);
}

}  // namespace vitrine
