#include "recommender/offline/session_quality.h"

#include <algorithm>

#include "recommender/model/parallel.h"

namespace vitrine {
namespace {

constexpr size_t kChunk = 64;

}  // namespace

size_t RankOf(uint32_t target, std::span<const Scored> list) {
  for (size_t i = 0; i < std::min(kSessionCutoff, list.size()); ++i) {
    if (list[i].product == target) return i + 1;
  }
  return 0;
}

std::vector<size_t> RankAll(const SessionQuestions& questions,
                            const std::function<SessionRanker()>& make, uint32_t threads) {
  std::vector<size_t> ranks(questions.size());
  Chunks chunks(questions.size(), kChunk);
  RunOnThreads(threads, [&] {
    const SessionRanker ranker = make();
    std::vector<Scored> list;
    while (const auto chunk = chunks.Next()) {
      for (size_t q = chunk->begin; q < chunk->end; ++q) {
        ranker(questions.prefixes[q], &list);
        ranks[q] = RankOf(questions.targets[q], list);
      }
    }
  });
  return ranks;
}

HitRate Summarize(std::span<const size_t> ranks) {
  HitRate rate = {.questions = ranks.size()};
  if (ranks.empty()) return rate;
  for (const size_t rank : ranks) {
    if (rank == 0) continue;
    rate.hit_rate += 1;
    rate.mrr += 1 / static_cast<double>(rank);
  }
  rate.hit_rate /= static_cast<double>(ranks.size());
  rate.mrr /= static_cast<double>(ranks.size());
  return rate;
}

HitRate SummarizeNew(const SessionQuestions& questions, std::span<const size_t> ranks) {
  std::vector<size_t> kept;
  for (size_t q = 0; q < ranks.size(); ++q) {
    const auto clicks = questions.prefixes[q];
    if (std::find(clicks.begin(), clicks.end(), questions.targets[q]) == clicks.end()) {
      kept.push_back(ranks[q]);
    }
  }
  return Summarize(kept);
}

}  // namespace vitrine
