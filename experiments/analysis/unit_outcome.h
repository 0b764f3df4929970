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
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"

#include "experiments/analysis/product_book.h"
#include "experiments/attribution/credit.h"
#include "experiments/statistics/metric_sums.h"
#include "experiments/verdict/comparison.h"
#include "store/records_types.h"

namespace vitrine::experiments {

struct UnitOutcome {
  enum class Kind : uint8_t { kNotIn, kIn, kMixed, kForced, kRobot };
  // The metric that decides, as it stood at the end of a day of UTC, without what was before.
  struct OfDay {
    int32_t day = 0;  // since 1970
    double value = 0;
    double denominator = 0;

    bool operator==(const OfDay&) const = default;
  };

  Kind kind = Kind::kNotIn;
  // All else is of kIn.
  size_t arm = 0;
  int64_t first_ms = 0;            // its first exposure
  std::vector<UnitValues> values;  // by DefinitionsOf; whole numbers, money in minor units
  std::vector<OfDay> days;         // those on which it changed, and that of the first exposure
  // What it was before its first exposure, or with it: what no arm can change.
  Channel channel = Channel::WEB;
  Device device = Device::UNKNOWN_DEVICE;
  std::string country;     // empty: not known
  bool returning = false;  // did something in the shop before
  // Of all shelves of the experiment that it was shown: the products, each once, by KnownProduct
  // numbers, ascending; pairs of products on one shelf, and those of them of two categories (a pair
  // of which a category is not known is no pair).
  std::vector<uint32_t> shown;
  int64_t pairs = 0;
  int64_t pairs_apart = 0;
  // Replies that it names in what it did after, and those of them that left no exposure.
  int64_t replies = 0;
  int64_t replies_unexposed = 0;

  bool operator==(const UnitOutcome&) const = default;
};

// By MetricsOf, as a verdict takes them.
std::vector<MetricDefinition> DefinitionsOf(const Experiment& experiment);

// From when and until when (exclusive) something counts: the start, and the end that was set or the
// moment of the stop, whichever came first.
struct CountedTime {
  int64_t from_ms = 0;
  int64_t to_ms = std::numeric_limits<int64_t>::max();

  static CountedTime Of(const Experiment& experiment);
  bool Holds(int64_t time_ms) const { return from_ms <= time_ms && time_ms < to_ms; }
};

// What the experiment showed on this shelf; null if it made it not.
const ExposedArm* ArmOn(const Exposure& shelf, const std::string& experiment);

// Whether the shelf was made by the experiment, and when that counts.
bool IsOf(const Experiment& experiment, const Exposure& shelf);

// What is known of a product; it is asked again for the same ones.
using FindProduct = absl::FunctionRef<const KnownProduct&(const std::string& id)>;

// `shelves` and `events`: all of the person's, in any order. Clicks and what is put into the cart
// are credited as CreditEvents does it; orders count whatever was bought. Replies are left to the
// caller. O(n log n) of both, times the days on which the unit did something.
UnitOutcome OutcomeOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events, FindProduct product,
                      const CreditWindows& windows = {});

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_ANALYSIS_UNIT_OUTCOME_H_
