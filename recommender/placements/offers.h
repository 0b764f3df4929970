// What each source (store/records.thrift, Source) has to offer to a shelf, and how a recipe mixes
// it.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_OFFERS_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_OFFERS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

#include "recommender/model/model.h"
#include "recommender/model/session_index.h"
#include "recommender/placements/assortment.h"
#include "recommender/placements/rank_memo.h"
#include "recommender/placements/shelf.h"
#include "recommender/placements/trials.h"
#include "recommender/rank/live_ranker.h"
#include "recommender/rank/trends.h"
#include "store/records_types.h"

namespace vitrine {

// What a request is about; everything pointed at must outlive it.
struct OfferContext {
  const Model* model = nullptr;
  const SessionIndex* sessions = nullptr;  // null: not learned yet
  const Profile* profile = nullptr;        // an empty one for nobody
  const RankMemo* memo = nullptr;          // the profile's; null: none
  const TrendLists* trends = nullptr;      // null: none yet
  const Assortment* assortment = nullptr;  // null: not made yet
  std::span<const uint32_t> noted = {};    // came into the catalogue lately, the last one first
  RankOptions rank;                        // `k` is not looked at
  std::optional<uint32_t> current;         // the page's product
  const Product* current_product = nullptr;
  std::span<const uint32_t> cart = {};
  absl::string_view category = {};
  absl::string_view search_terms = {};
  // The only products that may be shown, the most popular first; empty: all may. FOR_YOU then ranks
  // these, by taste.
  std::span<const uint32_t> only = {};
  // How a product did that was tried before; empty: none was.
  std::function<Trial(uint32_t product)> trial = {};
  uint64_t seed = 0;  // of what is drawn for this shelf (rank/explore.h)
};

// For one request, of one or more shelves: what was worked out for one is kept for the next.
// Thread-compatible.
class OfferMaker {
 public:
  // Both must outlive it. `rank`'s exclude_bought and exclude_seen, `only` and `seed` may change
  // between shelves.
  OfferMaker(const OfferContext& context, LiveRanker* ranker)
      : context_(context), ranker_(ranker) {}

  // The best `depth` products of one source, best first, scores above 0. None where the source has
  // nothing to go by.
  std::vector<Offer> Of(const RecipeSource& source, size_t depth);

  struct Mixed {
    std::vector<Offer> scored;   // sources of a weight above 0, best first
    std::vector<Offer> fillers;  // the others, in the recipe's order
    std::vector<Offer> tried;    // one of them is to have a place; may be in the other lists too
    bool cut = false;            // a source may have more than `depth`
  };
  //   score(j) = sum over sources of weight * score of j / best score of the source
  // as rank/mix.h has it, the source that gave most being the product's. A product is in one of the
  // lists, once. EXPLORE beside other sources of a weight above 0 does not add to that: its weight
  // is the part of shelves that try a new product. By itself it is a source like the others.
  Mixed Mix(std::span<const RecipeSource> recipe, size_t depth);

  // Works out the person's ranking so that a later request finds it in the memo.
  void Remember(size_t depth) { Rank(depth, /*with_parts=*/false); }

 private:
  std::vector<Offer> ForYou(size_t depth);
  std::vector<Offer> ForYouAmong(std::span<const uint32_t> products, size_t depth) const;
  std::vector<Offer> Part(MixSource part, Source source, size_t depth);
  std::vector<Offer> SimilarToCurrent(size_t depth) const;
  std::vector<Offer> BoughtTogether(size_t depth) const;
  std::vector<Offer> Popular(const RecipeSource& source, size_t depth) const;
  std::vector<Offer> PopularEver(size_t depth) const;
  std::vector<Offer> RecentlyViewed(const RecipeSource& source, size_t depth) const;
  std::vector<Offer> BuyAgain(size_t depth) const;
  std::vector<Offer> Newest(const RecipeSource& source, size_t depth) const;
  std::vector<Offer> Explore(const RecipeSource& source, size_t depth) const;
  // What came into the shop since then, the newest first, `most` of those that are `wanted`.
  std::vector<uint32_t> NewSince(int64_t since_ms, size_t most,
                                 absl::FunctionRef<bool(uint32_t)> wanted) const;
  // For what was popular enough to show by itself it is too late to be tried.
  bool EarnsItsPlace(uint32_t product) const;
  Eigen::VectorXf TasteNow() const;
  // By trained or guessed factors; 0 for a product that has neither.
  float TasteFor(uint32_t product, const Eigen::VectorXf& taste) const;
  const GuessedProducts* Guessed() const {
    return context_.assortment == nullptr ? nullptr : &context_.assortment->guessed();
  }
  // `with_parts`: the lists that it is mixed from are asked for too, which a memo does not have.
  void Rank(size_t depth, bool with_parts);

  const OfferContext& context_;
  LiveRanker* const ranker_;
  std::shared_ptr<const RankedList> ranked_;  // of ranked_depth_, as ranked_key_ says
  size_t ranked_depth_ = 0;
  RankMemo::Key ranked_key_;
  bool has_parts_ = false;  // in ranker_
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_OFFERS_H_
