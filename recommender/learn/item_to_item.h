// What goes with what, from who had what: each pair of products is counted once, and the counts
// give two lists of links per product.
//
// Whose rows they are says what the links mean: persons (or sessions) and all they looked at give
// "viewed also viewed", orders and what was in them give "bought together".
//
// By cosine: the angle between two products' columns of weights. It is the better ranking of the
// two, and the control that every learned model has to beat. By likelihood: how surprising it would
// be to meet the pair this often if nobody who takes the one cared for the other. A bestseller that
// is in every basket anyway goes with nothing by that, and a pair met twice by chance is not
// preferred to one met a hundred times.

#ifndef VITRINE_RECOMMENDER_LEARN_ITEM_TO_ITEM_H_
#define VITRINE_RECOMMENDER_LEARN_ITEM_TO_ITEM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "recommender/learn/interactions.h"
#include "recommender/model/item_links.h"

namespace vitrine {

struct ItemToItemSettings {
  size_t links = 50;  // per product and list, at most
  // Pairs that fewer rows have are no links. From one row alone, a list would tell what that person
  // did.
  uint32_t together_min = 2;
  // Of a row with more cells, a random sample of so many is counted: time goes with the square of a
  // row's length, and who looked at everything (a robot, a reseller) says nothing about a pair.
  size_t row_cells_max = 500;
  uint64_t seed = 1;     // of those samples
  uint32_t threads = 0;  // 0: one per core. The result does not depend on it.
};

struct ItemToItem {
  ItemLinkLists by_cosine;
  ItemLinkLists by_likelihood;  // only pairs that are met more often than by chance
};

// Equal scores are ordered by product. Cells whose weight is not positive and finite are left out.
// O(sum over rows of min(length, row_cells_max)^2) time; 16 bytes for a cell and, for a thread, 8
// for a product beside the result's 12 for a link.
ItemToItem LearnItemToItem(const SparseRows& rows, const ItemToItemSettings& settings);

// Twice the logarithm of how much likelier the counts are if the two products depend on each other
// than if not (Dunning 1993, "Accurate Methods for the Statistics of Surprise and Coincidence"):
//
//   2 * sum over the four cells of the table (has a or not) x (has b or not)
//       of observed * ln(observed / expected),   expected = row total * column total / rows
//
// of which `together` rows have both, `with_a` and `with_b` the one and the other. 0 if there are
// not more together than expected. For independent products it is distributed as chi-squared with
// one degree of freedom: 1 on average, above 10.8 once in a thousand.
// REQUIRES: together <= with_a, with_b; with_a + with_b - together <= rows.
double LogLikelihoodRatio(uint64_t together, uint64_t with_a, uint64_t with_b, uint64_t rows);

// Sets scores[j] to the sum over the history's cells of weight * (score of the link from the cell's
// product to j).
void ScoreByLinks(const ItemLinks& links, std::span<const Cell> history, std::span<float> scores);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_ITEM_TO_ITEM_H_
