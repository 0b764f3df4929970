// A place in a list for a product that is too new to have earned one: without it, what nobody has
// seen would never be seen.
//
// Which product gets it is drawn by Thompson sampling (Thompson 1933; Chapelle and Li, "An
// Empirical Evaluation of Thompson Sampling", NIPS 2011): each new product's rate of being taken is
// drawn from what is known of it, and the highest draw wins. What is known is
//     Beta(doubt * m + taken, doubt * (1 - m) + shown - taken)
// with m = usual_rate * (the person's taste for it / that for the average candidate, 1/4 to 4): as
// long as a product was hardly shown, taste (of guessed factors, learn/cold_products.h) decides
// for whom it is tried, and the counts decide more with every time it is shown. Taste with a bonus
// for what is uncertain (UCB) would do the same in one thread; but counts come back minutes later,
// and until then a bonus gives all visitors the same product, where draws spread them out, as that
// paper measures.
//
// All that is drawn follows from the seed of the list: whether it has such a place, which one, and
// whose it is are three numbers of one sequence.

#ifndef VITRINE_RECOMMENDER_RANK_EXPLORE_H_
#define VITRINE_RECOMMENDER_RANK_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "recommender/rank/retrieval.h"

namespace vitrine {

struct ExploreSettings {
  uint32_t shown_max = 500;  // a product that was tried so often is new no more
  double usual_rate = 0.02;  // taken by shown, of any product; above 0, below 1
  double doubt = 50;         // showings that the guess is worth; above 0, finite
};

struct NewProduct {
  uint32_t product = 0;  // each once
  float taste = 0;       // the person's, of guessed factors; not above 0: none
  uint32_t shown = 0;    // to find out, and how often it was then taken
  uint32_t taken = 0;
};

// Whether the list of this seed gives a place away: of `share` of all seeds, 0 (none) to 1 (all).
bool GivesAPlace(double share, uint64_t seed);

// Which place, of this many: any but the first. REQUIRES: places >= 2.
size_t PlaceToGive(size_t places, uint64_t seed);

// The candidates that are new still, the one to be tried first in front, and the rates that were
// drawn; the same whatever the order of candidates. O(n log n) for n of them.
std::vector<Scored> DrawNew(std::span<const NewProduct> candidates, const ExploreSettings& settings,
                            uint64_t seed);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_EXPLORE_H_
