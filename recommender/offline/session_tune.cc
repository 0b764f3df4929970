#include "recommender/offline/session_tune.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "recommender/model/parallel.h"
#include "recommender/offline/session_knobs.h"
#include "recommender/rank/blend.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kChunk = 64;
constexpr size_t kFinalists = 3;       // starting points that are tuned before one is left
constexpr size_t kListsPerSource = 5;  // that are kept: settings of one scorer in the search

using Search = CoordinateSearch<BlendSettings>;

// The questions in an order in which every prefix of them is spread over the whole time.
SessionQuestions Deal(const SessionQuestions& questions) {
  constexpr size_t kHands = 16;
  SessionQuestions dealt;
  for (size_t hand = 0; hand < kHands; ++hand) {
    for (size_t q = hand; q < questions.size(); q += kHands) {
      dealt.prefixes.Append(questions.prefixes[q]);
      dealt.targets.push_back(questions.targets[q]);
    }
  }
  return dealt;
}

// Judges blends on one set of questions. What scorers suggest is kept, so that a weight is tried
// without scoring. Memory: 8 bytes * questions * depth * lists kept.
class Bench {
 public:
  Bench(const SessionIndex& index, const SessionQuestions& questions, uint32_t threads)
      : index_(index), questions_(Deal(questions)), threads_(threads) {}

  size_t size() const { return questions_.size(); }

  // As Search::Judge wants it.
  void Judge(const BlendSettings& settings, size_t end, std::vector<float>* gains) {
    known_.resize(std::max(known_.size(), settings.sources.size()));
    std::vector<const Known*> lists(settings.sources.size());
    for (size_t s = 0; s < lists.size(); ++s) {
      if (settings.sources[s].weight > 0) lists[s] = Ask(settings, s, end);
    }
    const size_t begin = gains->size();
    gains->resize(end);
    ForEachChunk(begin, end, [&](const auto& next) {
      ScoreMap scores;
      std::vector<std::span<const Scored>> of_sources(lists.size());
      std::vector<Seen> seen;
      std::vector<Scored> top;
      while (const auto chunk = next()) {
        for (size_t q = chunk->begin; q < chunk->end; ++q) {
          for (size_t s = 0; s < lists.size(); ++s) {
            if (lists[s] != nullptr) of_sources[s] = lists[s]->by_question[q];
          }
          ListSeen(questions_.prefixes[q], &seen);
          BlendLists(of_sources, settings, seen, &scores);
          scores.Top(kSessionCutoff, {}, &top);
          (*gains)[q] = Gain(RankOf(questions_.targets[q], top));
        }
      }
    });
  }

  std::vector<float> JudgeAll(const BlendSettings& settings) {
    std::vector<float> gains;
    Judge(settings, questions_.size(), &gains);
    return gains;
  }

 private:
  // What a scorer suggests for the first questions.
  struct Known {
    decltype(SourceSettings::scorer) scorer = {};
    uint32_t depth = 0;
    std::vector<std::vector<Scored>> by_question = {};
  };

  void ForEachChunk(size_t begin, size_t end, const auto& work) {
    Chunks chunks(end - begin, kChunk);
    RunOnThreads(threads_, [&] {
      work([&]() -> std::optional<Chunks::Range> {
        const auto chunk = chunks.Next();
        if (!chunk) return std::nullopt;
        return Chunks::Range{begin + chunk->begin, begin + chunk->end};
      });
    });
  }

  // The lists of a source for questions up to `end`, the last asked for in front.
  const Known* Ask(const BlendSettings& settings, size_t s, size_t end) {
    const SourceSettings& source = settings.sources[s];
    std::vector<Known>& known = known_[s];
    auto found = std::find_if(known.begin(), known.end(), [&](const Known& k) {
      return k.scorer == source.scorer && k.depth == settings.depth;
    });
    if (found == known.end()) {
      if (known.size() == kListsPerSource) known.pop_back();
      found = known.insert(known.end(), {source.scorer, settings.depth});
    }
    std::rotate(known.begin(), found, found + 1);
    const size_t begin = known.front().by_question.size();
    if (begin < end) Score(source, begin, end, &known.front());
    return &known.front();
  }

  void Score(const SourceSettings& source, size_t begin, size_t end, Known* known) {
    known->by_question.resize(end);
    ForEachChunk(begin, end, [&](const auto& next) {
      const auto scorer = MakeScorer(source);
      ScoreMap scores;
      std::vector<Scored> top;
      while (const auto chunk = next()) {
        const SessionIndex::Reader reader(index_);
        for (size_t q = chunk->begin; q < chunk->end; ++q) {
          scores.Clear();
          scorer->Score(reader, questions_.prefixes[q], &scores);
          scores.Top(known->depth, {}, &top);
          known->by_question[q] = top;
        }
      }
    });
  }

