#include "store/offer_book.h"

#include <string>
#include <utility>

#include "store/base/status_macros.h"
#include "store/versions.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

constexpr absl::string_view kTriggersKey = "triggers/";

template <typename Version>
absl::StatusOr<Version> NewestOf(absl::StatusOr<std::vector<Version>> versions) {
  RETURN_IF_ERROR(versions.status());
  return versions->empty() ? Version() : std::move(versions->front());
}

absl::Status Always() { return absl::OkStatus(); }

}  // namespace

absl::StatusOr<std::vector<OfferSetVersion>> OfferBook::OfferHistory(size_t limit) const {
  return NewestVersions<OfferSetVersion>(*house_->impl_, std::string(kOffersKey), limit);
}

absl::StatusOr<OfferSetVersion> OfferBook::Offers() const { return NewestOf(OfferHistory(1)); }

absl::StatusOr<OfferSetVersion> OfferBook::SetOffers(const OfferSet& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the offers are", "them"};
  ASSIGN_OR_RETURN(OfferSetVersion next,
                   PutNextVersion<OfferSetVersion>(house_->impl_.get(), std::string(kOffersKey),
                                                   content, change, Always));
  RETURN_IF_ERROR(house_->Sync());
  return next;
}

absl::StatusOr<std::vector<ContactPolicyVersion>> OfferBook::PolicyHistory(size_t limit) const {
  return NewestVersions<ContactPolicyVersion>(*house_->impl_, std::string(kContactPolicyKey),
                                              limit);
}

absl::StatusOr<ContactPolicyVersion> OfferBook::Policy() const {
  return NewestOf(PolicyHistory(1));
}

absl::StatusOr<ContactPolicyVersion> OfferBook::SetPolicy(const ContactPolicy& content,
                                                          int64_t based_on, absl::string_view who,
                                                          absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the contact policy is", "it"};
  ASSIGN_OR_RETURN(
      ContactPolicyVersion next,
      PutNextVersion<ContactPolicyVersion>(house_->impl_.get(), std::string(kContactPolicyKey),
                                           content, change, Always));
  RETURN_IF_ERROR(house_->Sync());
  return next;
}

absl::StatusOr<std::vector<TriggerSetVersion>> OfferBook::TriggerHistory(size_t limit) const {
  return NewestVersions<TriggerSetVersion>(*house_->impl_, std::string(kTriggersKey), limit);
}

absl::StatusOr<TriggerSetVersion> OfferBook::Triggers() const {
  return NewestOf(TriggerHistory(1));
}

absl::StatusOr<TriggerSetVersion> OfferBook::SetTriggers(const TriggerSet& content,
                                                         int64_t based_on, absl::string_view who,
                                                         absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the triggers are", "them"};
  ASSIGN_OR_RETURN(TriggerSetVersion next,
                   PutNextVersion<TriggerSetVersion>(house_->impl_.get(), std::string(kTriggersKey),
                                                     content, change, Always));
  RETURN_IF_ERROR(house_->Sync());
  return next;
}

}  // namespace vitrine
