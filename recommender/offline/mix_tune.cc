#include "recommender/offline/mix_tune.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "recommender/model/parallel.h"
#include "recommender/offline/metrics.h"
#include "store/base/check.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using Search = CoordinateSearch<MixSettings>;

constexpr size_t kChunk = 32;

// Calls use(case number, quality) for cases [begin, end), from all threads.
template <typename Use>
void JudgeCases(const MixCases& cases, const MixSettings& settings, size_t begin, size_t end,
                uint32_t threads, const Use& use) {
  Chunks chunks(end - begin, kChunk);
  RunOnThreads(threads, [&] {
    absl::StatusOr<Mix> mix = Mix::Make(settings);
    CHECK(mix.ok());
    MixRequest request = {.k = kMixCutoff, .situation = cases.situation, .refill = cases.refill};
    std::vector<Scored> list;
    std::vector<uint32_t> products;
    while (const auto chunk = chunks.Next()) {
      for (size_t c = begin + chunk->begin; c < begin + chunk->end; ++c) {
        const MixCase& one = cases.cases[c];
        MixSpans spans;
        for (size_t s = 0; s < kMixSources; ++s) spans[s] = one.lists[s];
        request.exclude = one.hidden;
        mix->Rank(spans, request, &list);
        products.clear();
        for (const Scored& scored : list) products.push_back(scored.product);
        use(c, Judge(products, one.targets, kMixCutoff));
      }
    }
  });
}

std::vector<Knob<MixSettings>> KnobsOf(Situation situation) {
  std::vector<Knob<MixSettings>> knobs;
  for (size_t s = 0; s < kMixSources; ++s) {
    const auto source = static_cast<MixSource>(s);
    knobs.push_back({absl::StrCat(NameOf(source), ": weight"),
                     [=](const MixSettings& m) { return m[situation][source].weight; },
                     [=](MixSettings* m, float v) { (*m)[situation][source].weight = v; },
                     OtherWeights});
    knobs.push_back({absl::StrCat(NameOf(source), ": exponent"),
                     [=](const MixSettings& m) { return m[situation][source].exponent; },
                     [=](MixSettings* m, float v) { (*m)[situation][source].exponent = v; },
                     OtherExponents});
  }
  return knobs;
}

}  // namespace

MixQuality QualityOf(const MixCases& cases, const MixSettings& settings, uint32_t threads) {
  std::vector<ListQuality> qualities(cases.cases.size());
  JudgeCases(cases, settings, 0, qualities.size(), threads,
             [&](size_t c, const ListQuality& quality) { qualities[c] = quality; });
  MixQuality mean;
  for (const ListQuality& quality : qualities) {
    mean.recall += quality.recall / static_cast<double>(qualities.size());
    mean.ndcg += quality.ndcg / static_cast<double>(qualities.size());
  }
  return mean;
}

std::vector<float> GainsOf(const MixCases& cases, const MixSettings& settings, uint32_t threads) {
  std::vector<float> gains(cases.cases.size());
  JudgeCases(cases, settings, 0, gains.size(), threads, [&](size_t c, const ListQuality& quality) {
    gains[c] = static_cast<float>(quality.recall + quality.ndcg);
  });
  return gains;
}

MixSettings OnlySource(MixSettings settings, Situation situation, MixSource source) {
  settings[situation] = {};
  settings[situation][source].weight = 1;
  return settings;
}

absl::StatusOr<MixTuning> TuneMix(const MixCases& cases, const MixSettings& start,
                                  const MixTuneOptions& options) {
  RETURN_IF_ERROR(Validate(start));
  if (cases.cases.empty()) return absl::FailedPreconditionError("tuning a mix: no cases");
  const auto judge = [&](const MixSettings& settings, size_t end, std::vector<float>* gains) {
    const size_t begin = gains->size();
    gains->resize(end);
    JudgeCases(cases, settings, begin, end, options.threads,
               [&](size_t c, const ListQuality& quality) {
                 (*gains)[c] = static_cast<float>(quality.recall + quality.ndcg);
               });
  };
  std::vector<Search::Start> starts = {{"as given", start, {}}};
  for (size_t s = 0; s < kMixSources; ++s) {
    const auto source = static_cast<MixSource>(s);
    starts.push_back(
        {absl::StrCat(NameOf(source), " alone"), OnlySource(start, cases.situation, source), {}});
  }
  SearchBudget budget(options.limits);
  for (Search::Start& one : starts) judge(one.settings, cases.cases.size(), &one.gains);
  budget.Spend(starts.size() * cases.cases.size());
  const auto best =
      std::max_element(starts.begin(), starts.end(),
                       [](const auto& a, const auto& b) { return Mean(a.gains) < Mean(b.gains); });

  MixTuning tuning;
  tuning.from = best->name;
  Search search(cases.cases.size(), judge, best->settings, options.certainty, &budget);
  for (uint32_t round = 0; round < options.rounds; ++round) {
    bool turned = false;
    for (const auto& knob : KnobsOf(cases.situation)) turned |= search.Turn(knob, &tuning.steps);
    if (!turned) break;
  }
  tuning.settings = search.settings();
  tuning.answers = budget.answers();
  tuning.before = QualityOf(cases, start, options.threads);
  tuning.after = QualityOf(cases, tuning.settings, options.threads);
  return tuning;
}

}  // namespace vitrine
