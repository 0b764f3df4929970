#include "recommender/model/mix_settings.h"

#include "absl/strings/str_cat.h"

namespace vitrine {
namespace {

constexpr uint32_t kDepthMax = 10'000;

// A value that is no number fails every comparison.
bool IsIn(float value, float min, float max) { return value >= min && value <= max; }

}  // namespace

absl::string_view NameOf(MixSource source) {
  constexpr absl::string_view kNames[kMixSources] = {"taste", "session", "links", "popular"};
  return kNames[static_cast<size_t>(source)];
}

MixSettings MixSettings::Default() {
  MixSettings settings;
  MixRecipe& home = settings[Situation::kHome];
  home[MixSource::kTaste] = {1, 1};
  home[MixSource::kLinks] = {0.3f, 1};
  MixRecipe& visit = settings[Situation::kVisit];
  visit[MixSource::kSession] = {1, 1};
  visit[MixSource::kTaste] = {0.1f, 1};
  return settings;
}

absl::Status Validate(const MixSettings& settings) {
  if (settings.depth < 1 || settings.depth > kDepthMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("depth is ", settings.depth, ", not 1 to ", kDepthMax));
  }
  for (const MixRecipe& recipe : settings.recipes) {
    for (size_t s = 0; s < kMixSources; ++s) {
      const MixWeight& source = recipe.sources[s];
      if (IsIn(source.weight, 0, 1e9f) && IsIn(source.exponent, 0.01f, 16)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("source ", NameOf(static_cast<MixSource>(s)), ": weight ", source.weight,
                       ", exponent ", source.exponent, ", not 0 to 1e9 and 0.01 to 16"));
    }
  }
  return absl::OkStatus();
}

}  // namespace vitrine
