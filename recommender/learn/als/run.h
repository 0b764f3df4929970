// A whole training: from the last model or from nothing, until the epochs are done or more of them
// stop helping, and on from where it was interrupted.

#ifndef VITRINE_RECOMMENDER_LEARN_ALS_RUN_H_
#define VITRINE_RECOMMENDER_LEARN_ALS_RUN_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "recommender/learn/als/als.h"
#include "recommender/learn/interactions.h"
#include "recommender/model/settings.h"
#include "store/base/clock.h"

namespace vitrine {

struct AlsRun {
  // Products to begin from (products x d); nullptr: random ones.
  const FactorMatrix* start = nullptr;

  // Whether the result holds the persons: serving needs none, and they are most of the factors.
  bool keep_persons = true;

  // How good factors are, on data that is not trained on: the larger the better. If there is one,
  // training stops after `patience` epochs in which it did not become better, and the best factors
  // are what comes out. More epochs do harm where d is small.
  std::function<double(const AlsFactors&)> validate = {};
  uint32_t patience = 2;  // at least 1

  // Where to keep what an interrupted run goes on from (empty: nowhere), at most every so often. It
  // holds products only, so nobody can be found in it. An exact run that was interrupted gives the
  // same bits as one that was not. Not together with `validate`.
  std::string checkpoint_path = {};
  double checkpoint_seconds = 60;
  Clock* clock = nullptr;  // nullptr: the system's

  // Hears how many epochs are done, and how many of them in this run (fewer after an interruption).
  std::function<void(uint32_t done, uint32_t of_this_run)> on_epoch = {};
};

struct AlsResult {
  AlsFactors factors;   // no persons unless they were to be kept
  uint32_t epochs = 0;  // that the factors have seen
  double quality = 0;   // what `validate` said of them
};

// InvalidArgument if `start` does not fit, or patience is 0, or both a checkpoint and a validation
// are wanted; FailedPrecondition if the checkpoint is of other interactions or settings, DataLoss
// if it is damaged (remove it, then, to begin anew); what writing says if it cannot be written.
// REQUIRES: Validate(settings) is OK.
absl::StatusOr<AlsResult> RunAls(const SparseRows& by_person, const AlsSettings& settings,
                                 const AlsRun& run);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ALS_RUN_H_
