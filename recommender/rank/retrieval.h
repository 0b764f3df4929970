// The products with the highest scores: an exact scan, kept honest by its size. One pass over the
// factors costs what reading them costs, which no index beats below a million products.

#ifndef VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_
#define VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "Eigen/Core"

#include "recommender/model/factors.h"

namespace vitrine {

struct Scored {
  uint32_t product = 0;
  float score = 0;

  bool operator==(const Scored&) const = default;
};

// A set of products of one catalogue, one bit each.
class ProductSet {
 public:
  explicit ProductSet(size_t products) : words_((products + 63) / 64) {}

  // REQUIRES: product < products.
  void Insert(uint32_t product) { words_[product / 64] |= Bit(product); }
  bool Contains(uint32_t product) const { return (words_[product / 64] & Bit(product)) != 0; }

 private:
  static uint64_t Bit(uint32_t product) { return uint64_t{1} << (product % 64); }

  std::vector<uint64_t> words_;
};

// The k products outside `exclude` with the highest inner product with `taste`, best first; equal
// scores by product. A score that is no number is never chosen. O(products * d + k log k).
std::vector<Scored> TopProducts(const FactorMatrix& factors, const Eigen::VectorXf& taste,
                                const ProductSet& exclude, size_t k);

// The same of scores that are there already.
std::vector<Scored> TopScores(std::span<const float> scores, const ProductSet& exclude, size_t k);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_
