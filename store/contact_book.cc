#include "store/contact_book.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/contact_keys.h"
#include "store/ledger_rows.h"
#include "store/offer_book.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

bool IsOpen(PlanState state) {
  return state == PLAN_WAITS || state == PLAN_HELD || state == PLAN_READY;
}

bool TakesAPlace(PlanState state) {
  return state == PLAN_HELD || state == PLAN_READY || state == PLAN_SENT;
}

bool MayGo(PlanState from, PlanState to) {
  switch (to) {
    case PLAN_SENT:
      return from == PLAN_READY || from == PLAN_HELD;
    case PLAN_FAILED:
      return from == PLAN_READY || from == PLAN_SENT;
    case PLAN_DROPPED:
      return from == PLAN_WAITS || from == PLAN_HELD;
    default:
      return false;
  }
}

absl::Status CheckPlan(const PlannedContact& plan) {
  RETURN_IF_ERROR(Annotate(ValidId(plan.id), "id"));
  RETURN_IF_ERROR(Annotate(ValidId(plan.customer_id), "customer_id"));
  RETURN_IF_ERROR(Annotate(ValidId(plan.purpose), "purpose"));
  if (plan.__isset.campaign) RETURN_IF_ERROR(Annotate(ValidId(plan.campaign), "campaign"));
  if (plan.message.size() <= kPlanMessageBytesMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("message: has ", plan.message.size(), " bytes, at most ", kPlanMessageBytesMax));
}

// What the events of one customer say of contacts. They come newest first.
class Told {
 public:
  void Add(const Event& event) {
    if (event.__isset.consent) AddConsent(event);
    if (event.__isset.contact) AddContact(event);
  }

  // Moves what there is into `facts`, with the plans; the preference gains what is forbidden.
  void GiveTo(const std::vector<PlannedContact>& plans, CustomerContacts* facts) && {
    for (const PlannedContact& plan : plans) {
      if (!TakesAPlace(plan.state)) continue;
      Contact contact;
      contact.id = plan.id;
      contact.time_ms = plan.time_ms;
      contact.channel = plan.channel;
      contact.purpose = plan.purpose;
      contact.state = plan.state == PLAN_SENT ? SENT : PLANNED;
      contacts_.emplace(contact.id, contact);  // one that events tell of is as they say
    }
    for (auto& [id, contact] : contacts_) {
      if (contact.state != FAILED) facts->contacts.push_back(std::move(contact));
    }
    for (auto& [channel, forbids] : bounced_) {
      facts->preference.do_not_contact.push_back(std::move(forbids));
    }
    for (auto& [channel, forbids] : complained_) {
      facts->preference.do_not_contact.push_back(std::move(forbids));
    }
    facts->consents = std::move(consents_);
    facts->answers = std::move(answers_);
  }

 private:
  void AddConsent(const Event& event) {
    ConsentGiven& given = consents_.emplace_back();
    given.time_ms = event.time_ms;
    given.consent = event.consent;
    if (event.consent.granted) consented_ms_.try_emplace(event.consent.channel, event.time_ms);
  }

  void AddContact(const Event& event) {
    const ContactNote& note = event.contact;
    switch (note.progress) {
      case HAS_BOUNCED:
        if (!arrived_ms_.contains(event.channel)) Forbid(event, BOUNCED, true, &bounced_);
        break;
      case WAS_COMPLAINED_OF:
        if (!consented_ms_.contains(event.channel)) {
          Forbid(event, ASKED_TO_STOP, false, &complained_);
        }
        break;
      case WAS_OPENED:
      case WAS_CLICKED:
      case WAS_ANSWERED:
        answers_.push_back({event.time_ms, event.channel});
        [[fallthrough]];
      case WAS_DELIVERED:
        arrived_ms_.try_emplace(event.channel, event.time_ms);
        break;
      default:
        if (note.inbound) answers_.push_back({event.time_ms, event.channel});
    }
    const auto [at, is_new] = contacts_.try_emplace(note.contact_id);
    Contact& contact = at->second;
    if (is_new) {
      contact.id = note.contact_id;
      contact.channel = event.channel;
      contact.purpose = note.purpose;
      contact.inbound = note.inbound;
    }
    contact.time_ms = event.time_ms;  // of the first, in the end
    if (note.progress == FAILED_TO_SEND || note.progress == HAS_BOUNCED) contact.state = FAILED;
  }

  static void Forbid(const Event& event, DoNotContactReason reason, bool transactional,
                     std::map<Channel, DoNotContact>* all) {
    DoNotContact forbids;
    forbids.reason = reason;
    forbids.time_ms = event.time_ms;
    forbids.__set_channel(event.channel);
    forbids.transactional = transactional;
    all->try_emplace(event.channel, forbids);
  }

