// How well scores rank what persons took next, by the protocol of LightGCN: all products that a
// person does not have in the training part are ranked; Recall@20 = hits / products to find,
// NDCG@20 with binary gains, means over persons.

#ifndef VITRINE_BENCHMARKS_RANKING_QUALITY_H_
#define VITRINE_BENCHMARKS_RANKING_QUALITY_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "recommender/learn/als/als.h"
#include "recommender/learn/interactions.h"
#include "recommender/model/item_links.h"

namespace vitrine::benchmarks {

struct Quality {
  double recall = 0;
  double ndcg = 0;
  double Sum() const { return recall + ndcg; }
};

// A tenth of each row's cells, rounded at random, and never all of them.
struct Split {
  SparseRows train;
  SparseRows held_out;
};
Split HoldOut(const SparseRows& all, uint32_t seed);

// Fills a row of scores per person, a column per product. Called from several threads.
using Scores = std::function<void(std::span<const uint32_t> persons, FactorMatrix* scores)>;
// What these refer to must outlive them.
Scores ByTaste(const AlsFactors& factors);
Scores ByWeights(const SparseRows& weights, const SparseRows& train);
Scores ByLinks(const ItemLinkLists& links, const SparseRows& train);

// Of up to `persons` persons who have something to find, evenly spread.
struct Questions {
  const SparseRows& train;
  const SparseRows& wanted;
  size_t persons = SIZE_MAX;
};

// The quality of each blend: the sum of the parts, each divided by its highest score for that
// person, times the blend's weights. On `threads` threads; the result does not depend on them.
std::vector<Quality> EvaluateBlends(const std::vector<Scores>& parts,
                                    const std::vector<std::vector<float>>& blends,
                                    const Questions& questions, uint32_t threads);
Quality Evaluate(const Scores& scores, const Questions& questions, uint32_t threads);

}  // namespace vitrine::benchmarks

#endif  // VITRINE_BENCHMARKS_RANKING_QUALITY_H_
