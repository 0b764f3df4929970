// Where the tuner begins, what it may turn, and by how much at a time.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_

#include <vector>

#include "recommender/model/session_settings.h"
#include "recommender/offline/coordinate_search.h"

namespace vitrine {

// `base` itself, first; then blends far from it and from each other, as shops are: each source
// alone (with what is absolute: repeats), with and without what it says of products of the session;
// rules before neighbours; nothing divided by popularity; only the newest clicks; only the newest
// sessions. All valid if `base` is.
std::vector<SearchStart<BlendSettings>> BlendStarts(const BlendSettings& base);

// Of the scorer of a source of `settings`.
std::vector<Knob<BlendSettings>> ScorerKnobs(const BlendSettings& settings, size_t source);
// Of the blend: weights, exponents, for an absolute source whether it is, and what is seen.
std::vector<Knob<BlendSettings>> BlendKnobs(const BlendSettings& settings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_KNOBS_H_
