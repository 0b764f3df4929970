// How good a list was, given what the person took next.

#ifndef VITRINE_RECOMMENDER_OFFLINE_METRICS_H_
#define VITRINE_RECOMMENDER_OFFLINE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace vitrine {

struct ListQuality {
  double recall = 0;           // hits / min(k, targets)
  double ndcg = 0;             // gain 1 / log2(rank + 1), over the gain of the best possible list
  double reciprocal_rank = 0;  // of the first hit, ranks from 1; 0 without a hit
};

// Judges the first k products of `list`. `targets` are distinct; no targets give zeros.
ListQuality Judge(std::span<const uint32_t> list, std::span<const uint32_t> targets, size_t k);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFLINE_METRICS_H_
