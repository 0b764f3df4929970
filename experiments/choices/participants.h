// One pass over the people of an experiment.

#ifndef VITRINE_EXPERIMENTS_CHOICES_PARTICIPANTS_H_
#define VITRINE_EXPERIMENTS_CHOICES_PARTICIPANTS_H_

#include <cstdint>
#include <functional>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine::experiments {

// All of the person's: shelves since the experiment began, and newest events
// (limits::kCreditedEventsMax).
using UseParticipant = absl::FunctionRef<absl::Status(
    const Person& person, std::span<const Exposure> shelves, std::span<const Event> events)>;

// Calls `use` with everybody whom the experiment was ever shown to, but robots; how many robots the
// site has, in it or not. `on_progress` may be empty. FailedPrecondition if it has not begun; the
// first error of `use` ends it. Reads the whole store, best a checkpoint.
absl::StatusOr<int64_t> ForEachParticipant(const WebHouse& house, const Experiment& experiment,
                                           const std::function<void(int64_t persons)>& on_progress,
                                           UseParticipant use);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_CHOICES_PARTICIPANTS_H_
