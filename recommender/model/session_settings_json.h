// The settings of a blend as text, as a model file keeps them.

#ifndef VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_JSON_H_
#define VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "recommender/model/session_settings.h"

namespace vitrine {

// {"depth": 150, "seen_factor": 0.15, "sources": [{"name": "stan", "scorer": "stan", "weight": 1.2,
// "exponent": 0.7, "relative": true, and the scorer's own settings by name}, ...]}. A scorer is
// "vmis", "stan", "rules" or "repeat". Numbers come back bit by bit.
std::string BlendToJson(const BlendSettings& settings);

// The settings that gave this text. DataLoss, naming the setting, if one is missing, unknown, of
// another type or out of its range.
absl::StatusOr<BlendSettings> BlendFromJson(absl::string_view text);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_SESSION_SETTINGS_JSON_H_
