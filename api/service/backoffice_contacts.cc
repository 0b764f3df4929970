// How a site speaks to its customers, changed and asked by the back office.

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "recommender/offers/validate.h"
#include "recommender/outreach/judge.h"
#include "recommender/outreach/triggers.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/contact_book.h"
#include "store/event_names.h"
#include "store/offer_book.h"

namespace vitrine {
namespace {

void CheckLimit(int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
}

void CheckWords(const std::string& who, const std::string& comment) {
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
}

absl::Status CheckProposed(const ProposedContact& proposed) {
  if (!IsChannel(proposed.channel)) return absl::InvalidArgumentError("proposed.channel: is none");
  return Annotate(ValidId(proposed.purpose), "proposed.purpose");
}

}  // namespace

void Backoffice::contact_policy(ContactPolicyVersion& version, const std::string& site) {
  version = ValueOrThrow(OfferBook(&FindOrThrow(site)->house()).Policy());
}

void Backoffice::contact_policy_history(std::vector<ContactPolicyVersion>& versions,
                                        const std::string& site, int32_t limit) {
  CheckLimit(limit);
  OfferBook book(&FindOrThrow(site)->house());
  versions = ValueOrThrow(book.PolicyHistory(static_cast<size_t>(limit)));
}

void Backoffice::set_contact_policy(ContactPolicyVersion& version, const std::string& site,
                                    const ContactPolicy& content, int64_t based_on,
                                    const std::string& who, const std::string& comment) {
  CheckWords(who, comment);
  ThrowIfError(ValidateContactPolicy(content));
  OfferBook book(&FindOrThrow(site)->house());
  version = ValueOrThrow(book.SetPolicy(content, based_on, who, comment));
}

void Backoffice::contact_preference(ContactPreference& preference, const std::string& site,
                                    const std::string& customer_id) {
  preference = ValueOrThrow(ContactBook(&FindOrThrow(site)->house()).Preference(customer_id));
}

void Backoffice::set_contact_preference(const std::string& site,
                                        const ContactPreference& preference) {
  ThrowIfError(ValidateContactPreference(preference));
  WebHouse& house = FindOrThrow(site)->house();
  ThrowIfError(ContactBook(&house).SetPreference(preference));
  ThrowIfError(house.Sync());
}

void Backoffice::judge_contact(ContactVerdict& verdict, const std::string& site,
                               const std::string& customer_id, const ProposedContact& proposed) {
  ThrowIfError(CheckProposed(proposed));
  const CustomerContacts facts =
      ValueOrThrow(ContactBook(&FindOrThrow(site)->house()).FactsFor(customer_id));
  verdict = JudgeByPolicy(facts, proposed, clock_->NowMs());
}

void Backoffice::triggers(TriggerSetVersion& version, const std::string& site) {
  version = ValueOrThrow(OfferBook(&FindOrThrow(site)->house()).Triggers());
}

void Backoffice::trigger_history(std::vector<TriggerSetVersion>& versions, const std::string& site,
                                 int32_t limit) {
  CheckLimit(limit);
  OfferBook book(&FindOrThrow(site)->house());
  versions = ValueOrThrow(book.TriggerHistory(static_cast<size_t>(limit)));
}

void Backoffice::set_triggers(TriggerSetVersion& version, const std::string& site,
                              const TriggerSet& content, int64_t based_on, const std::string& who,
                              const std::string& comment) {
  CheckWords(who, comment);
  ThrowIfError(ValidateTriggers(content));
  OfferBook book(&FindOrThrow(site)->house());
  version = ValueOrThrow(book.SetTriggers(content, based_on, who, comment));
}

}  // namespace vitrine
