#include "recommender/customers/holdout.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace vitrine {
namespace {

size_t GroupOf(const HoldoutCase& c) {
  return std::min(static_cast<size_t>(c.history.purchases), kFrequencyGroups - 1);
}

}  // namespace

std::vector<HoldoutCase> SplitHistories(std::span<const std::vector<PurchaseDay>> customers,
                                        int32_t calibration_end, int32_t holdout_end,
                                        double days_per_unit) {
  std::vector<HoldoutCase> cases;
  for (const std::vector<PurchaseDay>& days : customers) {
    const std::optional<PurchaseSummary> known =
        SummarizePurchases(days, calibration_end, days_per_unit);
    if (!known) continue;
    cases.push_back({known->history, PurchasesBetween(days, calibration_end, holdout_end)});
  }
  return cases;
}

ByFrequency HoldoutByFrequency(std::span<const HoldoutCase> cases) {
  ByFrequency by;
  for (const HoldoutCase& c : cases) {
    ++by.customers[GroupOf(c)];
    by.mean_bought[GroupOf(c)] += static_cast<double>(c.bought);
  }
  for (size_t g = 0; g < kFrequencyGroups; ++g) {
    if (by.customers[g] > 0) by.mean_bought[g] /= static_cast<double>(by.customers[g]);
  }
  return by;
}

ForecastQuality JudgeForecast(std::span<const HoldoutCase> cases, Forecast forecast) {
  ForecastQuality quality;
  if (cases.empty()) return quality;
  const auto n = static_cast<double>(cases.size());
  double bought = 0, absolute = 0, square = 0;
  double ff = 0, bb = 0, fb = 0;
  const ByFrequency groups = HoldoutByFrequency(cases);
  for (const HoldoutCase& c : cases) {
    const double f = forecast(c.history);
    const auto b = static_cast<double>(c.bought);
    quality.total += f;
    bought += b;
    absolute += std::abs(f - b);
    square += (f - b) * (f - b);
    ff += f * f;
    bb += b * b;
    fb += f * b;
    const size_t g = GroupOf(c);
    quality.mean_by_frequency[g] += f / static_cast<double>(groups.customers[g]);
  }
  quality.total_error = bought > 0 ? (quality.total - bought) / bought : 0;
  quality.mean_absolute_error = absolute / n;
  quality.root_mean_square_error = std::sqrt(square / n);
  const double variances = (ff - quality.total * quality.total / n) * (bb - bought * bought / n);
  if (variances > 0) {
    quality.correlation = (fb - quality.total * bought / n) / std::sqrt(variances);
  }
  return quality;
}

}  // namespace vitrine
