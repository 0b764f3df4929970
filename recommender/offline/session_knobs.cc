#include "recommender/offline/session_knobs.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "store/base/limits.h"

namespace vitrine {
namespace {

// Reads and writes the field that `get` gives a reference to.
template <typename Get>
Knob Field(std::string name, Get get) {
  using Value = std::remove_reference_t<decltype(get(std::declval<SourceSettings&>()))>;
  return {std::move(name),
          [get](const SourceSettings& source) {
            SourceSettings copy = source;
            return static_cast<float>(get(copy));
          },
          [get](SourceSettings* source, float value) {
            get(*source) =
                static_cast<Value>(std::is_integral_v<Value> ? std::round(value) : value);
          },
          {}};
}

// By a factor up and down, within a range; 0 too if `zero`.
template <typename Get>
Knob Scaled(std::string name, Get get, float factor, float min, float max, bool zero = false) {
  Knob knob = Field(std::move(name), get);
  knob.others = [=](float value) {
    std::vector<float> others = {std::clamp(value * factor, min, max)};
    if (value > min) others.push_back(std::clamp(value / factor, min, max));
    if (zero) others.push_back(0);
    return others;
  };
  return knob;
}

// By a step up and down, within a range.
template <typename Get>
Knob Stepped(std::string name, Get get, float step, float min, float max) {
  Knob knob = Field(std::move(name), get);
  knob.others = [=](float value) {
    return std::vector<float>{std::min(value + step, max), std::max(value - step, min)};
  };
  return knob;
}

constexpr float kLastClicksMax = limits::kQueryProductsMax;
constexpr float kRecencyMin = 1000;
constexpr float kRecencyMax = 5e7f;
constexpr float kWeightMax = 1e6f;

#define VITRINE_KNOB(Settings, field) \
#field, [](SourceSettings & source) -> auto& { return std::get<Settings>(source.scorer).field; }

struct KnobsVisitor {
  std::vector<Knob> operator()(const VmisSettings&) const {
    return {Scaled(VITRINE_KNOB(VmisSettings, last_clicks), 1.5f, 1, kLastClicksMax),
            Scaled(VITRINE_KNOB(VmisSettings, recent_sessions), 2, 100, 5000),
            Scaled(VITRINE_KNOB(VmisSettings, neighbours), 2, 50, 2000),
            Stepped(VITRINE_KNOB(VmisSettings, length_exponent), 0.25f, 0, 1),
            Scaled(VITRINE_KNOB(VmisSettings, idf_weight), 2, 0.1f, 10, true)};
  }

  std::vector<Knob> operator()(const StanSettings&) const {
    return {Scaled(VITRINE_KNOB(StanSettings, position_decay), 1.5f, 0.3f, 20),
            Scaled(VITRINE_KNOB(StanSettings, recency), 4, kRecencyMin, kRecencyMax),
            Scaled(VITRINE_KNOB(StanSettings, spread), 1.6f, 0.3f, 40),
            Scaled(VITRINE_KNOB(StanSettings, neighbours), 2, 100, 2000),
            Scaled(VITRINE_KNOB(StanSettings, last_clicks), 2, 2, kLastClicksMax),
            Stepped(VITRINE_KNOB(StanSettings, idf_exponent), 0.5f, 0, 3),
            Stepped(VITRINE_KNOB(StanSettings, length_exponent), 0.25f, 0, 1),
            Stepped(VITRINE_KNOB(StanSettings, before_match), 0.3f, 0, 1.5f),
            Scaled(VITRINE_KNOB(StanSettings, matched), 1.6f, 0.1f, 5, true),
            Stepped(VITRINE_KNOB(StanSettings, popularity_exponent), 0.1f, 0, 0.6f)};
  }

  std::vector<Knob> operator()(const RuleSettings& settings) const {
    std::vector<Knob> knobs = {
        Scaled(VITRINE_KNOB(RuleSettings, recency), 4, kRecencyMin, kRecencyMax),
        Scaled(VITRINE_KNOB(RuleSettings, steps), 1.6f, 1, 16),
        Scaled(VITRINE_KNOB(RuleSettings, distance_exponent), 2, 0.1f, 4, true),
        Scaled(VITRINE_KNOB(RuleSettings, backward), 1.6f, 0.1f, 1.5f, true),
        Stepped(VITRINE_KNOB(RuleSettings, row_exponent), 0.25f, 0, 1),
        Stepped(VITRINE_KNOB(RuleSettings, popularity_exponent), 0.1f, 0, 0.6f)};
    if (settings.last_clicks > 1) {
      knobs.push_back(Stepped(VITRINE_KNOB(RuleSettings, item_decay), 0.15f, 0.05f, 1));
    }
    return knobs;
  }

  std::vector<Knob> operator()(const RepeatSettings&) const { return {}; }
};

#undef VITRINE_KNOB

}  // namespace

std::vector<Knob> ScorerKnobs(const SourceSettings& source) {
  return std::visit(KnobsVisitor(), source.scorer);
}

std::vector<Knob> BlendKnobs(const SourceSettings& source) {
  Knob weight = Field(
      "weight", [](SourceSettings & s) -> auto& { return s.weight; });
  weight.others = [](float value) {
    std::vector<float> others = {0};
    for (const float factor : {0.1f, 0.25f, 0.5f, 0.7f, 1.4f, 2.0f, 4.0f, 10.0f}) {
      others.push_back(std::min((value == 0 ? 1 : value) * factor, kWeightMax));
    }
    return others;
  };
  Knob exponent = Field(
      "exponent", [](SourceSettings & s) -> auto& { return s.exponent; });
  exponent.others = [](float) {
    return std::vector<float>{0.25f, 0.35f, 0.5f, 0.7f, 1.0f, 1.4f, 2.0f};
  };
  std::vector<Knob> knobs = {weight, exponent};
  if (std::holds_alternative<RepeatSettings>(source.scorer)) {
    knobs.push_back(Field(
        "relative", [](SourceSettings & s) -> auto& { return s.relative; }));
    knobs.back().others = [](float value) { return std::vector<float>{1 - value}; };
  }
  return knobs;
}

}  // namespace vitrine
