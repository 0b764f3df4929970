// How good a list was, given what the person took next, and what all lists together do with the
// catalogue. Relevance is binary: a product is a target or it is not.
//
// Definitions (T targets, h(r) = 1 if the product at rank r is one, ranks from 1):
//
//   precision@k   sum_{r<=k} h(r) / k
//   recall@k      sum_{r<=k} h(r) / min(k, T), so that a perfect list has 1; much of the literature
//                 divides by T (LightGCN and whoever compares with it): RecallOf::kAll
//   hit rate@k    1 if any h(r), else 0
//   reciprocal rank@k   1 / the first r with h(r) (Voorhees 1999); its mean is MRR
//   average precision@k sum_{r<=k} h(r) precision@r / min(k, T) (Manning, Raghavan, Schuetze 2008,
//                 section 8.4, cut at k); its mean is MAP
//   NDCG@k        sum_{r<=k} h(r) / log2(r + 1), over the same sum for the best possible list,
//   which
//                 has min(k, T) hits in front (Jarvelin, Kekalainen 2002)
//
// A list shorter than k counts as one with misses at its end.

#ifndef VITRINE_RECOMMENDER_OFFLINE_METRICS_H_
#define VITRINE_RECOMMENDER_OFFLINE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine {

// What recall divides hits by.
enum class RecallOf {
  kReachable,  // min(k, T)
  kAll,        // T
};

struct ListQuality {
  double recall = 0;
  double ndcg = 0;
  double reciprocal_rank = 0;
  double hit = 0;
  double average_precision = 0;
  double precision = 0;
};

// Judges the first k products of `list`, which are distinct. `targets` are distinct; no targets
// give zeros. O(k * targets).
ListQuality Judge(std::span<const uint32_t> list, std::span<const uint32_t> targets, size_t k,
                  RecallOf recall = RecallOf::kReachable);

// The bits of surprise in meeting a product that `with` of `persons` know: -log2(with / persons).
// Its mean over a list is the list's novelty (Zhou et al. 2010; Castells, Hurley, Vargas 2015).
// REQUIRES: 0 < with <= persons.
double SelfInformation(uint64_t with, uint64_t persons);

// `exposures`: how often each product of the catalogue was in a list.

// The share of products that were in any.
double Coverage(std::span<const uint64_t> exposures);

// How unequally lists share out their places: 0 if every product has as many, near 1 if one has
// them all. Sum_i (2 i - n - 1) x_i / (n sum_i x_i), x ascending (Gini 1912; Fleder, Hosanagar 2009
// for recommenders). 0 where nothing was exposed. O(n log n).
double Gini(std::span<const uint64_t> exposures);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_METRICS_H_
