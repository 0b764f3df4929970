// The experiments of a site as a request meets them: which arms it gets, without a look-up.

#ifndef VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_
#define VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "experiments/assignment/assigner.h"
#include "experiments/bandit/policy.h"
#include "experiments/definition/audience.h"
#include "store/records_types.h"

namespace vitrine::experiments {

// Points into the experiments that it was chosen from.
struct ChosenArm {
  const Experiment* experiment = nullptr;
  const ExperimentArm* arm = nullptr;  // null: INTERLEAVING, both
  double point = 0;
  double propensity = 0;  // of the units in the experiment, the part that gets this arm
  bool forced = false;
  std::string segment = {};  // BANDIT, unless forced: whose weights gave the arm
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

  // Bandits that run and whose batch has lasted as long as it was planned to.
  std::vector<Experiment> DueBandits(int64_t now_ms) const;

  // That arms of what runs, or is paused, answer with.
  const std::set<std::string>& models() const { return models_; }

 private:
  struct One {
    Experiment experiment;
    Assigner assigner;
    std::optional<BanditPolicy> policy;  // BANDIT that began
  };

  static std::optional<ChosenArm> ChooseOf(const One& one, const RequestFacts& facts,
                                           const UnitFacts& unit_facts);

  std::string holdout_seed_;
  absl::flat_hash_map<std::string, std::vector<One>> by_placement_;
  std::set<std::string> models_;
};

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_DEFINITION_RUNNING_H_
