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

#ifndef VITRINE_RECOMMENDER_RANK_EXPLORE_H_
#define VITRINE_RECOMMENDER_RANK_EXPLORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "recommender/rank/ranker.h"

namespace vitrine {

struct ExploreSettings {
  double share = 0.05;       // of lists that get a new product, 0 (none) to 1 (each)
  size_t place = 0;          // counted from 1, so at least 2; 0: drawn, any but the first
  uint32_t shown_max = 500;  // a product that was shown so often is new no more
  double usual_rate = 0.02;  // taken by shown, of any product; above 0, below 1
  double doubt = 50;         // showings that the guess is worth; above 0
};

// InvalidArgument, naming the setting, if one is out of its range.
absl::Status Validate(const ExploreSettings& settings);

struct NewProduct {
  uint32_t product = 0;  // in the same numbering as the list; each once
  float taste = 0;       // the person's, of guessed factors; not above 0: none
  uint32_t shown = 0;    // by exposures, and how often it was then clicked
  uint32_t taken = 0;
};

struct ExploredList {
  std::vector<Ranked> products;
  std::optional<size_t> place = std::nullopt;  // index of the new product, if there is one
};

// Gives a place of `list` (the k best, after all rules) to one of `candidates`, or leaves it as it
// is. The first place, and those in `pinned` (indices), keep their products; the others move back
// behind the new one, and the last falls out of a list of k. Only products that `allowed` says may
// be shown and that are not in the list are taken. The same for the same `seed` (of the request),
// whatever the order of candidates. Thread-safe. O(k + n log n) for n candidates.
// REQUIRES: Validate(settings) is OK.
ExploredList Explore(std::vector<Ranked> list, size_t k, std::span<const size_t> pinned,
                     std::span<const NewProduct> candidates,
                     absl::FunctionRef<bool(uint32_t product)> allowed,
                     const ExploreSettings& settings, uint64_t seed);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_EXPLORE_H_
