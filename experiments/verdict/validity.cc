#include "experiments/verdict/validity.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "experiments/sequential/sample_ratio_sequence.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

int64_t Units(const std::vector<SampleRatioPeriod>& periods) {
  int64_t units = 0;
  for (const SampleRatioPeriod& period : periods) {
    units = std::accumulate(period.units.begin(), period.units.end(), units);
  }
  return units;
}

std::string Counts(const std::vector<SampleRatioPeriod>& periods) {
  std::vector<int64_t> units;
  for (const SampleRatioPeriod& period : periods) {
    units.resize(std::max(units.size(), period.units.size()));
    for (size_t arm = 0; arm < period.units.size(); ++arm) units[arm] += period.units[arm];
  }
  return absl::StrJoin(units, " : ");
}

// While it runs, the always-valid test judges; chi-square is for the end, and for shares that
// changed.
absl::Status CheckSampleRatio(const std::vector<SampleRatioPeriod>& periods,
                              absl::string_view which, bool ended, double planned_units,
                              const ValidityLimits& limits, SampleRatioResult* result,
                              double* running_p, Validity* validity) {
  ASSIGN_OR_RETURN(*result, SampleRatioTest(periods));
  double p = result->p;
  bool mismatch = result->mismatch(limits.sample_ratio_alpha);
  if (periods.size() == 1) {
    ASSIGN_OR_RETURN(const double look, SampleRatioSequentialP(periods[0].units, periods[0].shares,
                                                               std::max(1.0, planned_units)));
    *running_p = std::min(*running_p, look);
    if (!ended) {
      p = *running_p;
      mismatch = p < limits.sample_ratio_running_alpha;
    }
  }
  if (mismatch) {
    validity->objections.push_back(
        {ObjectionKind::kSampleRatio,
         absl::StrFormat("sample ratio mismatch of units %s: %s, p %.2g%s", which, Counts(periods),
                         p,
                         result->units_unplanned > 0 ? ", some in an arm without a share" : "")});
  }
  return absl::OkStatus();
}

void CheckMixed(const Health& health, const ValidityLimits& limits, Validity* validity) {
  const double all = static_cast<double>(health.units_mixed + Units(health.exposed));
  const double share = all > 0 ? static_cast<double>(health.units_mixed) / all : 0;
  const std::string text = absl::StrFormat("%.1f%% of units were seen in two arms", 100 * share);
  if (share > limits.mixed_share_max) {
    validity->objections.push_back({ObjectionKind::kMixedUnits, text});
  } else if (share > limits.mixed_share_warning) {
    validity->warnings.push_back(text);
  }
}

}  // namespace

absl::string_view ObjectionKindName(ObjectionKind kind) {
  switch (kind) {
    case ObjectionKind::kSampleRatio:
      return "sample_ratio";
    case ObjectionKind::kMixedUnits:
      return "mixed_units";
    case ObjectionKind::kMissingExposures:
      return "missing_exposures";
    case ObjectionKind::kEffectiveSize:
      return "effective_size";
  }
  return "";
}

absl::StatusOr<Validity> CheckValidity(const Health& health, bool ended, double planned_units,
                                       const ValidityLimits& limits) {
  Validity validity;
  validity.sample_ratio_running_p = health.sample_ratio_least_p;
  RETURN_IF_ERROR(CheckSampleRatio(health.exposed, "exposed", ended, planned_units, limits,
                                   &validity.sample_ratio, &validity.sample_ratio_running_p,
                                   &validity));
  if (!health.assigned.empty()) {
    SampleRatioResult assigned;
    double running_p = 1;
    RETURN_IF_ERROR(CheckSampleRatio(health.assigned, "assigned", ended, planned_units, limits,
                                     &assigned, &running_p, &validity));
  }
  CheckMixed(health, limits, &validity);
  const double replies = static_cast<double>(health.replies);
  if (static_cast<double>(health.replies_unexposed) > limits.unexposed_share_max * replies) {
    validity.objections.push_back({ObjectionKind::kMissingExposures,
                                   absl::StrCat(health.replies_unexposed, " of ", health.replies,
                                                " replies left no exposure")});
  }
  if (health.effective_size.has_value() && !(*health.effective_size >= limits.effective_size_min)) {
    validity.objections.push_back(
        {ObjectionKind::kEffectiveSize,
         absl::StrFormat("the weights leave %.0f rows' worth, and %.0f are needed",
                         *health.effective_size, limits.effective_size_min)});
  }
  return validity;
}

}  // namespace vitrine::experiments
