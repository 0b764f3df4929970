// What the back office can ask about one customer, and do for them.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "recommender/customers/life_cycle.h"
#include "recommender/segments/segment_index.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/privacy.h"

namespace vitrine {
namespace {

absl::Status CheckCustomerId(const std::string& id) { return Annotate(ValidId(id), "customer_id"); }

// Of each channel and purpose the newest wish. `events` newest first.
std::vector<Event> CurrentConsents(const std::vector<Event>& events) {
  std::map<std::pair<int, std::string>, Event> newest;
  for (const Event& event : events) {
    if (event.kind != EventKind::CONSENT || !event.__isset.consent) continue;
    newest.try_emplace({event.consent.channel, event.consent.purpose}, event);
  }
  std::vector<Event> consents;
  for (auto& [where, event] : newest) consents.push_back(std::move(event));
  return consents;
}

absl::StatusOr<CustomerRecord> RecordOf(const WebHouse& house, WebHouse* writable,
                                        const std::string& id) {
  CustomerRecord record;
  record.customer_id = id;
  const absl::StatusOr<Customer> customer = house.GetCustomer(id);
  if (customer.ok()) record.__set_customer(*customer);
  if (!customer.ok() && !absl::IsNotFound(customer.status())) return customer.status();
  ASSIGN_OR_RETURN(const std::optional<CustomerFacts> facts, Privacy(writable).FactsOf(id));
  if (facts.has_value()) record.__set_facts(*facts);
  ASSIGN_OR_RETURN(const auto visitors, house.VisitorsOf(id));
  for (const std::string& visitor : visitors) {
    ASSIGN_OR_RETURN(const Timeline timeline, house.TimelineOf(visitor));
    LinkedVisitor& linked = record.visitors.emplace_back();
    linked.visitor_id = visitor;
    linked.unlinked = timeline.IsUnlinked(id);
    linked.shared = timeline.shared();
  }
  ASSIGN_OR_RETURN(record.events, house.ResolvedHistory(Person::Customer(id), SIZE_MAX));
  record.consents = CurrentConsents(record.events);
  SessionCursor sessions = house.SessionsOf(Person::Customer(id));
  for (; sessions.Valid(); sessions.Next()) record.sessions.push_back(sessions.value());
  RETURN_IF_ERROR(sessions.Finish());
  RETURN_IF_ERROR(house.ForEachExposureOf(
      Person::Customer(id), INT64_MIN, SIZE_MAX,
      [&record](const Exposure& shelf) { record.exposures.push_back(shelf); }));
  ASSIGN_OR_RETURN(Privacy::Copies copies, Privacy(writable).CopiesOf(id));
  record.conflicts = std::move(copies.conflicts);
  record.rejects = std::move(copies.rejects);
  ASSIGN_OR_RETURN(CustomerLedger ledger, Privacy(writable).LedgerOf(id));
  if (!(ledger == CustomerLedger())) record.__set_ledger(std::move(ledger));
  return record;
}

// Of a site whose memberships are kept: the segments, and what the value model says if there is
// one.
absl::Status AddStanding(const WebHouse& house, const SegmentIndex& index, int64_t now_ms,
                         CustomerRecord* record) {
  record->__set_segments(*index.Of(record->customer_id));
  const std::shared_ptr<const FittedWorth> worth = index.worth();
  if (worth == nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<CustomerValue> value,
                   WorthOf(house, *worth, record->customer_id, now_ms));
  if (!value) return absl::OkStatus();
  CustomerWorth said;
  said.stage = std::string(LifeStageName(value->stage));
  said.alive = value->alive;
  said.horizon_days = worth->model.options.horizon_days;
  said.expected_purchases = value->expected_purchases;
  said.lifetime_value_minor = value->lifetime_value_minor;
  said.earned_minor = value->earned_minor;
  said.currency = worth->options.currency;
  record->__set_worth(said);
  return absl::OkStatus();
}

}  // namespace

void Backoffice::customer_record(CustomerRecord& record, const std::string& site_name,
                                 const std::string& customer_id) {
  Site* const site = FindOrThrow(site_name);
  WebHouse& house = site->house();
  ThrowIfError(CheckCustomerId(customer_id));
  record = ValueOrThrow(RecordOf(house, &house, customer_id));
  if (const auto index = site->segments().index(); index != nullptr) {
    ThrowIfError(AddStanding(house, *index, clock_->NowMs(), &record));
  }
  const bool anything = record.__isset.customer || record.__isset.facts || !record.events.empty() ||
                        !record.rejects.empty() || !record.conflicts.empty() ||
                        !record.exposures.empty() || record.__isset.ledger;
  if (!anything) ThrowStatus(absl::NotFoundError("nothing is known of this customer"));
}

void Backoffice::erase_customers(std::vector<Erasure>& receipts, const std::string& site_name,
                                 const std::vector<std::string>& customer_ids) {
  Site* site = FindOrThrow(site_name);
  for (const std::string& id : customer_ids) ThrowIfError(CheckCustomerId(id));
  receipts = ValueOrThrow(site->Erase(customer_ids));
}

void Backoffice::unlink(const std::string& site_name, const std::string& customer_id,
                        const std::string& visitor_id) {
  Site* site = FindOrThrow(site_name);
  ThrowIfError(site->house().Unlink(customer_id, visitor_id));
  site->ForgetAll();
  site->DeriveSoon();
}

void Backoffice::relink(const std::string& site_name, const std::string& customer_id,
                        const std::string& visitor_id) {
  Site* site = FindOrThrow(site_name);
  ThrowIfError(site->house().Relink(customer_id, visitor_id));
  site->ForgetAll();
  site->DeriveSoon();
}

int64_t Backoffice::apply_retention(const std::string& site_name) {
  Site* site = FindOrThrow(site_name);
  const int64_t gone = ValueOrThrow(site->ApplyRetention(clock_->NowMs()));
  return gone;
}

}  // namespace vitrine
