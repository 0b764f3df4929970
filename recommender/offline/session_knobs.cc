#include "recommender/offline/session_knobs.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"

namespace vitrine {
namespace {

using SourceKnob = Knob<SourceSettings>;

// Reads and writes the field that `get` gives a reference to.
template <typename Get>
SourceKnob Field(std::string name, Get get) {
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
SourceKnob Scaled(std::string name, Get get, float factor, float min, float max,
                  bool zero = false) {
  SourceKnob knob = Field(std::move(name), get);
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
SourceKnob Stepped(std::string name, Get get, float step, float min, float max) {
  SourceKnob knob = Field(std::move(name), get);
  knob.others = [=](float value) {
    return std::vector<float>{std::min(value + step, max), std::max(value - step, min)};
  };
  return knob;
}

constexpr float kLastClicksMax = limits::kQueryProductsMax;
constexpr float kRecencyMin = 1000;
constexpr float kRecencyMax = 5e7f;

#define VITRINE_KNOB(Settings, field) \
#field, [](SourceSettings & source) -> auto& { return std::get<Settings>(source.scorer).field; }

struct KnobsVisitor {
  std::vector<SourceKnob> operator()(const VmisSettings&) const {
    return {Scaled(VITRINE_KNOB(VmisSettings, last_clicks), 1.5f, 1, kLastClicksMax),
            Scaled(VITRINE_KNOB(VmisSettings, recent_sessions), 2, 100, 5000),
            Scaled(VITRINE_KNOB(VmisSettings, neighbours), 2, 50, 2000),
            Stepped(VITRINE_KNOB(VmisSettings, length_exponent), 0.25f, 0, 1),
            Scaled(VITRINE_KNOB(VmisSettings, idf_weight), 2, 0.1f, 10, true)};
  }

  std::vector<SourceKnob> operator()(const StanSettings&) const {
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

  std::vector<SourceKnob> operator()(const RuleSettings& settings) const {
    std::vector<SourceKnob> knobs = {
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

  std::vector<SourceKnob> operator()(const RepeatSettings&) const { return {}; }
};

#undef VITRINE_KNOB

std::vector<SourceKnob> WeightKnobs(const SourceSettings& source) {
  SourceKnob weight = Field(
      "weight", [](SourceSettings & s) -> auto& { return s.weight; });
  weight.others = OtherWeights;
  SourceKnob exponent = Field(
      "exponent", [](SourceSettings & s) -> auto& { return s.exponent; });
  exponent.others = OtherExponents;
  std::vector<SourceKnob> knobs = {weight, exponent};
  if (std::holds_alternative<RepeatSettings>(source.scorer)) {
    knobs.push_back(Field(
        "relative", [](SourceSettings & s) -> auto& { return s.relative; }));
    knobs.back().others = [](float value) { return std::vector<float>{1 - value}; };
  }
  return knobs;
}

// The knobs of a source as knobs of its blend.
std::vector<Knob<BlendSettings>> Lift(std::vector<SourceKnob> knobs, const BlendSettings& settings,
                                      size_t source) {
  std::vector<Knob<BlendSettings>> lifted;
  for (SourceKnob& knob : knobs) {
    lifted.push_back({absl::StrCat(settings.sources[source].name, ": ", knob.name),
                      [=](const BlendSettings& s) { return knob.get(s.sources[source]); },
                      [=](BlendSettings* s, float value) { knob.set(&s->sources[source], value); },
                      knob.others});
  }
  return lifted;
}

// Each a change of every source of a blend.
struct NoDivision {
  void operator()(VmisSettings&) const {}
  void operator()(StanSettings& s) const { s.popularity_exponent = 0; }
  void operator()(RuleSettings& s) const { s.popularity_exponent = 0; }
  void operator()(RepeatSettings&) const {}
};

struct NewestClicks {
  void operator()(VmisSettings& s) const { s.last_clicks = std::min(s.last_clicks, 2u); }
  void operator()(StanSettings& s) const {
    s.last_clicks = std::min(s.last_clicks, 3u);
    s.position_decay = std::min(s.position_decay, 0.7f);
  }
  void operator()(RuleSettings& s) const { s.item_decay = std::min(s.item_decay, 0.4f); }
  void operator()(RepeatSettings&) const {}
};

struct NewestSessions {
  static constexpr float kRecency = 5000;
  void operator()(VmisSettings& s) const { s.recent_sessions = std::min(s.recent_sessions, 300u); }
  void operator()(StanSettings& s) const { s.recency = kRecency; }
  void operator()(RuleSettings& s) const { s.recency = kRecency; }
  void operator()(RepeatSettings&) const {}
};

template <typename Change>
BlendSettings ChangeScorers(BlendSettings settings, const Change& change) {
  for (SourceSettings& source : settings.sources) std::visit(change, source.scorer);
  return settings;
}

BlendSettings Alone(BlendSettings settings, size_t alone) {
  for (size_t s = 0; s < settings.sources.size(); ++s) {
    SourceSettings& source = settings.sources[s];
    if (s != alone && source.relative) source.weight = 0;
  }
  SourceSettings& source = settings.sources[alone];
  if (source.weight == 0) source.weight = 1;
  return settings;
}

// What is seen is for the relative sources to judge.
BlendSettings WithoutRepeats(BlendSettings settings) {
  settings.seen_factor = 1;
  for (SourceSettings& source : settings.sources) {
    if (!source.relative) source.weight = 0;
  }
  return settings;
}

BlendSettings RulesFirst(BlendSettings settings, float factor) {
  for (SourceSettings& source : settings.sources) {
    if (std::holds_alternative<RuleSettings>(source.scorer)) source.weight *= factor;
  }
  return settings;
}

}  // namespace

std::vector<SearchStart<BlendSettings>> BlendStarts(const BlendSettings& base) {
  std::vector<SearchStart<BlendSettings>> starts = {{"as given", base, {}}};
  const auto add = [&](const std::string& name, const BlendSettings& settings) {
    starts.push_back({name, settings, {}});
    starts.push_back({name + ", no repeats of their own", WithoutRepeats(settings), {}});
  };
  for (size_t s = 0; s < base.sources.size(); ++s) {
    if (base.sources[s].relative) add(base.sources[s].name + " alone", Alone(base, s));
  }
  add("rules first", RulesFirst(base, 20));
  add("no division by popularity", ChangeScorers(base, NoDivision()));
  add("newest clicks", ChangeScorers(base, NewestClicks()));
  starts.push_back({"newest sessions", ChangeScorers(base, NewestSessions()), {}});
  return starts;
}

std::vector<Knob<BlendSettings>> ScorerKnobs(const BlendSettings& settings, size_t source) {
  return Lift(std::visit(KnobsVisitor(), settings.sources[source].scorer), settings, source);
}

std::vector<Knob<BlendSettings>> BlendKnobs(const BlendSettings& settings) {
  std::vector<Knob<BlendSettings>> knobs = {
      {"seen_factor", [](const BlendSettings& s) { return s.seen_factor; },
       [](BlendSettings* s, float value) { s->seen_factor = value; },
       [](float) {
         return std::vector<float>{0, 0.15f, 0.4f, 0.7f, 1};
       }}};
  for (size_t s = 0; s < settings.sources.size(); ++s) {
    for (auto& knob : Lift(WeightKnobs(settings.sources[s]), settings, s)) {
      knobs.push_back(std::move(knob));
    }
  }
  return knobs;
}

}  // namespace vitrine
