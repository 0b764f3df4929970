// How customers want to be contacted, what they were contacted with, and what is planned.
//
//   ContactBook book(&house);
//   ASSIGN_OR_RETURN(ContactBook::Planned planned, book.Plan(contact, Judge));
//   if (planned.contact.state == PLAN_READY) ...  // hand it over, then:
//   book.Close("17850", contact.id, PLAN_SENT)
//
// Contacts come from two sides: planned here, and told by `contact` events of any channel
// (Event.contact). The events of one contact have its id in common, so that a report on what was
// planned here is the same contact, and counts once. Of them the first says when it was. A contact
// of which an event says that it failed or bounced did not reach anybody and takes no place under a
// cap.
//
// What the events say also binds as the customer's own word would, until they say otherwise:
// HAS_BOUNCED closes the channel altogether (lifted by a later contact there that arrived),
// WAS_COMPLAINED_OF closes it but for what is transactional (lifted by a later consent to that
// channel).
//
// Planning judges and writes under the lock of all writes, so that no cap is exceeded, whoever
// plans at the same time, and whenever the process is killed. A plan is one row, written whole,
// under the audit chain; it survives kill -9, and loss of power from the next WebHouse::Sync on.
// What is here of a customer is exported and erased with their ledger (store/ledger.h).
//
// Errors: InvalidArgument if an id or a text is out of range; NotFound; FailedPrecondition for a
// customer who was erased; ResourceExhausted and Unavailable as WebHouse::Commit.
//
// Thread-safe.

#ifndef VITRINE_STORE_CONTACT_BOOK_H_
#define VITRINE_STORE_CONTACT_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/offers_types.h"
#include "store/web_house.h"

namespace vitrine {

class LedgerRows;  // store/ledger_rows.h

// Plans that ended are remembered so long: a cause that comes again within it is known.
inline constexpr int64_t kClosedPlanMs = int64_t{800} * 86'400'000;
inline constexpr size_t kPlanMessageBytesMax = 64 << 10;

// A sign that somebody is there on a channel: they opened, clicked, answered or wrote.
struct ContactAnswer {
  int64_t time_ms = 0;
  Channel channel = EMAIL;
};

// Everything that a verdict on contacts with one customer depends on
// (recommender/offers/contact_policy.h).
struct CustomerContacts {
  ContactPolicy policy;  // the site's newest
  // Theirs, with the time zone of their facts where it names none, and what events forbid; of
  // `do_not_contact` there may be more than of one that somebody set.
  ContactPreference preference;
  std::vector<ConsentGiven> consents;  // newest first
  std::vector<Contact> contacts;       // by id; those that failed are left out
  std::vector<ContactAnswer> answers;  // newest first
};

class ContactBook {
 public:
  // `house` must outlive this object.
  explicit ContactBook(WebHouse* house) : house_(house) {}

  // As they set it; of whoever set none, the defaults.
  absl::StatusOr<ContactPreference> Preference(absl::string_view customer) const;
  // Replaces it. Whether it makes sense is for the caller to know (recommender/offers/validate.h).
  absl::Status SetPreference(const ContactPreference& preference);

  // O(events of the customer).
  absl::StatusOr<CustomerContacts> FactsFor(absl::string_view customer) const;
  absl::StatusOr<std::vector<Contact>> ContactsOf(absl::string_view customer) const;
  absl::StatusOr<std::vector<ConsentGiven>> ConsentsOf(absl::string_view customer) const;
  // All of the customer's, by id.
  absl::StatusOr<std::vector<PlannedContact>> PlansOf(absl::string_view customer) const;

  // Is called under the lock of all writes: it does nothing but judge.
  using Judge = absl::FunctionRef<ContactVerdict(const CustomerContacts& facts,
                                                 const ProposedContact& proposed, int64_t now_ms)>;
  struct Planned {
    PlannedContact contact;
    // None: it was decided before, and stands as it is.
    std::optional<ContactVerdict> verdict;
  };
  // Judges the contact as of now and keeps what came of it: PLAN_READY, PLAN_HELD or PLAN_REFUSED.
  // One of this customer and id that waits or is held is judged again, as `wanted` is now; one that
  // was decided is left as it is. Of `wanted`, the state and times but from_ms and to_ms are not
  // looked at.
  absl::StatusOr<Planned> Plan(const PlannedContact& wanted, Judge judge);
  // The same, where channel, from_ms and to_ms are settled while judging: `choose` may change them.
  using Choose = absl::FunctionRef<ContactVerdict(const CustomerContacts& facts, int64_t now_ms,
                                                  PlannedContact* wanted)>;
  absl::StatusOr<Planned> PlanBest(const PlannedContact& wanted, Choose choose);
  // Keeps it as PLAN_WAITS until wanted.time_ms. False if there is one of this id already.
  absl::StatusOr<bool> Wait(const PlannedContact& wanted);
  // PLAN_READY goes to PLAN_SENT or PLAN_FAILED, PLAN_SENT to PLAN_FAILED, PLAN_WAITS and PLAN_HELD
  // to PLAN_DROPPED; PLAN_HELD to PLAN_SENT where whoever sends it was told when. What is sent
  // counts as of when it was to go. Repeating it changes nothing. FailedPrecondition otherwise.
  absl::StatusOr<PlannedContact> Close(absl::string_view customer, absl::string_view id,
                                       PlanState to);

  // The same of many (customer_id and id of each), in one write; those that were erased since are
  // passed over.
  absl::Status CloseAll(std::span<const PlannedContact> contacts, PlanState to);

  // Open plans (waiting, held or ready) whose time has come by `until_ms`, oldest first.
  absl::StatusOr<std::vector<PlannedContact>> Due(int64_t until_ms, size_t limit) const;

 private:
  absl::Status Write(absl::FunctionRef<absl::Status(LedgerRows*)> change);

  WebHouse* const house_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_CONTACT_BOOK_H_