  const SessionIndex& index_;
  const SessionQuestions questions_;
  const uint32_t threads_;
  std::vector<std::vector<Known>> known_;  // by source
};

HitRate RateOf(std::span<const float> gains) {
  std::vector<size_t> ranks;
  for (const float gain : gains) {
    ranks.push_back(gain == 0 ? 0 : static_cast<size_t>(std::lround(1 / (gain - 1))));
  }
  return Summarize(ranks);
}

Search MakeSearch(Bench* bench, const BlendSettings& start, const TuneOptions& options,
                  SearchBudget* budget) {
  const auto judge = [bench](const BlendSettings& settings, size_t end, std::vector<float>* gains) {
    bench->Judge(settings, end, gains);
  };
  return Search(bench->size(), judge, start, options.certainty, budget);
}

void TurnWeights(Search* search, uint32_t rounds, std::vector<SearchStep>* steps) {
  for (uint32_t round = 0; round < rounds; ++round) {
    bool turned = false;
    for (const auto& knob : BlendKnobs(search->settings())) turned |= search->Turn(knob, steps);
    if (!turned) return;
  }
}

// The best starting point after one turn of all its weights.
Search FindStart(Bench* bench, const BlendSettings& start, const TuneOptions& options,
                 SearchBudget* budget, Tuning* tuning) {
  Search best = MakeSearch(bench, start, options, budget);
  std::vector<Search::Start> starts = BlendStarts(start);
  best.Halve(&starts, std::min(kFinalists, starts.size()));
  for (const Search::Start& one : starts) {
    tuning->starts.push_back({one.name, one.gains.size(), Mean(one.gains)});
  }
  TurnWeights(&best, 1, &tuning->steps);
  tuning->from = BlendStarts(start).front().name;
  starts.resize(std::min(kFinalists, starts.size()));
  for (const Search::Start& one : starts) {
    if (one.settings == start) continue;
    Search search = MakeSearch(bench, one.settings, options, budget);
    std::vector<SearchStep> steps;
    TurnWeights(&search, 1, &steps);
    if (best.Adopt({one.name, search.settings(), search.gains()})) {
      tuning->steps = std::move(steps);
      tuning->from = one.name;
    }
  }
  return best;
}

void TurnScorers(Search* search, std::vector<SearchStep>* steps) {
  for (size_t s = 0; s < search->settings().sources.size(); ++s) {
    if (search->settings().sources[s].weight == 0) continue;
    for (const auto& knob : ScorerKnobs(search->settings(), s)) search->Turn(knob, steps);
  }
}

// Whether what was found is better than the start on questions that neither was chosen by.
void Decide(const SessionIndex& index, const SessionQuestions& later, const BlendSettings& start,
            const TuneOptions& options, Tuning* tuning) {
  tuning->better = !(tuning->found == start);
  if (later.size() > 0) {
    Bench bench(index, later, options.threads);
    const std::vector<float> before = bench.JudgeAll(start);
    const std::vector<float> after = bench.JudgeAll(tuning->found);
    tuning->before = RateOf(before);
    tuning->after = RateOf(after);
    tuning->better = StandardErrors(before, after) >= static_cast<double>(options.decision);
  }
  tuning->settings = tuning->better ? tuning->found : start;
}

}  // namespace

absl::StatusOr<Tuning> TuneBlend(const SessionIndex& index, const SessionQuestions& questions,
                                 const SessionQuestions& later, const BlendSettings& start,
                                 const TuneOptions& options) {
  RETURN_IF_ERROR(Validate(start));
  if (questions.size() == 0) {
    return absl::FailedPreconditionError("tuning: no session is long enough to ask about");
  }
  Tuning tuning;
  SearchBudget budget(options.limits);
  {
    // Another seed, so that scorers and weights are not chosen by the same questions.
    Bench bench(index, Sample(questions, options.scorer_questions, options.seed + 1),
                options.threads);
    Search search = FindStart(&bench, start, options, &budget, &tuning);
    TurnWeights(&search, options.rounds, &tuning.steps);
    TurnScorers(&search, &tuning.steps);
    tuning.found = search.settings();
  }
  Bench bench(index, Sample(questions, options.blend_questions, options.seed), options.threads);
  Search search = MakeSearch(&bench, tuning.found, options, &budget);
  TurnWeights(&search, options.rounds, &tuning.steps);
  tuning.found = search.settings();
  tuning.answers = budget.answers();
  Decide(index, later, start, options, &tuning);
  return tuning;
}

}  // namespace vitrine
