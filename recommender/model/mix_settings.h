// How a placement's list follows from several sources: a weight and an exponent for each, by the
// situation that the person is in (rank/mix.h has the formula; offline/mix_tune.h learns them).

#ifndef VITRINE_RECOMMENDER_MODEL_MIX_SETTINGS_H_
#define VITRINE_RECOMMENDER_MODEL_MIX_SETTINGS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

enum class Situation {
  kHome,   // somebody with a history or none, no visit going on
  kVisit,  // clicks in this visit
};
constexpr size_t kSituations = 2;

enum class MixSource {
  kTaste,    // factors (rank/fold_in.h)
  kSession,  // clicks of this visit (rank/blend.h, rank/rerank.h)
  kLinks,    // what goes with what is in the history (model/item_links.h)
  kPopular,  // popularity
};
constexpr size_t kMixSources = 4;

// "taste", "session", "links", "popular".
absl::string_view NameOf(MixSource source);

struct MixWeight {
  float weight = 0;    // 0: not asked; at most 1e9
  float exponent = 1;  // 0.01 to 16

  bool operator==(const MixWeight&) const = default;
};

struct MixRecipe {
  std::array<MixWeight, kMixSources> sources = {};  // by MixSource

  MixWeight& operator[](MixSource source) { return sources[static_cast<size_t>(source)]; }
  const MixWeight& operator[](MixSource source) const {
    return sources[static_cast<size_t>(source)];
  }
  bool operator==(const MixRecipe&) const = default;
};

struct MixSettings {
  std::array<MixRecipe, kSituations> recipes = {};  // by Situation
  uint32_t depth = 200;  // best products of each source that are mixed; 1 to 10'000

  static MixSettings Default();

  MixRecipe& operator[](Situation situation) { return recipes[static_cast<size_t>(situation)]; }
  const MixRecipe& operator[](Situation situation) const {
    return recipes[static_cast<size_t>(situation)];
  }
  bool operator==(const MixSettings&) const = default;
};

// InvalidArgument, naming the setting, if one is out of its range or no number.
absl::Status Validate(const MixSettings& settings);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_MIX_SETTINGS_H_
