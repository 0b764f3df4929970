#include "recommender/offline/session_tune.h"

#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/parallel.h"
#include "recommender/offline/session_knobs.h"
#include "recommender/rank/blend.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kChunk = 64;

// By question, what a source suggests.
using Lists = std::vector<std::vector<Scored>>;

struct Trial {
  BlendSettings settings = {};
  Lists lists = {};
  std::vector<float> gains = {};
};

// Mean of b - a, in standard errors of that mean.
double StandardErrors(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  double squares = 0;
  for (size_t q = 0; q < a.size(); ++q) {
    const double difference = static_cast<double>(b[q]) - static_cast<double>(a[q]);
    sum += difference;
    squares += difference * difference;
  }
  const auto n = static_cast<double>(a.size());
  const double variance = squares / n - (sum / n) * (sum / n);
  if (variance <= 0) return sum > 0 ? 1e9 : 0;
  return sum / n / std::sqrt(variance / n);
}

double Mean(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

// One blend on one set of questions: lists are kept, so that a weight is tried without scoring.
class Bench {
 public:
  Bench(const SessionIndex& index, SessionQuestions questions, const BlendSettings& settings,
        const TuneOptions& options)
      : index_(index),
        questions_(std::move(questions)),
        options_(options),
        settings_(settings),
        lists_(settings.sources.size()) {
    for (size_t s = 0; s < lists_.size(); ++s) lists_[s] = Ask(settings_.sources[s]);
    gains_ = Judge(settings_);
  }

  const BlendSettings& settings() const { return settings_; }

  // Tries other values for one setting, again while a better one is found. `source` is the one to
  // ask anew for each value, if any. True if the setting was changed.
  bool Turn(const std::string& what, const std::function<float(const BlendSettings&)>& get,
            const std::function<void(BlendSettings*, float)>& set,
            const std::function<std::vector<float>(float)>& others, std::optional<size_t> source,
            std::vector<TuneStep>* steps) {
    const float from = get(settings_);
    const double before = Mean(gains_);
    while (TryOthers(get, set, others(get(settings_)), source)) {
    }
    if (get(settings_) == from) return false;
    steps->push_back({what, from, get(settings_), Mean(gains_) - before});
    return true;
  }

  HitRate Quality() const {
    std::vector<size_t> ranks;
    for (const float gain : gains_) {
      ranks.push_back(gain == 0 ? 0 : static_cast<size_t>(std::lround(1 / (gain - 1))));
    }
    return Summarize(ranks);
  }

 private:
  // Takes the best of the values if it is better than what is set.
  bool TryOthers(const std::function<float(const BlendSettings&)>& get,
                 const std::function<void(BlendSettings*, float)>& set,
                 const std::vector<float>& values, std::optional<size_t> source) {
    bool found = false;
    Trial best;
    for (const float value : values) {
      Trial trial{.settings = settings_};
      set(&trial.settings, value);
      if (get(trial.settings) == get(settings_) || !Validate(trial.settings).ok()) continue;
      if (source) {
        trial.lists = Ask(trial.settings.sources[*source]);
        std::swap(trial.lists, lists_[*source]);
      }
      trial.gains = Judge(trial.settings);
      if (source) std::swap(trial.lists, lists_[*source]);
      if (StandardErrors(gains_, trial.gains) < static_cast<double>(options_.certainty)) continue;
      if (found && Mean(trial.gains) <= Mean(best.gains)) continue;
      found = true;
      best = std::move(trial);
    }
    if (!found) return false;
    settings_ = std::move(best.settings);
    gains_ = std::move(best.gains);
    if (source) lists_[*source] = std::move(best.lists);
    return true;
  }

  Lists Ask(const SourceSettings& source) const {
    Lists lists(questions_.size());
    Chunks chunks(questions_.size(), kChunk);
    RunOnThreads(options_.threads, [&] {
      const auto scorer = MakeScorer(source);
      ScoreMap scores;
      std::vector<Scored> top;
      while (const auto chunk = chunks.Next()) {
        const SessionIndex::Reader reader(index_);
        for (size_t q = chunk->begin; q < chunk->end; ++q) {
          scores.Clear();
          scorer->Score(reader, questions_.prefixes[q], &scores);
          scores.Top(settings_.depth, {}, &top);
          lists[q] = top;
        }
      }
    });
    return lists;
  }

  std::vector<float> Judge(const BlendSettings& settings) const {
    std::vector<float> gains(questions_.size());
    Chunks chunks(questions_.size(), kChunk);
    RunOnThreads(options_.threads, [&] {
      ScoreMap scores;
      std::vector<std::span<const Scored>> lists(lists_.size());
      std::vector<Seen> seen;
      std::vector<Scored> top;
      while (const auto chunk = chunks.Next()) {
        for (size_t q = chunk->begin; q < chunk->end; ++q) {
          for (size_t s = 0; s < lists.size(); ++s) lists[s] = lists_[s][q];
          ListSeen(questions_.prefixes[q], &seen);
          BlendLists(lists, settings, seen, &scores);
          scores.Top(kSessionCutoff, {}, &top);
          gains[q] = Gain(RankOf(questions_.targets[q], top));
        }
      }
    });
    return gains;
  }

  const SessionIndex& index_;
  const SessionQuestions questions_;
  const TuneOptions options_;
  BlendSettings settings_;
  std::vector<Lists> lists_;  // by source
  std::vector<float> gains_;  // of settings_
};

bool TurnKnob(Bench* bench, size_t s, const Knob& knob, bool ask, std::vector<TuneStep>* steps) {
  return bench->Turn(
      absl::StrCat(bench->settings().sources[s].name, ": ", knob.name),
      [&](const BlendSettings& settings) { return knob.get(settings.sources[s]); },
      [&](BlendSettings* settings, float value) { knob.set(&settings->sources[s], value); },
      knob.others, ask ? std::optional<size_t>(s) : std::nullopt, steps);
}

void TurnWeights(Bench* bench, uint32_t rounds, std::vector<TuneStep>* steps) {
  for (uint32_t round = 0; round < rounds; ++round) {
    bool turned = bench->Turn(
        "seen_factor", [](const BlendSettings& settings) { return settings.seen_factor; },
        [](BlendSettings* settings, float value) { settings->seen_factor = value; },
        [](float) {
          return std::vector<float>{0, 0.15f, 0.4f, 0.7f, 1};
        },
        std::nullopt, steps);
    for (size_t s = 0; s < bench->settings().sources.size(); ++s) {
      for (const Knob& knob : BlendKnobs(bench->settings().sources[s])) {
        turned |= TurnKnob(bench, s, knob, /*ask=*/false, steps);
      }
    }
    if (!turned) return;
  }
}

}  // namespace

absl::StatusOr<Tuning> TuneBlend(const SessionIndex& index, const SessionQuestions& questions,
                                 const BlendSettings& start, const TuneOptions& options) {
  RETURN_IF_ERROR(Validate(start));
  if (questions.size() == 0) {
    return absl::FailedPreconditionError("tuning: no session is long enough to ask about");
  }
  Tuning tuning;
  // Another seed, so that scorers and weights are not chosen by the same questions.
  Bench scorers(index, Sample(questions, options.scorer_questions, options.seed + 1), start,
                options);
  TurnWeights(&scorers, options.rounds, &tuning.steps);
  for (size_t s = 0; s < start.sources.size(); ++s) {
    if (scorers.settings().sources[s].weight == 0) continue;
    for (const Knob& knob : ScorerKnobs(start.sources[s])) {
      TurnKnob(&scorers, s, knob, /*ask=*/true, &tuning.steps);
    }
  }
  Bench weights(index, Sample(questions, options.blend_questions, options.seed), scorers.settings(),
                options);
  tuning.before = weights.Quality();
  TurnWeights(&weights, options.rounds, &tuning.steps);
  tuning.after = weights.Quality();
  tuning.settings = weights.settings();
  return tuning;
}

}  // namespace vitrine
