// What a shop's catalogue says of all its products together: which are alike, which are new, what a
// category holds. Made from a whole catalogue now and then; products that came since are not in it.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_ASSORTMENT_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_ASSORTMENT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "recommender/learn/cold_products.h"
#include "recommender/model/model.h"
#include "recommender/rank/guessed_products.h"
#include "recommender/rank/retrieval.h"
#include "store/records_types.h"

namespace vitrine {

// Immutable, thread-safe. Products are named by the site's numbers (model/catalogue.h).
class Assortment {
 public:
  // `numbers` has the site's number of each product; numbers below the model's products are the
  // model's. Guesses factors (learn/cold_products.h) on one thread. O(words of the catalogue +
  // n log n) and the guesses; some hundred bytes a product.
  Assortment(std::span<const Product> catalogue, std::span<const uint32_t> numbers,
             const Model& model);

  // Best first, scores above 0 (cosines of what the catalogue says), without the product itself.
  std::vector<Scored> Alike(const Product& product, size_t k) const;
  // The same for words that somebody looks for.
  std::vector<Scored> Matching(absl::string_view words, size_t k) const;

  // Products that the shop began to sell at a known time, and those of the catalogue that the model
  // does not know, by when the catalogue told of them; the newest first.
  std::span<const uint32_t> newest() const { return newest_; }
  int64_t NewSinceMs(size_t place) const { return new_since_ms_[place]; }

  // The newest of those that the model does not know, at most kGuessedMax, less those like nothing
  // it knows.
  static constexpr size_t kGuessedMax = 10'000;
  const GuessedProducts& guessed() const { return guessed_; }

  // Those in a category and in the ones under it, the most popular first; empty: there is none.
  std::span<const uint32_t> InCategory(absl::string_view category) const;

 private:
  std::vector<Scored> Similar(const Product& product, size_t k) const;
  void Guess(std::span<const Product> catalogue, const Model& model);

  std::vector<uint32_t> numbers_;  // by row
  AttributeIndex index_;
  std::vector<uint32_t> newest_;
  std::vector<int64_t> new_since_ms_;
  GuessedProducts guessed_;
  absl::flat_hash_map<std::string, std::vector<uint32_t>> by_category_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_ASSORTMENT_H_