  std::map<std::string, Contact> contacts_;
  std::vector<ConsentGiven> consents_;
  std::vector<ContactAnswer> answers_;
  // Newest of each channel.
  std::map<Channel, int64_t> arrived_ms_, consented_ms_;
  std::map<Channel, DoNotContact> bounced_, complained_;
};

absl::StatusOr<std::vector<PlannedContact>> ReadPlans(const LedgerRows& rows,
                                                      absl::string_view customer) {
  ASSIGN_OR_RETURN(const auto found, rows.Scan(keys::PlanPrefix(customer)));
  std::vector<PlannedContact> plans;
  for (const auto& [key, row] : found) RETURN_IF_ERROR(DecodeRecord(row, &plans.emplace_back()));
  return plans;
}

absl::StatusOr<ContactPreference> ReadPreference(const LedgerRows& rows,
                                                 absl::string_view customer) {
  ASSIGN_OR_RETURN(std::optional<ContactPreference> preference,
                   rows.Get<ContactPreference>(keys::PreferenceKey(customer)));
  if (!preference.has_value()) preference.emplace();
  preference->customer_id = std::string(customer);
  return *std::move(preference);
}

void PutPlan(const PlannedContact& plan, LedgerRows* rows) {
  const std::string key = keys::PlanKey(plan.customer_id, plan.id);
  rows->Put(key, plan);
  if (IsOpen(plan.state)) rows->PutBytes(keys::PlanQueueKey(plan.time_ms, plan), key);
}

void TakeFromQueue(const PlannedContact& plan, LedgerRows* rows) {
  if (IsOpen(plan.state)) rows->Delete(keys::PlanQueueKey(plan.time_ms, plan));
}

// Deletes what ended too long ago to be asked for, and leaves it out of the plans.
void Forget(LedgerRows* rows, std::vector<PlannedContact>* plans) {
  std::erase_if(*plans, [rows](const PlannedContact& plan) {
    const bool is_old = !IsOpen(plan.state) && plan.time_ms < rows->now_ms() - kClosedPlanMs;
    if (is_old) rows->Delete(keys::PlanKey(plan.customer_id, plan.id));
    return is_old;
  });
}

const PlannedContact* FindPlan(const std::vector<PlannedContact>& plans, absl::string_view id) {
  const auto at = std::find_if(plans.begin(), plans.end(),
                               [id](const PlannedContact& plan) { return plan.id == id; });
  return at == plans.end() ? nullptr : &*at;
}

ProposedContact ProposedOf(const PlannedContact& plan) {
  ProposedContact proposed;
  proposed.channel = plan.channel;
  proposed.purpose = plan.purpose;
  if (plan.__isset.from_ms) proposed.__set_from_ms(plan.from_ms);
  if (plan.__isset.to_ms) proposed.__set_to_ms(plan.to_ms);
  return proposed;
}

void Apply(const ContactVerdict& verdict, int64_t now_ms, PlannedContact* plan) {
  plan->time_ms = now_ms;
  plan->__isset.refused_by = false;
  switch (verdict.outcome) {
    case CONTACT_ALLOWED:
      plan->state = PLAN_READY;
      break;
    case CONTACT_HELD:
      plan->state = PLAN_HELD;
      plan->time_ms = verdict.until_ms;
      break;
    case CONTACT_REFUSED:
      plan->state = PLAN_REFUSED;
      plan->__set_refused_by(verdict.rule);
      break;
  }
}

absl::StatusOr<PlannedContact> CloseOne(absl::string_view customer, absl::string_view id,
                                        PlanState to, LedgerRows* rows) {
  ASSIGN_OR_RETURN(const std::optional<PlannedContact> plan,
                   rows->Get<PlannedContact>(keys::PlanKey(customer, id)));
  if (!plan.has_value()) return absl::NotFoundError("id: no such contact is planned");
  if (plan->state == to) return *plan;
  if (!MayGo(plan->state, to)) {
    return absl::FailedPreconditionError("id: this contact is past that, or not there yet");
  }
  TakeFromQueue(*plan, rows);
  PlannedContact closed = *plan;
  closed.state = to;
  // What is sent keeps its place under the caps: others were held by it, to the millisecond.
  if (to != PLAN_SENT) closed.time_ms = rows->now_ms();
  PutPlan(closed, rows);
  return closed;
}

absl::StatusOr<std::vector<Event>> ContactEventsOf(const WebHouse& house,
                                                   absl::string_view customer) {
  std::vector<Event> events;
  RETURN_IF_ERROR(
      house.ForEachOf(Person::Customer(customer), SIZE_MAX, [&events](const Event& event) {
        if (event.__isset.consent || event.__isset.contact) events.push_back(event);
      }));
  return events;
}

