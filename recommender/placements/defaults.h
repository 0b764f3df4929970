// The placements that a site has before anybody configured one.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_DEFAULTS_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_DEFAULTS_H_

#include "store/records_types.h"

namespace vitrine {

// Home: home, trending, popular, recently-viewed, buy-again, new. Product page: similar,
// also-viewed, bought-together, replacement (out of stock). Cart: cart, free-shipping. After an
// order: order. Elsewhere: category, search-none, not-found, email.
const PlacementSet& DefaultPlacements();

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_DEFAULTS_H_
