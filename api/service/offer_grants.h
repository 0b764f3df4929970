// Names of grants: of one offer, made to one person at one cost, for one stretch of time.
//
//   "spring10.1c9a4.1f4.9f86d081884c7d65"  offer . stretch . cost . tag, numbers in hex
//
// The tag can only be made with the site's key, so that nobody can use an offer that was not made,
// or was made to somebody else, whatever an order says; and the same offer to the same person is
// the same grant for a while, however often a page is loaded. Kept nowhere.

#ifndef VITRINE_API_SERVICE_OFFER_GRANTS_H_
#define VITRINE_API_SERVICE_OFFER_GRANTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "store/base/hmac.h"

namespace vitrine {

struct Grant {
  std::string offer_id;
  int64_t stretch = 0;     // counts hold times since 1970
  int64_t cost_minor = 0;  // what using it costs the shop
};

// Thread-safe.
class GrantNames {
 public:
  explicit GrantNames(absl::string_view key) : hmac_(key) {}

  // `person`: keys::PersonPrefix; "": whoever shows the name. REQUIRES: numbers are not negative.
  std::string NameOf(const Grant& grant, absl::string_view person) const;

  // None unless it is a name that NameOf made for this person.
  std::optional<Grant> Parse(absl::string_view name, absl::string_view person) const;

 private:
  std::string TagOf(absl::string_view front, absl::string_view person) const;

  const Hmac hmac_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_OFFER_GRANTS_H_
