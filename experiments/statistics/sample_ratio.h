// Sample ratio mismatch: do the arms hold the parts of units that they were to hold? Where they do
// not, something loses units by arm, and no number of the experiment can be believed
// (Fabijan et al., KDD 2019).

#ifndef VITRINE_EXPERIMENTS_STATISTICS_SAMPLE_RATIO_H_
#define VITRINE_EXPERIMENTS_STATISTICS_SAMPLE_RATIO_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace vitrine::experiments {

// It is looked at often, so its level is strict.
inline constexpr double kSampleRatioAlpha = 0.001;

struct SampleRatioResult {
  double chi_squared = 0;
  int df = 0;
  double p = 1;
  double least_expected = 0;    // units of the arm that is to have the fewest
  int64_t units_unplanned = 0;  // in arms that are to have none: left out, and wrong in themselves

  // Chi-square's p is right where every arm expects at least so many.
  static constexpr double kExpectedMin = 5;
  bool mismatch(double alpha = kSampleRatioAlpha) const {
    return units_unplanned > 0 || (least_expected >= kExpectedMin && p < alpha);
  }
};

struct SampleRatioPeriod {
  std::vector<int64_t> units;  // of each arm
  std::vector<double> shares;  // that it was to have; in proportion, whatever their sum
};

// Chi-square, over arms with a share, df their number less 1. InvalidArgument for lists of
// different length, negative numbers, or fewer than two arms with a share.
absl::StatusOr<SampleRatioResult> SampleRatioTest(std::span<const int64_t> units,
                                                  std::span<const double> shares);

// The same where shares changed over time (a bandit's): each period is held against its own, and
// chi-squares and degrees of freedom are added. Periods in which one arm had all are passed over;
// InvalidArgument if that leaves none.
absl::StatusOr<SampleRatioResult> SampleRatioTest(std::span<const SampleRatioPeriod> periods);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_SAMPLE_RATIO_H_
