// What an experiment counts of one unit: the arm that it saw, and what it did from then on.
//
//   - A unit is a person as the store knows them now (store/identity.h): of somebody who logged in,
//     what the device saw and did before is theirs.
//   - It counts from its first exposure, and until the experiment ends; what lies before or after
//     does not.
//   - Who was shown two arms is in neither, and is counted; so is who was shown a forced one.

#ifndef VITRINE_EXPERIMENTS_ANALYSIS_UNIT_OUTCOME_H_
#define VITRINE_EXPERIMENTS_ANALYSIS_UNIT_OUTCOME_H_

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "experiments/attribution/credit.h"
#include "experiments/statistics/metric_sums.h"
#include "experiments/verdict/comparison.h"
#include "store/records_types.h"

namespace vitrine::experiments {

struct UnitOutcome {
  enum class Kind { kNotIn, kIn, kMixed, kForced };
  Kind kind = Kind::kNotIn;
  size_t arm = 0;                  // of kIn
  int64_t first_ms = 0;            // of kIn: its first exposure
  std::vector<UnitValues> values;  // of kIn, by DefinitionsOf; money in minor units
};

// Primary, secondary and guardrail metrics, as a verdict takes them.
std::vector<MetricDefinition> DefinitionsOf(const Experiment& experiment);

// From when and until when (exclusive) something counts: the start, and the end that was set or the
// moment of the stop, whichever came first.
struct CountedTime {
  int64_t from_ms = 0;
  int64_t to_ms = std::numeric_limits<int64_t>::max();

  static CountedTime Of(const Experiment& experiment);
  bool Holds(int64_t time_ms) const { return from_ms <= time_ms && time_ms < to_ms; }
};

// Whether the shelf was made by the experiment, and when that counts.
bool IsOf(const Experiment& experiment, const Exposure& shelf);

// `shelves` and `events`: all of the person's, in any order. Clicks and what is put into the cart
// are credited as CreditEvents does it; orders count whatever was bought. O(n log n) of both.
UnitOutcome OutcomeOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events, const CreditWindows& windows = {});

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_UNIT_OUTCOME_H_
