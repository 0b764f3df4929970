// What the session scorers share: sessions that have products in common with the one going on,
// newest first, and powers and decays looked up instead of computed.

#ifndef VITRINE_RECOMMENDER_RANK_SESSION_NEIGHBOURS_H_
#define VITRINE_RECOMMENDER_RANK_SESSION_NEIGHBOURS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recommender/model/session_index.h"
#include "recommender/model/session_repeats.h"
#include "recommender/rank/session_scores.h"
#include "store/base/limits.h"

namespace vitrine {

// One way to score products for a session going on. Thread-compatible: an object has its scratch,
// so have one per thread. Takes no memory once it has seen requests as large.
class SessionScorer {
 public:
  virtual ~SessionScorer() = default;

  // Adds to `scores` (which is empty) every product that `clicks` (oldest first, the newest last)
  // make likely. Products that the index does not know are passed over.
  virtual void Score(const SessionIndex::Reader& index, std::span<const uint32_t> clicks,
                     ScoreMap* scores) = 0;
};

struct Neighbour {
  float similarity = 0;
  uint32_t session = 0;
  uint32_t match = 0;  // which of the query's products it shares; of several, the newest
};

// Calls use(session, sum of weights of the products that the session contains, the first of these
// products) for every session that contains one of `products`, the newest first, each once, until
// `use` gives false. Of every product the `per_product` newest sessions are looked at. A merge of
// sorted lists: O(sessions * products), no memory. REQUIRES: at most limits::kQueryProductsMax
// products, as many weights.
template <typename Use>
void MergeSessions(const SessionIndex::Reader& index, std::span<const Seen> products,
                   std::span<const float> weights, size_t per_product, const Use& use) {
  // Session numbers plus one, so that 0 is the end of a list.
  std::array<uint64_t, limits::kQueryProductsMax> heads;
  std::array<SessionIndex::Sessions, limits::kQueryProductsMax> lists;
  std::array<uint32_t, limits::kQueryProductsMax> next;
  const size_t n = products.size();
  const auto advance = [&](size_t i) {
    const size_t size = std::min(lists[i].size(), per_product);
    heads[i] = next[i] < size ? uint64_t{lists[i][next[i]]} + 1 : 0;
    ++next[i];
  };
  for (size_t i = 0; i < n; ++i) {
    lists[i] = index.SessionsOf(products[i].product);
    next[i] = 0;
    advance(i);
  }
  while (true) {
    const uint64_t newest = *std::max_element(heads.begin(), heads.begin() + n);
    if (n == 0 || newest == 0) return;
    float weight = 0;
    size_t first = n;
    for (size_t i = 0; i < n; ++i) {
      if (heads[i] != newest) continue;
      first = std::min(first, i);
      weight += weights[i];
      advance(i);
    }
    if (!use(static_cast<uint32_t>(newest - 1), weight, static_cast<uint32_t>(first))) return;
  }
}

// Keeps the `count` most similar; of equals the newer.
void KeepMostSimilar(size_t count, std::vector<Neighbour>* neighbours);

// x^-exponent for whole x, as often as not out of a table.
class InversePower {
 public:
  explicit InversePower(float exponent) : exponent_(exponent) {
    for (size_t x = 0; x < table_.size(); ++x) table_[x] = Compute(x);
  }

  // 1 for 0.
  float operator()(size_t x) const { return x < table_.size() ? table_[x] : Compute(x); }

 private:
  float Compute(size_t x) const { return x == 0 ? 1 : std::pow(static_cast<float>(x), -exponent_); }

  float exponent_;
  std::array<float, 1024> table_;
};

// exp(-age / lambda), 1 for lambda 0.
class Decay {
 public:
  explicit Decay(float lambda) : rate_(lambda > 0 ? 1 / lambda : 0) {}

  float operator()(size_t age) const {
    return rate_ == 0 ? 1 : std::exp(-rate_ * static_cast<float>(age));
  }

 private:
  float rate_;
};

// ln((1 + sessions) / sessions with the product), so above 0 even for what is in all of them; 0 for
// an unknown product.
float InverseFrequency(const SessionIndex::Reader& index, uint32_t product);

// Divides every score by (sessions with the product)^exponent.
void DividePopularity(const SessionIndex::Reader& index, const InversePower& power,
                      ScoreMap* scores);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_SESSION_NEIGHBOURS_H_
