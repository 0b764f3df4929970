// Settings of a blend learned from what people did last: the newest sessions are held out, the
// index is made of the others, and a gradient-free search (coordinate by coordinate, the best of
// a few values, again while it pays) moves weights, exponents and the scorers' own settings. A step
// counts only if it gains more than chance would on the same questions, so that where the data say
// nothing the defaults stay. The same result for the same seed, whatever the number of threads.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/session_settings.h"
#include "recommender/offline/session_log.h"
#include "recommender/offline/session_quality.h"

namespace vitrine {

struct TuneOptions {
  size_t scorer_questions = 3000;   // that scorers' settings are chosen by
  size_t blend_questions = 12'000;  // that weights and exponents are chosen by
  uint32_t rounds = 4;              // over all weights, at most
  float certainty = 0.5f;           // a step gains this many standard errors, or is not taken
  uint64_t seed = 1;                // of the questions that are drawn
  uint32_t threads = 0;             // 0: one per core
};

struct TuneStep {
  std::string what;  // "stan: recency"
  float from = 0;
  float to = 0;
  double gain = 0;  // HR@20 + MRR@20 on the questions it was chosen by
};

struct Tuning {
  BlendSettings settings;
  std::vector<TuneStep> steps;  // in the order in which they were taken
  HitRate before;               // on the questions that weights were chosen by
  HitRate after;
};

// Tunes `start` on questions about sessions that are not in the index. InvalidArgument if a setting
// is out of its range; FailedPrecondition without a question.
absl::StatusOr<Tuning> TuneBlend(const SessionIndex& index, const SessionQuestions& questions,
                                 const BlendSettings& start, const TuneOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_
