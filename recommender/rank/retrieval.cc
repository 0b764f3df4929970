#include "recommender/rank/retrieval.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace vitrine {
namespace {

// Products scored at a time: the scores stay in the first-level cache.
constexpr Eigen::Index kBlock = 512;

bool Better(const Scored& a, const Scored& b) {
  return a.score != b.score ? a.score > b.score : a.product < b.product;
}

// A heap of the best so far, the worst of them on top. Nearly every product fails the comparison
// with `bar_`; only one that passes is looked up in the excluded.
class Selection {
 public:
  Selection(const ProductSet& exclude, size_t k) : exclude_(exclude), k_(k) { heap_.reserve(k); }

  // Offers products first, first + 1, ...; later calls must offer higher products.
  void Offer(uint32_t first, std::span<const float> scores) {
    for (size_t i = 0; i < scores.size(); ++i) {
      if (!(scores[i] > bar_)) continue;
      const uint32_t product = first + static_cast<uint32_t>(i);
      if (!exclude_.Contains(product)) Insert({product, scores[i]});
    }
  }

  std::vector<Scored> BestFirst() && {
    std::sort_heap(heap_.begin(), heap_.end(), Better);
    return std::move(heap_);
  }

 private:
  void Insert(const Scored& scored) {
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), Better);
      heap_.pop_back();
    }
    heap_.push_back(scored);
    std::push_heap(heap_.begin(), heap_.end(), Better);
    if (heap_.size() == k_) bar_ = heap_.front().score;
  }

  const ProductSet& exclude_;
  const size_t k_;
  std::vector<Scored> heap_;
  float bar_ = -std::numeric_limits<float>::infinity();
};

}  // namespace

std::vector<Scored> TopProducts(const FactorMatrix& factors, const Eigen::VectorXf& taste,
                                const ProductSet& exclude, size_t k) {
  k = std::min(k, static_cast<size_t>(factors.rows()));
  if (k == 0) return {};
  Selection selection(exclude, k);
  std::array<float, kBlock> scores;
  for (Eigen::Index first = 0; first < factors.rows(); first += kBlock) {
    const Eigen::Index count = std::min(kBlock, factors.rows() - first);
    Eigen::Map<Eigen::VectorXf>(scores.data(), count).noalias() =
        factors.middleRows(first, count) * taste;
    selection.Offer(static_cast<uint32_t>(first), {scores.data(), static_cast<size_t>(count)});
  }
  return std::move(selection).BestFirst();
}

std::vector<Scored> TopScores(std::span<const float> scores, const ProductSet& exclude, size_t k) {
  k = std::min(k, scores.size());
  if (k == 0) return {};
  Selection selection(exclude, k);
  selection.Offer(0, scores);
  return std::move(selection).BestFirst();
}

}  // namespace vitrine
