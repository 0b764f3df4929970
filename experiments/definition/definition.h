// What an experiment's definition has to be, what of it may change once it has begun, and how its
// life goes on. Pure functions; whether an arm's recipe and rules make sense in their placement is
// for whoever knows placements.

#ifndef VITRINE_EXPERIMENTS_DEFINITION_DEFINITION_H_
#define VITRINE_EXPERIMENTS_DEFINITION_DEFINITION_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/assigner.h"
#include "experiments/bandit/policy.h"
#include "experiments/definition/audience.h"
#include "store/records_types.h"

namespace vitrine::experiments {

// OK, or InvalidArgument whose message begins with the place of the first mistake, as in
// "arms[blue].weight: 0 is not above 0".
absl::Status ValidateExperiment(const Experiment& experiment);

// Whether `after` may take the place of `before`: a draft may change altogether; what runs or is
// paused only in `coverage` and, if it is sequential, in `to_ms`; what has ended not at all.
// InvalidArgument, naming the first field that may not. Gives what is to be borne in mind.
absl::StatusOr<std::vector<std::string>> CheckChange(const Experiment& before,
                                                     const Experiment& after);

// The experiment in its next status: draft to running or archived; running to paused or stopped;
// paused to running or stopped; stopped to archived. InvalidArgument if it cannot go there, or
// cannot begin: it has no planned units, it is fixed and has no end, its end is past, or it would
// meet one of `others` that goes on (CheckTogether).
absl::StatusOr<Experiment> Moved(const Experiment& experiment, ExperimentStatus to,
                                 std::span<const Experiment> others, int64_t now_ms);

// Two experiments that go on at the same time. InvalidArgument, naming the other one: they share
// a seed; they share a layer, and their parts overlap or their units differ; or they
// change the same thing of one placement (or the model, of any) and no layer keeps them apart.
absl::Status CheckTogether(const Experiment& experiment, const Experiment& other);

// Whether it was begun and has not ended.
inline bool GoesOn(const Experiment& experiment) {
  return experiment.status == ExperimentStatus::RUNNING ||
         experiment.status == ExperimentStatus::PAUSED;
}

// Its assignment. InvalidArgument if ValidateExperiment would not be OK.
absl::StatusOr<Assigner> AssignerOf(const Experiment& experiment);

// How a bandit chooses in its batch. InvalidArgument if it has none yet, or its weights are none.
absl::StatusOr<BanditPolicy> PolicyOf(const Experiment& experiment);

// The bandit's segment of a request: "web/mobile/new", by BanditPlan.segments; empty where it has
// none.
std::string SegmentOf(const Experiment& experiment, const RequestFacts& facts);

// Whether the arm makes a shelf otherwise than its placement.
bool Changes(const ExperimentArm& arm);
// Whether an arm answers with a model of its own.
bool TriesModels(const Experiment& experiment);
// Makes the placement as the arm has it.
void Apply(const ExperimentArm& arm, Placement* placement);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_DEFINITION_DEFINITION_H_