// What does not depend on rows of the ledger.
struct Outside {
  ContactPolicy policy;
  std::vector<Event> events;
  std::string time_zone;
};

absl::StatusOr<Outside> ReadOutside(WebHouse* house, absl::string_view customer) {
  Outside outside;
  ASSIGN_OR_RETURN(ContactPolicyVersion version, OfferBook(house).Policy());
  outside.policy = std::move(version.content);
  ASSIGN_OR_RETURN(outside.events, ContactEventsOf(*house, customer));
  const absl::StatusOr<CustomerFacts> facts = house->GetCustomerFacts(customer);
  if (facts.ok()) {
    outside.time_zone = facts->time_zone;
  } else if (!absl::IsNotFound(facts.status())) {
    return facts.status();
  }
  return outside;
}

CustomerContacts FactsOf(const Outside& outside, ContactPreference preference,
                         const std::vector<PlannedContact>& plans) {
  CustomerContacts facts;
  facts.policy = outside.policy;
  facts.preference = std::move(preference);
  if (!facts.preference.__isset.time_zone && !outside.time_zone.empty()) {
    facts.preference.__set_time_zone(outside.time_zone);
  }
  Told told;
  for (const Event& event : outside.events) told.Add(event);
  std::move(told).GiveTo(plans, &facts);
  return facts;
}

}  // namespace

absl::Status ContactBook::Write(absl::FunctionRef<absl::Status(LedgerRows*)> change) {
  WebHouse::Impl& impl = *house_->impl_;
  absl::MutexLock lock(&impl.commit_mutex);
  RETURN_IF_ERROR(impl.Writable());
  RETURN_IF_ERROR(impl.CheckSpace());
  LedgerRows rows(impl, impl.options.clock->NowMs());
  RETURN_IF_ERROR(change(&rows));
  if (rows.empty()) return absl::OkStatus();
  rocksdb::WriteBatch batch = NewBatch();
  rows.ApplyTo(&batch);
  return impl.Write(&batch, impl.CurrentTotals());
}

absl::StatusOr<ContactPreference> ContactBook::Preference(absl::string_view customer) const {
  RETURN_IF_ERROR(Annotate(ValidId(customer), "customer_id"));
  return ReadPreference(LedgerRows(*house_->impl_, 0), customer);
}

absl::Status ContactBook::SetPreference(const ContactPreference& preference) {
  RETURN_IF_ERROR(Annotate(ValidId(preference.customer_id), "customer_id"));
  return Write([&](LedgerRows* rows) -> absl::Status {
    const Person person = Person::Customer(preference.customer_id);
    if (house_->impl_->IsErased(person, rows->now_ms())) {
      return absl::FailedPreconditionError("customer_id: they were erased");
    }
    rows->Put(keys::PreferenceKey(preference.customer_id), preference);
    return absl::OkStatus();
  });
}

absl::StatusOr<CustomerContacts> ContactBook::FactsFor(absl::string_view customer) const {
  RETURN_IF_ERROR(Annotate(ValidId(customer), "customer_id"));
  ASSIGN_OR_RETURN(const Outside outside, ReadOutside(house_, customer));
  const LedgerRows rows(*house_->impl_, 0);
  ASSIGN_OR_RETURN(ContactPreference preference, ReadPreference(rows, customer));
  ASSIGN_OR_RETURN(const std::vector<PlannedContact> plans, ReadPlans(rows, customer));
  return FactsOf(outside, std::move(preference), plans);
}

absl::StatusOr<std::vector<Contact>> ContactBook::ContactsOf(absl::string_view customer) const {
  ASSIGN_OR_RETURN(CustomerContacts facts, FactsFor(customer));
  return std::move(facts.contacts);
}

absl::StatusOr<std::vector<ConsentGiven>> ContactBook::ConsentsOf(
    absl::string_view customer) const {
  ASSIGN_OR_RETURN(CustomerContacts facts, FactsFor(customer));
  return std::move(facts.consents);
}

absl::StatusOr<std::vector<PlannedContact>> ContactBook::PlansOf(absl::string_view customer) const {
  RETURN_IF_ERROR(Annotate(ValidId(customer), "customer_id"));
  return ReadPlans(LedgerRows(*house_->impl_, 0), customer);
}

absl::StatusOr<ContactBook::Planned> ContactBook::Plan(const PlannedContact& wanted, Judge judge) {
  return PlanBest(wanted,
                  [judge](const CustomerContacts& facts, int64_t now_ms, PlannedContact* plan) {
                    return judge(facts, ProposedOf(*plan), now_ms);
                  });
}

