// What a training may learn beside factors: how lists follow from a visit (the session blend), and
// how a list at home is mixed. Each is chosen on a part of what was kept back and used only where
// it is better, by more than chance, on a part that it was not chosen by: else the defaults stay.

#ifndef VITRINE_RECOMMENDER_OFFLINE_LIST_LEARNING_H_
#define VITRINE_RECOMMENDER_OFFLINE_LIST_LEARNING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"

#include "recommender/learn/held_out.h"
#include "recommender/learn/newest_sessions.h"
#include "recommender/model/mix_settings.h"
#include "recommender/model/model.h"
#include "recommender/model/session_settings.h"

namespace vitrine {

// The work is bounded by lists made, so that the same data gives the same settings on any machine:
// as stated, a minute or two of one core whatever the size of the shop, and the making of the
// index.
struct ListLearningOptions {
  size_t sessions_max = 200'000;             // the newest, of which the last tenths are asked about
  size_t questions_max = 4000;               // of each part, about sessions
  size_t questions_min = 1000;               // with fewer nothing is learned of sessions
  size_t visits_min = 400;                   // with fewer held-out visits, nothing of the mix
  uint64_t session_answers_max = 2'000'000;  // lists, once the defaults were judged
  uint64_t mix_answers_max = 500'000;
  float decision = 3;  // standard errors: questions of one session are not independent
  uint64_t seed = 1;   // of the questions that are drawn
  uint32_t threads = 0;
};

// How settings did on what they were not chosen by, beside the defaults.
struct LearnedQuality {
  size_t cases = 0;  // 0: there was too little to learn from
  double before = 0;
  double after = 0;
  bool used = false;
};

struct LearnedLists {
  std::optional<BlendSettings> blend = std::nullopt;  // what is better than the defaults; else none
  std::optional<MixSettings> mix = std::nullopt;
  LearnedQuality session = {};  // HR@20 + MRR@20 of clicks in the newest tenth of sessions
  LearnedQuality home = {};     // Recall@20 + NDCG@20 of every second visit held out
};

// `model` was trained without the visits held out. `sessions` has products by its indices.
// InvalidArgument if a setting is out of its range.
absl::StatusOr<LearnedLists> LearnLists(const Model& model, const NewestSessions& sessions,
                                        std::span<const HeldOutVisit> held_out,
                                        const ListLearningOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_LIST_LEARNING_H_
