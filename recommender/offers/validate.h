// Whether a contact policy, a customer's preference and an offer make sense.
//
// Each gives OK, or InvalidArgument whose message begins with the place of the first mistake, as in
// "caps[2].most: 0 is not between 1 and 10000".

#ifndef VITRINE_RECOMMENDER_OFFERS_VALIDATE_H_
#define VITRINE_RECOMMENDER_OFFERS_VALIDATE_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

#include "store/offers_types.h"

namespace vitrine {

absl::Status ValidateContactPolicy(const ContactPolicy& policy);
// Of a time zone only the length: one that nobody knows counts as absent.
absl::Status ValidateContactPreference(const ContactPreference& preference);
absl::Status ValidateOffer(const ShopOffer& offer);

inline constexpr size_t kOffersMax = 200;                   // of a site
inline constexpr int32_t kOfferHoldMinutesMax = 14 * 1440;  // twice that is still reserved

absl::Status ValidateOfferSet(const OfferSet& set);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFERS_VALIDATE_H_
