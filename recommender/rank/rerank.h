// The head of a blend's list put in a better order by boosted trees, from what each source says of
// each product and what the session and the shop say about it.
//
// Features of a product, in this order:
//   per source of the blend: score / best score, 1 / rank, ln(score); 0, 0, -30 where not named
//   clicks since it was seen in the session (99: never), clicks on it
//   clicks of the session, share of different products among them
//   ln(1 + n) of the sessions with it: of all, of the newest 5 %, of the newest 1 %
//   ln((1 + n of the newest 5 %) / (5 + n of all)): its trend
//   the blend's score / best score

#ifndef VITRINE_RECOMMENDER_RANK_RERANK_H_
#define VITRINE_RECOMMENDER_RANK_RERANK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "recommender/model/rerank_trees.h"
#include "recommender/rank/blend.h"

namespace vitrine {

constexpr size_t kRerankDepth = 100;  // products of the blend that are put in order

constexpr size_t RerankFeatures(size_t sources) { return 3 * sources + 9; }

// Describes products to the trees. Thread-compatible. Takes no memory once it has seen lists as
// long.
class RerankDescriber {
 public:
  // Sets `rows` to the features of each of `list`, which `blend` ranked last, for `clicks`.
  void Describe(const SessionIndex::Reader& index, const SessionBlend& blend,
                std::span<const uint32_t> clicks, std::span<const Scored> list,
                std::vector<float>* rows);

 private:
  void DescribeSources(const SessionBlend& blend, std::span<const Scored> list,
                       std::span<float> rows);
  void DescribeProduct(const SessionIndex::Reader& index, const Scored& scored, size_t clicks,
                       std::span<float> row) const;

  ScoreMap places_;  // of the list's products, from 1
  std::vector<Seen> seen_;
};

// A blend and the trees that put its head in order. Thread-compatible; takes no memory once it has
// answered requests as large.
class Reranker {
 public:
  // InvalidArgument if the trees were not made for a blend of as many sources.
  static absl::StatusOr<Reranker> Make(const BlendSettings& settings, TreeEnsemble trees);

  // As SessionBlend::Rank, but the first kRerankDepth products come in the order of the trees'
  // scores, which are in `list`. Of equal scores the blend's order stays. k beyond kRerankDepth
  // gives kRerankDepth products.
  void Rank(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
            const BlendOptions& options, std::vector<Scored>* list);

 private:
  Reranker(SessionBlend blend, TreeEnsemble trees)
      : blend_(std::move(blend)), trees_(std::move(trees)) {}

  SessionBlend blend_;
  TreeEnsemble trees_;
  RerankDescriber describer_;
  std::vector<float> rows_;
  std::vector<float> scores_;
  std::vector<uint32_t> order_;
  std::vector<Scored> head_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_RERANK_H_