absl::StatusOr<ContactBook::Planned> ContactBook::PlanBest(const PlannedContact& wanted,
                                                           Choose choose) {
  RETURN_IF_ERROR(CheckPlan(wanted));
  // A customer's events may be many: they are read before the lock.
  ASSIGN_OR_RETURN(const Outside outside, ReadOutside(house_, wanted.customer_id));
  Planned planned;
  RETURN_IF_ERROR(Write([&](LedgerRows* rows) -> absl::Status {
    if (house_->impl_->IsErased(Person::Customer(wanted.customer_id), rows->now_ms())) {
      return absl::FailedPreconditionError("customer_id: they were erased");
    }
    ASSIGN_OR_RETURN(std::vector<PlannedContact> plans, ReadPlans(*rows, wanted.customer_id));
    planned.contact = wanted;
    planned.contact.created_ms = rows->now_ms();
    if (const PlannedContact* const before = FindPlan(plans, wanted.id)) {
      if (before->state != PLAN_WAITS && before->state != PLAN_HELD) {
        planned.contact = *before;
        return absl::OkStatus();
      }
      planned.contact.created_ms = before->created_ms;
      TakeFromQueue(*before, rows);
    }
    Forget(rows, &plans);
    // It does not stand in its own way.
    std::erase_if(plans, [&wanted](const PlannedContact& plan) { return plan.id == wanted.id; });
    ASSIGN_OR_RETURN(ContactPreference preference, ReadPreference(*rows, wanted.customer_id));
    const CustomerContacts facts = FactsOf(outside, std::move(preference), plans);
    planned.verdict = choose(facts, rows->now_ms(), &planned.contact);
    Apply(*planned.verdict, rows->now_ms(), &planned.contact);
    PutPlan(planned.contact, rows);
    return absl::OkStatus();
  }));
  return planned;
}

absl::StatusOr<bool> ContactBook::Wait(const PlannedContact& wanted) {
  RETURN_IF_ERROR(CheckPlan(wanted));
  if (wanted.time_ms < limits::kTimeMsMin || wanted.time_ms > limits::kTimeMsMax) {
    return absl::InvalidArgumentError("time_ms: is out of range");
  }
  bool is_new = false;
  RETURN_IF_ERROR(Write([&](LedgerRows* rows) -> absl::Status {
    if (house_->impl_->IsErased(Person::Customer(wanted.customer_id), rows->now_ms())) {
      return absl::FailedPreconditionError("customer_id: they were erased");
    }
    ASSIGN_OR_RETURN(const std::vector<PlannedContact> plans, ReadPlans(*rows, wanted.customer_id));
    is_new = FindPlan(plans, wanted.id) == nullptr;
    if (!is_new) return absl::OkStatus();
    PlannedContact plan = wanted;
    plan.state = PLAN_WAITS;
    plan.created_ms = rows->now_ms();
    PutPlan(plan, rows);
    return absl::OkStatus();
  }));
  return is_new;
}

absl::StatusOr<PlannedContact> ContactBook::Close(absl::string_view customer, absl::string_view id,
                                                  PlanState to) {
  RETURN_IF_ERROR(Annotate(ValidId(customer), "customer_id"));
  absl::StatusOr<PlannedContact> closed;
  RETURN_IF_ERROR(Write([&](LedgerRows* rows) -> absl::Status {
    closed = CloseOne(customer, id, to, rows);
    return closed.status();
  }));
  return closed;
}

absl::Status ContactBook::CloseAll(std::span<const PlannedContact> contacts, PlanState to) {
  return Write([&](LedgerRows* rows) -> absl::Status {
    for (const PlannedContact& contact : contacts) {
      const absl::Status closed = CloseOne(contact.customer_id, contact.id, to, rows).status();
      if (!absl::IsNotFound(closed)) RETURN_IF_ERROR(closed);
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<PlannedContact>> ContactBook::Due(int64_t until_ms, size_t limit) const {
  const WebHouse::Impl& impl = *house_->impl_;
  const std::string prefix(1, keys::kPlanQueue);
  std::string end = prefix;
  AppendBigEndian(&end, static_cast<uint64_t>(until_ms + 1));
  std::vector<PlannedContact> due;
  Cursor cursor(impl.db->Scan(Table::kLedger), prefix, prefix);
  for (; cursor.Valid() && cursor.key() < end && due.size() < limit; cursor.Next()) {
    rocksdb::PinnableSlice row;
    const absl::Status found = impl.db->GetRow(Table::kLedger, std::string(cursor.raw()), &row);
    if (absl::IsNotFound(found)) continue;  // was erased since
    RETURN_IF_ERROR(found);
    RETURN_IF_ERROR(DecodeRecord(absl::string_view(row.data(), row.size()), &due.emplace_back()));
  }
  RETURN_IF_ERROR(cursor.Finish());
  return due;
}

}  // namespace vitrine
