// The list that a placement shows: one from several.
//
//   score(j) = sum over sources of weight * (score of j / best score of the source)^exponent
//
// over the best `depth` products of each source that may be shown. What the sources leave open is
// filled up with what is popular, at last with what the person knows: a shelf is never empty.
//
// Products are numbered as the *site* numbers them: by the session index, which knows products
// newer than the model. A model's products are a part of the site's; `MixLists` translates the
// lists that come from a model, so that everything from there on has one numbering.

#ifndef VITRINE_RECOMMENDER_RANK_MIX_H_
#define VITRINE_RECOMMENDER_RANK_MIX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "Eigen/Core"
#include "absl/status/statusor.h"

#include "recommender/model/cell.h"
#include "recommender/model/factors.h"
#include "recommender/model/item_links.h"
#include "recommender/model/mix_settings.h"
#include "recommender/model/quantized_factors.h"
#include "recommender/rank/guessed_products.h"
#include "recommender/rank/retrieval.h"
#include "recommender/rank/session_scores.h"

namespace vitrine {

// What the sources suggest for one request, by the site's numbers. Thread-compatible; keeps its
// memory, so have one per thread and Clear() it. (TopProducts takes memory of its own.)
class MixLists {
 public:
  // `site_of` has the site's number of each product of the model; empty: they are the same. It must
  // live as long as this.
  explicit MixLists(std::span<const uint32_t> site_of = {}) : site_of_(site_of) {}

  // `count` products of each source are asked for: Mix's depth and as many more as are not to be
  // shown. What is `hidden` (ascending; must live until the next Clear) taste and links do not
  // name, where products have the same numbers in both: of them no more than the depth is needed.
  void Clear(size_t count, std::span<const uint32_t> hidden = {});

  // From the model. A taste of zeros and scores of 0 or less suggest nothing.
  void SetTaste(const QuantizedFactors& quantized, const FactorView& factors,
                const Eigen::VectorXf& taste);
  // Among those, the products of the first `rows` guesses, of the same model: by the site's
  // numbers, and without what is hidden. O(rows * d).
  void AddGuessed(const GuessedProducts& guessed, size_t rows, const Eigen::VectorXf& taste);
  // score(j) = sum over the history's cells i of weight of i * score of the link from i to j.
  // O(links of the history).
  void SetLinks(const ItemLinks& links, std::span<const Cell> history);
  // `by_popularity` has the model's products, most popular first.
  void SetPopular(std::span<const uint32_t> by_popularity, std::span<const float> popularity);

  // From the session index (SessionBlend::Rank): site's numbers, best first, scores above 0.
  void SetSession(std::span<const Scored> list);
  // The same in the trees' order (Reranker::Rank), whose scores are any numbers: logarithms, but
  // for a constant, of how likely a product is.
  void SetRerankedSession(std::span<const Scored> list);

  // Best first.
  std::span<const Scored> Of(MixSource source) const { return lists_[static_cast<size_t>(source)]; }

 private:
  std::vector<Scored>& At(MixSource source) { return lists_[static_cast<size_t>(source)]; }
  uint32_t SiteOf(uint32_t product) const { return site_of_.empty() ? product : site_of_[product]; }

  std::span<const uint32_t> Hidden() const {
    return site_of_.empty() ? hidden_ : std::span<const uint32_t>();
  }

  std::span<const uint32_t> site_of_;
  std::span<const uint32_t> hidden_;
  ProductSet excluded_{0};  // empty between calls
  size_t count_ = 0;
  std::array<std::vector<Scored>, kMixSources> lists_;
  ScoreMap scores_;
};

// Each source's list, best first, scores above 0, no product twice.
using MixSpans = std::array<std::span<const Scored>, kMixSources>;

MixSpans SpansOf(const MixLists& lists);

struct MixRequest {
  size_t k = 20;
  Situation situation = Situation::kHome;
  std::span<const uint32_t> exclude = {};  // never shown
  std::span<const uint32_t> known = {};    // bought before, or seen in this visit
  bool hide_known = true;                  // shown only where nothing else is left
  // Everything that may fill up the list, the most popular first.
  std::span<const uint32_t> refill = {};
};

// Thread-compatible: one per thread. Takes no memory once it has answered requests as large.
class Mix {
 public:
  // InvalidArgument if a setting is out of its range.
  static absl::StatusOr<Mix> Make(const MixSettings& settings);

  const MixSettings& settings() const { return settings_; }

  // Fills `list` with k different products, best first, equal scores by product; what is filled up
  // has a score of 0. Fewer only where the sources and `refill` together have fewer outside
  // `exclude`. O(sources * depth + k), and a sort of `exclude` and `known`.
  void Rank(const MixSpans& lists, const MixRequest& request, std::vector<Scored>* list);

  // Of the last Rank: what a source gave to the score of a product; 0 if it did not name it. Their
  // sum is the score, to the rounding of a float.
  float Given(MixSource source, uint32_t product) const;

 private:
  struct Row {
    uint32_t product = 0;
    std::array<float, kMixSources> given = {};
  };

  explicit Mix(const MixSettings& settings) : settings_(settings) {}

  void Hide(const MixRequest& request);
  void Add(std::span<const Scored> list, size_t source, const MixWeight& weight);
  Row* RowOf(uint32_t product);
  void FillUp(const MixRequest& request, std::vector<Scored>* list);

  MixSettings settings_;
  std::vector<uint32_t> exclude_;  // sorted
  std::vector<uint32_t> hidden_;   // sorted; contains exclude_
  ScoreMap places_;                // of products in rows_, from 1
  std::vector<Row> rows_;
  std::vector<Scored> scored_;
  ScoreMap listed_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_MIX_H_
