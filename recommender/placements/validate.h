// Whether a shop's placements and rules make sense.

#ifndef VITRINE_RECOMMENDER_PLACEMENTS_VALIDATE_H_
#define VITRINE_RECOMMENDER_PLACEMENTS_VALIDATE_H_

#include "absl/status/status.h"

#include "store/records_types.h"

namespace vitrine {

// OK, or InvalidArgument whose message begins with the place of the first mistake, as in
// "placements[home].rules[ban].products[0].number: is wanted for at_least".
absl::Status ValidatePlacements(const PlacementSet& set);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_PLACEMENTS_VALIDATE_H_
