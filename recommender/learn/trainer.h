// From a site's events to a model.

#ifndef VITRINE_RECOMMENDER_LEARN_TRAINER_H_
#define VITRINE_RECOMMENDER_LEARN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"

#include "recommender/learn/interactions.h"
#include "recommender/learn/train_progress.h"
#include "recommender/model/model.h"
#include "store/web_house.h"

namespace vitrine {

struct TrainOptions {
  WeightSettings weights = {};
  AlsSettings als = {};
  int64_t now_ms = 0;  // when the model was made; ages are counted from the newest event
  std::function<void(const TrainProgress&)> on_progress = {};  // may be empty

  // Begins from this model's factors where it has as many and knows the product; may be null.
  const Model* previous = nullptr;
  // How good a model is, the larger the better: if given, training stops after two epochs in which
  // it did not become better, and the best model is what comes out (als/run.h). Not together with a
  // checkpoint.
  std::function<double(const Model&)> validate = {};

  // Where an interrupted training is kept, to go on from it when it is asked for again (als/run.h);
  // removed when the model is made. Empty: nowhere.
  std::string checkpoint_path = {};
};

// Trains on them: what a model is made from, without links, blend and trees. FailedPrecondition if
// no event says anything about taste; InvalidArgument if a setting is out of range; what RunAls
// says of a checkpoint.
absl::StatusOr<ModelParts> TrainParts(const Interactions& interactions,
                                      const TrainOptions& options);

// The model made from them (MakeModel).
absl::StatusOr<Model> TrainModel(const Interactions& interactions, const TrainOptions& options);

// The same from everything in `house` (a checkpoint, or a store nobody writes to).
absl::StatusOr<Model> TrainModel(const WebHouse& house, const TrainOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_TRAINER_H_
