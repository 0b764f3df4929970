// The products with the highest scores, exactly. Those of great norm are looked at first, until
// none that follows can be among the best: a first pass over half a byte a factor tells which may
// be, a second look of a byte a factor at those which still may, and only of these is the score
// computed. Up to a million products that costs less than a graph of them, which also misses some
// (benchmarks).

#ifndef VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_
#define VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "Eigen/Core"

#include "recommender/model/factors.h"
#include "recommender/model/quantized_factors.h"

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
  void Remove(uint32_t product) { words_[product / 64] &= ~Bit(product); }
  size_t size() const { return words_.size() * 64; }
  bool Contains(uint32_t product) const { return (words_[product / 64] & Bit(product)) != 0; }

 private:
  static uint64_t Bit(uint32_t product) { return uint64_t{1} << (product % 64); }

  std::vector<uint64_t> words_;
};

// The inner product of a product's factors and a taste: sixteen sums of every sixteenth term, then
// those. One order of summation, so that equal products have equal scores wherever they are found.
float ScoreOf(const FactorView& factors, uint32_t product, std::span<const float> taste);

// The k products outside `exclude` with the highest ScoreOf, best first; equal scores by product. A
// score that is no number is never chosen. O(products * d + k log k).
std::vector<Scored> TopProducts(const FactorView& factors, const Eigen::VectorXf& taste,
                                const ProductSet& exclude, size_t k);

// The same list, many times as fast. `quantized` is of these factors.
std::vector<Scored> TopProducts(const QuantizedFactors& quantized, const FactorView& factors,
                                const Eigen::VectorXf& taste, const ProductSet& exclude, size_t k);

// The same for each row of `tastes`, on `threads` threads (0: one per core), many tastes to each
// part of the catalogue while it is in the cache. `exclude` (may be empty) says which products, in
// ascending order, a row is not to be given; it is called from all threads.
using ExcludedOf = std::function<std::span<const uint32_t>(size_t row)>;
std::vector<std::vector<Scored>> TopProductsForAll(const QuantizedFactors& quantized,
                                                   const FactorView& factors,
                                                   const FactorMatrix& tastes,
                                                   const ExcludedOf& exclude, size_t k,
                                                   uint32_t threads);

// The same of scores that are there already.
std::vector<Scored> TopScores(std::span<const float> scores, const ProductSet& exclude, size_t k);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_RETRIEVAL_H_
