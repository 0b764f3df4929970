// "What do I show this person now": from a model and a person's recent events to a list. Pure
// functions of what they are handed; no store, no sockets.

#ifndef VITRINE_RECOMMENDER_RANK_RANKER_H_
#define VITRINE_RECOMMENDER_RANK_RANKER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"

#include "recommender/model/model.h"
#include "recommender/rank/fold_in.h"
#include "recommender/rank/guessed_products.h"
#include "recommender/rank/retrieval.h"
#include "store/records_types.h"

namespace vitrine {

enum class ListSource {
  kTaste,     // factors
  kSimilar,   // factors of a product that lie like another's
  kPopular,   // popularity
  kVisit,     // what people clicked in visits like this one
  kTogether,  // what goes with the history, or with a product
};

struct Ranked {
  uint32_t product = 0;  // index in the model
  float score = 0;       // comparable within one source only
  ListSource source = ListSource::kTaste;
};

struct RankOptions {
  size_t k = 10;
  int64_t now_ms = 0;  // tells the current session; ages are counted as in training (fold_in.h)
  int64_t session_gap_ms = 30 * 60 * 1000;
  // How much of the ranking the current session decides, 0 to 1, whatever the length of the
  // history behind it (Taste in fold_in.h). Nothing changes for a person without a session.
  float session_share = 0.5f;
  bool exclude_bought = true;
  bool exclude_seen = true;                                // in the current session
  const absl::flat_hash_set<uint32_t>* exclude = nullptr;  // more products to leave out
  // What taste ranks beside the model's products while it is new; null: nothing. (LiveRanker.)
  const GuessedProducts* guessed = nullptr;
};

struct RankedList {
  std::vector<Ranked> products;  // best first; k of them unless the catalogue is smaller
  int32_t history_events = 0;    // that said something about taste
};

// The acts at the front (newest first) that belong to the visit going on at `now_ms`: no pause
// between them, nor up to now, is longer than the gap.
size_t CurrentSession(std::span<const Act> acts, int64_t now_ms, int64_t session_gap_ms);

// Whether the person has had the product of this act already, as far as `options` care.
// `in_session`: the act belongs to the visit going on.
bool IsKnown(const Model& model, const Act& act, bool in_session, const RankOptions& options);

// Ranks the whole catalogue for a person by taste alone; one without a usable history gets what is
// popular. Where the person has bought or seen so much that the list would be short, it is filled
// up with the most popular of those; `options.exclude` always holds. Thread-safe. O(acts + products
// * d), and a fold-in of the session where there is one.
RankedList Recommend(const Model& model, const Profile& profile, const RankOptions& options);

// The same for a person who has to be folded in first (MakeProfile).
RankedList Recommend(const Model& model, std::span<const Event> history,
                     const RankOptions& options);

// What those who took an interest in the product also did, most first, then the products with the
// most similar factors (cosine); without the product itself.
RankedList Similar(const Model& model, uint32_t product, size_t k);

// The model's products with the most similar factors alone (cosine), best first, without the
// product itself, which may be a guessed one (`guessed` may be null); none for one that is neither.
// O(products * d).
std::vector<Scored> SimilarFactors(const Model& model, const GuessedProducts* guessed,
                                   uint32_t product, size_t k);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_RANKER_H_
