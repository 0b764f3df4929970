// How often, and how high in the list, the next click is found.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_QUALITY_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_QUALITY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "recommender/offline/session_log.h"
#include "recommender/rank/retrieval.h"

namespace vitrine {

constexpr size_t kSessionCutoff = 20;  // of HR and MRR

struct HitRate {
  size_t questions = 0;
  double hit_rate = 0;  // HR@20: the share of questions whose target is among the first 20
  double mrr = 0;       // MRR@20: mean of 1 / rank of the target, 0 below 20
};

// The rank of the target in the list, from 1; 0 if it is not among the first 20.
size_t RankOf(uint32_t target, std::span<const Scored> list);

// Hit plus reciprocal rank: what settings are chosen by.
inline float Gain(size_t rank) { return rank == 0 ? 0 : 1 + 1 / static_cast<float>(rank); }

// Fills the list for a prefix. Has its own scratch; called from one thread.
using SessionRanker = std::function<void(std::span<const uint32_t> clicks, std::vector<Scored>*)>;

// The ranks that lists of rankers have for the questions, in their order. `make` is called once per
// thread (0: one per core).
std::vector<size_t> RankAll(const SessionQuestions& questions,
                            const std::function<SessionRanker()>& make, uint32_t threads);

HitRate Summarize(std::span<const size_t> ranks);
// Of the questions whose target was not clicked in the session before.
HitRate SummarizeNew(const SessionQuestions& questions, std::span<const size_t> ranks);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_QUALITY_H_
