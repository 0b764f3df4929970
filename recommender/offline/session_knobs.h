// What the tuner may turn, and by how much at a time.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_

#include <functional>
#include <string>
#include <vector>

#include "recommender/model/session_settings.h"

namespace vitrine {

struct Knob {
  std::string name;
  std::function<float(const SourceSettings&)> get;
  std::function<void(SourceSettings*, float)> set;
  // What to try instead of a value.
  std::function<std::vector<float>(float)> others;
};

// Of the source's scorer.
std::vector<Knob> ScorerKnobs(const SourceSettings& source);
// Weight, exponent, and for an absolute source whether it is.
std::vector<Knob> BlendKnobs(const SourceSettings& source);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_
