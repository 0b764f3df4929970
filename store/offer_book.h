// What a shop offers, and how it speaks to its customers, version by version.
//
//   OfferBook book(&house);
//   ASSIGN_OR_RETURN(const OfferSetVersion now, book.Offers());
//   ASSIGN_OR_RETURN(OfferSetVersion next, book.SetOffers(offers, now.version, "anna", "spring"));
//
// Whether a content makes sense is for the caller to know (recommender/offers/validate.h). Every
// version is kept, durable, and under the audit chain. Thread-safe.

#ifndef VITRINE_STORE_OFFER_BOOK_H_
#define VITRINE_STORE_OFFER_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/offers_types.h"
#include "store/outreach_types.h"
#include "store/web_house.h"

namespace vitrine {

class OfferBook {
 public:
  // `house` must outlive this object.
  explicit OfferBook(WebHouse* house) : house_(house) {}

  // The newest version; one of number 0, which offers nothing, before the first.
  absl::StatusOr<OfferSetVersion> Offers() const;
  // The newest first, at most `limit`.
  absl::StatusOr<std::vector<OfferSetVersion>> OfferHistory(size_t limit) const;
  // Makes it the version after `based_on`. Aborted if that is not the newest.
  absl::StatusOr<OfferSetVersion> SetOffers(const OfferSet& content, int64_t based_on,
                                            absl::string_view who, absl::string_view comment);

  // The same for the contact policy; number 0 is ContactPolicy's defaults: nobody is contacted
  // without consent, and there is no cap.
  absl::StatusOr<ContactPolicyVersion> Policy() const;
  absl::StatusOr<std::vector<ContactPolicyVersion>> PolicyHistory(size_t limit) const;
  absl::StatusOr<ContactPolicyVersion> SetPolicy(const ContactPolicy& content, int64_t based_on,
                                                 absl::string_view who, absl::string_view comment);

  // The same for what the shop says by itself; number 0 says nothing.
  absl::StatusOr<TriggerSetVersion> Triggers() const;
  absl::StatusOr<std::vector<TriggerSetVersion>> TriggerHistory(size_t limit) const;
  absl::StatusOr<TriggerSetVersion> SetTriggers(const TriggerSet& content, int64_t based_on,
                                                absl::string_view who, absl::string_view comment);

 private:
  WebHouse* const house_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_OFFER_BOOK_H_
