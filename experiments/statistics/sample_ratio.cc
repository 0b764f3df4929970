#include "experiments/statistics/sample_ratio.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"

#include "experiments/statistics/distributions.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

absl::Status CheckPeriod(std::span<const int64_t> units, std::span<const double> shares) {
  if (units.size() != shares.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("counts of ", units.size(), " arms, shares of ", shares.size()));
  }
  for (size_t arm = 0; arm < units.size(); ++arm) {
    if (units[arm] < 0 || !(shares[arm] >= 0 && shares[arm] < 1e18)) {
      return absl::InvalidArgumentError("a count or share below 0");
    }
  }
  return absl::OkStatus();
}

// Adds a period's chi-square; df stays as it is where one arm had all.
void AddPeriod(std::span<const int64_t> units, std::span<const double> shares,
               SampleRatioResult& result) {
  double total = 0, share_total = 0;
  int arms = 0;
  for (size_t arm = 0; arm < units.size(); ++arm) {
    if (shares[arm] > 0) {
      total += static_cast<double>(units[arm]);
      share_total += shares[arm];
      ++arms;
    } else {
      result.units_unplanned += units[arm];
    }
  }
  if (arms < 2 || total == 0) return;
  result.df += arms - 1;
  for (size_t arm = 0; arm < units.size(); ++arm) {
    if (shares[arm] <= 0) continue;
    const double expected = total * shares[arm] / share_total;
    const double off = static_cast<double>(units[arm]) - expected;
    result.chi_squared += off * off / expected;
    result.least_expected = std::min(result.least_expected, expected);
  }
}

}  // namespace

absl::StatusOr<SampleRatioResult> SampleRatioTest(std::span<const SampleRatioPeriod> periods) {
  SampleRatioResult result;
  result.least_expected = std::numeric_limits<double>::infinity();
  bool tested = false;
  for (const SampleRatioPeriod& period : periods) {
    RETURN_IF_ERROR(CheckPeriod(period.units, period.shares));
    AddPeriod(period.units, period.shares, result);
    tested |= std::count_if(period.shares.begin(), period.shares.end(),
                            [](double share) { return share > 0; }) >= 2;
  }
  if (!tested) return absl::InvalidArgumentError("fewer than two arms have a share");
  if (result.df == 0) {
    result.least_expected = 0;
  } else {
    result.p = ChiSquaredSurvival(result.chi_squared, result.df);
  }
  return result;
}

absl::StatusOr<SampleRatioResult> SampleRatioTest(std::span<const int64_t> units,
                                                  std::span<const double> shares) {
  const SampleRatioPeriod period{{units.begin(), units.end()}, {shares.begin(), shares.end()}};
  return SampleRatioTest(std::span<const SampleRatioPeriod>(&period, 1));
}

}  // namespace vitrine::experiments
