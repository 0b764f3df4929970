#include "store/offer_book.h"

#include <string>

#include "store/base/status_macros.h"
#include "store/versions.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

constexpr absl::string_view kTriggersKey = "triggers/";

}  // namespace

absl::StatusOr<std::vector<OfferSetVersion>> OfferBook::OfferHistory(size_t limit) const {
  return NewestVersions<OfferSetVersion>(*house_->impl_, std::string(kOffersKey), limit);
}

absl::StatusOr<OfferSetVersion> OfferBook::Offers() const {
  return NewestVersion<OfferSetVersion>(*house_->impl_, std::string(kOffersKey));
}

absl::StatusOr<OfferSetVersion> OfferBook::SetOffers(const OfferSet& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the offers are", "them"};
  return PutDurableVersion<OfferSetVersion>(house_, house_->impl_.get(), std::string(kOffersKey),
                                            content, change);
}

absl::StatusOr<std::vector<ContactPolicyVersion>> OfferBook::PolicyHistory(size_t limit) const {
  return NewestVersions<ContactPolicyVersion>(*house_->impl_, std::string(kContactPolicyKey),
                                              limit);
}

absl::StatusOr<ContactPolicyVersion> OfferBook::Policy() const {
  return NewestVersion<ContactPolicyVersion>(*house_->impl_, std::string(kContactPolicyKey));
}

absl::StatusOr<ContactPolicyVersion> OfferBook::SetPolicy(const ContactPolicy& content,
                                                          int64_t based_on, absl::string_view who,
                                                          absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the contact policy is", "it"};
  return PutDurableVersion<ContactPolicyVersion>(house_, house_->impl_.get(),
                                                 std::string(kContactPolicyKey), content, change);
}

absl::StatusOr<std::vector<TriggerSetVersion>> OfferBook::TriggerHistory(size_t limit) const {
  return NewestVersions<TriggerSetVersion>(*house_->impl_, std::string(kTriggersKey), limit);
}

absl::StatusOr<TriggerSetVersion> OfferBook::Triggers() const {
  return NewestVersion<TriggerSetVersion>(*house_->impl_, std::string(kTriggersKey));
}

absl::StatusOr<TriggerSetVersion> OfferBook::SetTriggers(const TriggerSet& content,
                                                         int64_t based_on, absl::string_view who,
                                                         absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the triggers are", "them"};
  return PutDurableVersion<TriggerSetVersion>(house_, house_->impl_.get(),
                                              std::string(kTriggersKey), content, change);
}

}  // namespace vitrine
