// Products that nobody has touched yet, by what the catalogue says of them: which others are like
// them, and what their factors would probably be.
//
// A product is the set of its words, each path of its category, its brand, its price (in bands of
// half an octave, two sets of them half a band apart, so that near prices share at least one) and
// its attributes; each weighs log(products / products with it) times the weight of its field.
// Likeness is the cosine of two such vectors (Salton, Wong, Yang 1975). What only one product has
// is left out: it can be shared with nobody.
//
// The guessed factors of a product point where the mean of those of its most similar products that
// have some points (k nearest neighbours as in Gantner et al., "Learning Attribute-to-Feature
// Mappings for Cold-Start Recommendations", ICDM 2010), and are as long as those are on average,
// less where there is little likeness:
//     x = m / |m| * sum s_i |y_i| / (shrinkage + sum s_i),  m = sum s_i y_i,
//     s_i = likeness_i ^ sharpness.
// (The mean itself is shorter than what it is the mean of, so that no product guessed by it would
// ever be among the first of a list.)
//
// They stand beside the model, never in it: the model's Gramian says what was learned of all
// persons' silence about the products it knows, and a guess is no observation. Whoever ranks scores
// both matrices with one taste; folding in and training never see the guesses.

#ifndef VITRINE_RECOMMENDER_LEARN_COLD_PRODUCTS_H_
#define VITRINE_RECOMMENDER_LEARN_COLD_PRODUCTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "recommender/learn/interactions.h"
#include "recommender/model/cell.h"
#include "recommender/model/factors.h"
#include "recommender/model/model.h"
#include "store/records_types.h"

namespace vitrine {

struct AttributeSettings {
  float name = 1.0f;
  float category = 1.5f;
  float brand = 0.3f;
  float price = 0.2f;
  float attribute = 0.5f;
  // Products that are looked at for one word (or category, ...); of a word that more have, evenly
  // spaced ones. At least 1.
  size_t postings_max = 1000;
};

// Which products of a catalogue are like a given one. Immutable, thread-safe. Holds up to 16
// bytes for each word of each product, the different words, and the ids.
class AttributeIndex {
 public:
  // O(words of the catalogue).
  explicit AttributeIndex(std::span<const Product> catalogue,
                          const AttributeSettings& settings = {});

  // The k products most like this one (not itself, by id) for which `wanted` (may be empty) is
  // true: rows of the catalogue and cosines above 0, best first, equal ones by row. The product
  // need not have been in the catalogue when the index was made. Exact where no word of it has more
  // than `postings_max` products, else nearly so. O(words * postings_max).
  std::vector<Cell> Similar(const Product& product, size_t k,
                            const std::function<bool(uint32_t row)>& wanted = {}) const;

  size_t products() const { return ids_.size(); }

 private:
  std::vector<Cell> VectorOf(const Product& product) const;

  const AttributeSettings settings_;
  std::vector<std::string> ids_;
  absl::flat_hash_map<std::string, Cell> words_;  // number and weight of what two products share
  SparseRows by_product_;
  SparseRows by_word_;  // at most postings_max products each
};

struct ColdSettings {
  size_t neighbours = 40;
  float sharpness = 2.0f;
  float shrinkage = 0.5f;
};

struct ColdProducts {
  std::vector<uint32_t> rows;   // of the catalogue, as asked for
  FactorMatrix factors;         // one row each, in the space of the model's
  std::vector<float> evidence;  // sum s_i: 0 would be no likeness at all
};

// The products that `model` does not know: rows of the catalogue, ascending.
std::vector<uint32_t> ColdRows(std::span<const Product> catalogue, const Model& model);

// The factors of such products. Those that are like none the model knows are left out. `index` is
// of this catalogue. The same bits whatever the number of threads (0: one per core). O(catalogue +
// rows * words * postings_max).
ColdProducts GuessFactors(const AttributeIndex& index, std::span<const Product> catalogue,
                          std::span<const uint32_t> cold, const Model& model,
                          const ColdSettings& settings, uint32_t threads);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_COLD_PRODUCTS_H_
