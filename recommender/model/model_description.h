// The section of a model file that people read: what the model is and how it was made, by name.
// Internal to model.

#ifndef VITRINE_RECOMMENDER_MODEL_MODEL_DESCRIPTION_H_
#define VITRINE_RECOMMENDER_MODEL_MODEL_DESCRIPTION_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/model.h"

namespace vitrine {

struct ModelDescription {
  ModelFacts facts;
  uint64_t products = 0;
};

// JSON. Numbers come back bit by bit: it has the shortest text that does.
std::string EncodeDescription(const ModelDescription& description);

// DataLoss, naming the field, if one is missing, of another type or out of its range.
absl::StatusOr<ModelDescription> DecodeDescription(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_MODEL_DESCRIPTION_H_
