// Whether a customer may be contacted now, and if not, when and why not: a pure function of the
// site's policy, what the customer wished, and the contacts there were.
//
//   const ContactVerdict verdict = JudgeContact({policy, preference, consents, contacts},
//                                               {.channel = EMAIL, .purpose = "marketing"}, now);
//
// Rules (store/offers.thrift, ContactRule) either refuse for good (do not contact, no consent, not
// a channel of their choice, an open pause, what it says is over) or give way at some instant (a
// pause that ends, hours, caps, a message that begins). A contact is held until the earliest
// instant at which all of them allow it, to the millisecond.
//
// Local time is the customer's: their own zone, or the policy's where theirs is not known (a quiet
// hour is never dropped for want of one), or UTC. Windows and calendar periods are read off the
// local clock as it stands, so a night is an hour shorter or longer where the clock is put forward
// or back, a window that the clock skips does not happen, and one that it shows twice holds twice.
//
// A rolling cap of `most` in W allows an instant t if no span of W, start included and end not,
// that holds t would hold more than `most` contacts with it, planned ones included. A calendar cap
// counts the contacts whose local day, week or month is that of t.

#ifndef VITRINE_RECOMMENDER_OFFERS_CONTACT_POLICY_H_
#define VITRINE_RECOMMENDER_OFFERS_CONTACT_POLICY_H_

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

#include "store/offers_types.h"

namespace vitrine {

// All that a verdict depends on, beside what is proposed and the time.
struct ContactFacts {
  const ContactPolicy& policy;          // ValidateContactPolicy says OK
  const ContactPreference& preference;  // ValidateContactPreference says OK
  // Of this customer, in any order. A yes and a no of the same time are a no. Those after now are
  // not looked at.
  std::span<const ConsentGiven> consents;
  // Of this customer, in any order; planned ones may lie ahead. Those further back than a month and
  // the longest rolling cap change nothing.
  std::span<const Contact> contacts;
};

// Thread-safe. O(n log n) in the contacts, and one look at them for every edge of a window until
// the verdict (ContactPolicy.hold_days bounds it).
ContactVerdict JudgeContact(const ContactFacts& facts, const ProposedContact& proposed,
                            int64_t now_ms);

// The rule of the policy for this purpose on this channel; one of default values, without a name,
// if it has none.
const PurposeRule& PurposeRuleOf(const ContactPolicy& policy, Channel channel,
                                 absl::string_view purpose);

// "over_cap" and so on: ContactRule as replies and reports name it.
absl::string_view NameOf(ContactRule rule);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFERS_CONTACT_POLICY_H_
