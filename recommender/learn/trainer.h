// From a site's events to a model.

#ifndef VITRINE_RECOMMENDER_LEARN_TRAINER_H_
#define VITRINE_RECOMMENDER_LEARN_TRAINER_H_

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"
#include "recommender/model/model.h"
#include "store/web_house.h"

namespace vitrine {

struct TrainProgress {
  uint32_t epoch = 0;  // done
  uint32_t epochs = 0;
  double seconds_left = 0;
};

struct TrainOptions {
  WeightSettings weights;
  AlsSettings als;
  int64_t now_ms = 0;  // ages are counted from the newest event, not from here
  std::function<void(const TrainProgress&)> on_progress;  // may be empty
};

// Trains on everything in `house` (a checkpoint, or a store nobody writes to). FailedPrecondition
// if it holds no event that says something about taste.
absl::StatusOr<Model> TrainModel(const WebHouse& house, const TrainOptions& options);

// The same from interactions in memory.
absl::StatusOr<Model> TrainModel(const Interactions& interactions, const TrainOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_TRAINER_H_
