// Intervals and p-values that hold however often one looks and whenever one stops: the default
// while an experiment runs.
//
// Asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv
// 2103.06476v7, eq. 9, 155 and 161) for an estimate that is a mean of independent units, or nearly:
// differences of means, proportions and ratios, adjusted or not. "Asymptotic" is a limit: they hold
// once estimates are nearly normal, so look at nothing before kUnitsPerArmMin.

#ifndef VITRINE_EXPERIMENTS_SEQUENTIAL_CONFIDENCE_SEQUENCE_H_
#define VITRINE_EXPERIMENTS_SEQUENTIAL_CONFIDENCE_SEQUENCE_H_

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"

#include "experiments/statistics/effect.h"

namespace vitrine::experiments {

inline constexpr int64_t kSequentialUnitsPerArmMin = 100;

struct SequentialLook {
  double low =
      0;  // of the confidence sequence at this look; infinite on a one-sided test's other side
  double high = 0;
  double p = 1;  // always-valid, of this look: the experiment's is the least so far (RunningP)
};

// Immutable, thread-safe; O(1) each.
class ConfidenceSequence {
 public:
  // `planned_units` is N*, the units of both arms together when a decision is expected: there the
  // interval is as narrow as it can be. It is frozen at the start: chosen after looking, nothing
  // holds. InvalidArgument: alpha not in (0, 0.5), planned_units below 1.
  static absl::StatusOr<ConfidenceSequence> Create(
      double alpha, double planned_units, Alternative alternative = Alternative::kTwoSided);

  // `units` of both arms together, > 0.
  SequentialLook Look(const Estimate& estimate, int64_t units) const;

  // Half an interval's width in standard errors after so many units; the fixed test's is 1.96.
  double WidthFactor(double units) const;

  double rho() const { return rho_; }

 private:
  ConfidenceSequence(double alpha, double rho, Alternative alternative)
      : alpha_(alpha), rho_(rho), alternative_(alternative) {}

  double alpha_;
  double rho_;
  Alternative alternative_;
};

// The least p so far, which is what an always-valid p-value is.
class RunningP {
 public:
  double Update(double p) { return p_ = std::min(p_, p); }
  double p() const { return p_; }

 private:
  double p_ = 1;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_SEQUENTIAL_CONFIDENCE_SEQUENCE_H_
