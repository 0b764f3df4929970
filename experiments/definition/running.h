// The experiments of a site as a request meets them: which arms it gets, without a look-up.

#ifndef VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_
#define VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/assigner.h"
#include "experiments/assignment/forced_arms.h"
#include "store/records_types.h"

namespace vitrine::experiments {

// What a request says; views of it.
struct RequestFacts {
  absl::string_view customer = {};  // empty: not known
  absl::string_view visitor = {};
  Channel channel = Channel::WEB;
  Device device = Device::UNKNOWN_DEVICE;
  absl::string_view country = {};
  absl::string_view language = {};
  int64_t now_ms = 0;
  double holdout = 0;                  // SiteSettings.experiment_holdout
  const ForcedArms* forced = nullptr;  // null: none
};

// Points into the experiments that it was chosen from.
struct ChosenArm {
  const Experiment* experiment = nullptr;
  const ExperimentArm* arm = nullptr;
  double point = 0;
  double propensity = 0;  // of the units in the experiment, the part that gets this arm
  bool forced = false;
};

// Immutable, thread-safe.
class RunningExperiments {
 public:
  // All experiments of the site; those that may be shown are kept. `site` seeds the holdout.
  static absl::StatusOr<RunningExperiments> Create(absl::string_view site,
                                                   const std::vector<Experiment>& all);

  // The arms of a shelf, by the ids of their experiments: of those that run now and have the
  // request's unit in an arm. A forced arm needs neither that, nor that the experiment has begun:
  // only that it has not ended.
  std::vector<ChosenArm> Choose(absl::string_view placement, const RequestFacts& facts) const;

 private:
  struct One {
    Experiment experiment;
    Assigner assigner;
  };

  std::string holdout_seed_;
  absl::flat_hash_map<std::string, std::vector<One>> by_placement_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_
