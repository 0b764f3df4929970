// Whether an experiment's numbers may be believed at all: asked before any of them is shown.

#ifndef VITRINE_EXPERIMENTS_VERDICT_VALIDITY_H_
#define VITRINE_EXPERIMENTS_VERDICT_VALIDITY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/statistics/sample_ratio.h"

namespace vitrine::experiments {

// What was counted beside the metrics.
struct Health {
  // Units by arm and the shares they were to have: of those exposed, and of those assigned where
  // that is counted (empty: it is not). One period, or more where shares changed.
  std::vector<SampleRatioPeriod> exposed;
  std::vector<SampleRatioPeriod> assigned;
  double sample_ratio_least_p = 1;  // of looks before, see Validity
  int64_t units_mixed = 0;          // seen in two arms, and so left out of both
  int64_t replies = 0;              // that the experiment had a part in
  int64_t replies_unexposed = 0;    // of these, without an exposure that was kept
  // Of weighted analyses (off-policy, bandits): rows that the weights are worth.
  std::optional<double> effective_size = {};
};

struct ValidityLimits {
  double sample_ratio_alpha = kSampleRatioAlpha;  // of chi-square, at the end
  double sample_ratio_running_alpha = 0.01;       // of the always-valid test, while it runs
  double mixed_share_warning = 0.01;              // GrowthBook's; of all units
  double mixed_share_max = 0.10;                  // Eppo's
  double unexposed_share_max = 0.01;              // of replies
  double effective_size_min = 1000;
};

enum class ObjectionKind { kSampleRatio, kMixedUnits, kMissingExposures, kEffectiveSize };

absl::string_view ObjectionKindName(ObjectionKind kind);

struct Objection {
  ObjectionKind kind;
  std::string text;  // English, with the figures
};

struct Validity {
  std::vector<Objection> objections;  // empty: valid
  std::vector<std::string> warnings;
  SampleRatioResult sample_ratio;     // of those exposed
  double sample_ratio_running_p = 1;  // always-valid, the least so far: hand it in the next time

  bool valid() const { return objections.empty(); }
};

// `planned_units` sets how small a mismatch the running test looks for. InvalidArgument: counts
// that do not fit their shares.
absl::StatusOr<Validity> CheckValidity(const Health& health, bool ended, double planned_units,
                                       const ValidityLimits& limits);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_VERDICT_VALIDITY_H_
