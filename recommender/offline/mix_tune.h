// Weights of a mix learned on held-out cases of one situation, the whole catalogue ranked: the
// search of offline/coordinate_search.h over weights and exponents. It begins with the best of the
// mix as given and each source alone, so that on the cases it chooses by, the outcome is not worse
// than any of them: popularity and what goes with what are sources.

#ifndef VITRINE_RECOMMENDER_OFFLINE_MIX_TUNE_H_
#define VITRINE_RECOMMENDER_OFFLINE_MIX_TUNE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/mix_settings.h"
#include "recommender/offline/coordinate_search.h"
#include "recommender/rank/mix.h"

namespace vitrine {

constexpr size_t kMixCutoff = 20;  // of Recall and NDCG

// One list to make, and what would have been right.
struct MixCase {
  std::array<std::vector<Scored>, kMixSources> lists = {};  // as Mix::Rank wants them
  std::vector<uint32_t> hidden = {};                        // not to be suggested
  std::vector<uint32_t> targets = {};                       // distinct
};

struct MixCases {
  std::vector<MixCase> cases = {};    // in an order in which the first look like all of them
  std::vector<uint32_t> refill = {};  // MixRequest::refill
  Situation situation = Situation::kHome;
};

struct MixQuality {
  double recall = 0;  // at kMixCutoff, means over the cases
  double ndcg = 0;
};

struct MixTuneOptions {
  uint32_t rounds = 4;   // over all weights, at most
  float certainty = 1;   // a step gains this many standard errors, or is not taken
  uint32_t threads = 0;  // 0: one per core
  SearchLimits limits = {};
};

struct MixTuning {
  MixSettings settings;
  std::string from;               // where the search began: "as given", "taste alone", ...
  std::vector<SearchStep> steps;  // in the order in which they were taken
  MixQuality before;              // as given
  MixQuality after;
  uint64_t answers = 0;
};

// REQUIRES: the settings are valid.
MixQuality QualityOf(const MixCases& cases, const MixSettings& settings, uint32_t threads);

// Recall + NDCG of each case: what settings are chosen by.
std::vector<float> GainsOf(const MixCases& cases, const MixSettings& settings, uint32_t threads);

// The given settings with one source alone in a situation.
MixSettings OnlySource(MixSettings settings, Situation situation, MixSource source);

// Changes nothing but the recipe of the cases' situation. InvalidArgument if a setting is out of
// its range; FailedPrecondition without a case. The same result on every run without `limits.stop`,
// whatever the number of threads.
absl::StatusOr<MixTuning> TuneMix(const MixCases& cases, const MixSettings& start,
                                  const MixTuneOptions& options);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_MIX_TUNE_H_
