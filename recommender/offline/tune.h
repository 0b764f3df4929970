// Settings of the factorization chosen on what people did last: many are tried for a few epochs,
// the better third goes on (successive halving: Jamieson, Talwalkar, AISTATS 2016), and the best
// replaces the settings one came with only if that is more than chance.
//
// Drawn at random (log-uniformly where a scale is): the unobserved weight, the strength and
// exponent of the regularization, the half-life, the weight of a view against a purchase. How many
// epochs is decided by the rungs: 2, 4, 8, 16; a trial is as good as it was after the best of them.

#ifndef VITRINE_RECOMMENDER_OFFLINE_TUNE_H_
#define VITRINE_RECOMMENDER_OFFLINE_TUNE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/settings.h"
#include "recommender/offline/bootstrap.h"
#include "recommender/offline/visits.h"
#include "store/base/clock.h"
#include "store/base/report.h"

namespace vitrine {

struct FactorizationSettings {
  WeightSettings weights = {};
  AlsSettings als = {};
};

struct TuneFactorizationOptions {
  FactorizationSettings start = {};  // tried as well; factors, solver, seed and threads stay
  uint32_t trials = 30;              // 1 to 1000
  double budget_seconds = 600;       // no trial is begun, and no rung, that it would not last for
  uint64_t seed = 1;                 // of the draws
  const Clock* clock = &Clock::System();
  std::function<void(uint32_t done, uint32_t of)> on_trial = {};  // may be empty
};

struct Trial {
  FactorizationSettings settings;  // als.epochs: the best of the rungs it reached
  uint32_t rungs = 0;              // that it reached
  double recall = 0;               // @20, after that many epochs
  double ndcg = 0;
  double seconds = 0;  // of its training and ranking

  double quality() const { return recall + ndcg; }
};

struct FactorizationTuning {
  std::vector<Trial> trials;     // best first, those that reached more rungs before the others
  FactorizationSettings chosen;  // the start's, where nothing was better than it beyond chance
  bool better_than_start = false;
  Interval gain = {};  // in NDCG@20, of the first trial over the start
  size_t cases = 0;    // that `gain` is of
  bool out_of_budget = false;
};

// Holds out each person's last visit (the newest tenth of all visits where nobody came twice).
// FailedPrecondition if nothing can be held out; InvalidArgument if a setting is out of range.
absl::StatusOr<FactorizationTuning> TuneFactorization(const Visits& visits,
                                                      const TuneFactorizationOptions& options);

// The table it was decided from.
Report TuningReport(const FactorizationTuning& tuning);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_TUNE_H_
