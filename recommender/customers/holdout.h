// What a model is worth is what it says of a time it has not seen: fitted on purchases up to one
// day, compared with those after it, beside plain baselines.

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_HOLDOUT_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_HOLDOUT_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"

#include "recommender/customers/purchase_summary.h"

namespace vitrine {

// A customer of the calibration period, and the days on which they bought in the holdout.
struct HoldoutCase {
  RepeatHistory history;
  int64_t bought = 0;
};

// Customers who had bought by the end of the calibration; T ends there.
std::vector<HoldoutCase> SplitHistories(std::span<const std::vector<PurchaseDay>> customers,
                                        int32_t calibration_end, int32_t holdout_end,
                                        double days_per_unit = kDaysPerWeek);

// By repeat purchases of the calibration: 0, 1, ... and the last is so many or more.
constexpr size_t kFrequencyGroups = 8;

struct ByFrequency {
  std::array<int64_t, kFrequencyGroups> customers = {};
  std::array<double, kFrequencyGroups> mean_bought = {};
};
ByFrequency HoldoutByFrequency(std::span<const HoldoutCase> cases);

// How far a forecast was off.
struct ForecastQuality {
  double total = 0;        // forecast purchases of all
  double total_error = 0;  // (forecast - bought) / bought; 0 where nothing was bought
  double mean_absolute_error = 0;
  double root_mean_square_error = 0;
  double correlation = 0;  // of forecast and bought, over customers
  std::array<double, kFrequencyGroups> mean_by_frequency = {};
};

using Forecast = absl::FunctionRef<double(const RepeatHistory& history)>;
ForecastQuality JudgeForecast(std::span<const HoldoutCase> cases, Forecast forecast);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_HOLDOUT_H_
