// "What do I show this person now": from a model and a person's recent events to a list. Pure
// functions of what they are handed; no store, no sockets.

#ifndef VITRINE_RECOMMENDER_RANK_RANKER_H_
#define VITRINE_RECOMMENDER_RANK_RANKER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"

#include "recommender/model/model.h"
#include "store/records_types.h"

namespace vitrine {

enum class ListSource { kTaste, kSimilar, kPopular };

struct Ranked {
  uint32_t product = 0;  // index in the model
  float score = 0;
  ListSource source = ListSource::kTaste;
};

struct RankOptions {
  size_t k = 10;
  int64_t now_ms = 0;
  int64_t session_gap_ms = 30 * 60 * 1000;
  bool exclude_bought = true;
  bool exclude_seen = true;                                // in the current session
  const absl::flat_hash_set<uint32_t>* exclude = nullptr;  // more products to leave out
};

struct RankedList {
  std::vector<Ranked> products;  // best first; k of them unless the catalogue is smaller
  int32_t history_events = 0;    // that said something about taste
};

// Folds the history (newest first) in and ranks the whole catalogue; a person without a usable
// history gets what is popular, and so does the rest of a list that filters left short.
// Thread-safe. O(n d^2 + d^3 + products * d).
RankedList Recommend(const Model& model, std::span<const Event> history,
                     const RankOptions& options);

// Products with the most similar factors (cosine), without the product itself.
RankedList Similar(const Model& model, uint32_t product, size_t k);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_RANKER_H_
