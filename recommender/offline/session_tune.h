// Settings of a blend learned from what people did last: the newest sessions are held out, the
// index is made of the others, and a gradient-free search (offline/coordinate_search.h) begins with
// several blends (offline/session_knobs.h) and moves weights, exponents and the scorers' own
// settings. What it comes to is used only if it is better than the start on questions that it has
// never seen. The same result for the same seed, whatever the number of threads.

#ifndef VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_
#define VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/session_settings.h"
#include "recommender/offline/coordinate_search.h"
#include "recommender/offline/session_log.h"
#include "recommender/offline/session_quality.h"

namespace vitrine {

struct TuneOptions {
  size_t scorer_questions = 3000;   // that starts and scorers' settings are chosen by
  size_t blend_questions = 12'000;  // that weights and exponents are chosen by
  uint32_t rounds = 4;              // over all weights, at most
  float certainty = 0.5f;           // a step gains this many standard errors, or is not taken
  float decision = 2;               // and so does the outcome, on the later questions
  uint64_t seed = 1;                // of the questions that are drawn
  uint32_t threads = 0;             // 0: one per core
  SearchLimits limits = {};         // of the whole; an answer is a list blended from sources' lists
};

// How a starting point did.
struct TuneStart {
  std::string name;
  size_t questions = 0;  // that it was judged on before it fell out
  double gain = 0;       // HR@20 + MRR@20 on them
};

struct Tuning {
  BlendSettings settings;         // `start` where nothing better was found
  bool better = false;            // whether something was
  BlendSettings found;            // what the search came to
  std::vector<TuneStart> starts;  // best first; the first few were gone on from
  std::string from;               // the name of the one that `found` was found from
  std::vector<SearchStep> steps;  // in the order in which they were taken
  HitRate before;                 // of `start` on the later questions
  HitRate after;                  // of `found` on them
  uint64_t answers = 0;           // that the search took
};

// Tunes `start` on questions about sessions that are not in the index: chooses by `questions` and
// decides by `later` ones, of sessions that came after. Without later questions `found` is taken as
// it is. InvalidArgument if a setting is out of its range; FailedPrecondition without a question.
absl::StatusOr<Tuning> TuneBlend(const SessionIndex& index, const SessionQuestions& questions,
                                 const SessionQuestions& later, const BlendSettings& start,
                                 const TuneOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_SESSION_TUNE_H_
