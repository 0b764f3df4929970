// From the bytes of a model file to a model. Internal to model.

#ifndef VITRINE_RECOMMENDER_MODEL_MODEL_OPEN_H_
#define VITRINE_RECOMMENDER_MODEL_MODEL_OPEN_H_

#include "absl/status/statusor.h"

#include "recommender/model/model.h"
#include "recommender/model/model_file.h"

namespace vitrine {

// As ReadModel says. The model keeps the image's owner.
absl::StatusOr<Model> OpenModel(model_file::Image image);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_MODEL_OPEN_H_
