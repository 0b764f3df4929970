// What was chosen for units, with which chance, and what came of it: the rows that bandits learn
// from, and that other policies are judged on.
//
// A choice is a unit's arm in one batch (of an experiment without batches: in all of it). It earns
// the primary metric from the batch's first shelf until the unit's next choice begins.

#ifndef VITRINE_EXPERIMENTS_CHOICES_CHOICES_H_
#define VITRINE_EXPERIMENTS_CHOICES_CHOICES_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine::experiments {

struct Choice {
  int64_t time_ms = 0;  // of the first shelf
  int64_t batch = 0;    // 0: the experiment has none
  std::string segment;
  size_t arm = 0;
  double propensity = 0;  // as it was logged, > 0
  double reward = 0;      // the primary metric; money in minor units
};

struct UnitChoices {
  std::vector<Choice> choices;  // by time
  // Batches in which the unit was shown two arms (on two devices, or because it changed its
  // segment): left out.
  int64_t mixed = 0;
  bool forced = false;  // was shown a forced arm: has no choices
};

// `shelves` and `events`: all of the person's, in any order. O(choices times n log n of both).
UnitChoices ChoicesOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events);

struct ChoicesOptions {
  // Choices whose first shelf was shown within these times; what came of one is counted until its
  // end, or until now.
  int64_t from_ms = 0;
  int64_t to_ms = std::numeric_limits<int64_t>::max();
  std::function<void(int64_t persons)> on_progress = nullptr;  // now and then; may be empty
};

struct ChoicesRead {
  int64_t units = 0;  // with a choice
  int64_t choices = 0;
  int64_t mixed = 0;   // choices left out
  int64_t forced = 0;  // units left out
  int64_t robots = 0;  // persons of the site left out, in it or not
};

// Calls `take` with each unit's name (opaque, stable) and choices, if it has any. Reads the whole
// store, best a checkpoint. FailedPrecondition if the experiment has not begun; InvalidArgument if
// its primary metric is none of a unit (a ratio).
absl::StatusOr<ChoicesRead> ReadChoices(
    const WebHouse& house, const Experiment& experiment, const ChoicesOptions& options,
    absl::FunctionRef<absl::Status(absl::string_view unit, std::span<const Choice>)> take);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_CHOICES_CHOICES_H_
