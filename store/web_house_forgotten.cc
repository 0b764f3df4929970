// The part of a WebHouse that keeps out what was erased or has expired (store/privacy.h).

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/strip.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

constexpr absl::string_view kErased = "erased";
constexpr absl::string_view kExpired = "expired";

// One entry a kind: | kind (8) | time_ms (8) |.
constexpr size_t kExpiredEntryBytes = 16;

}  // namespace

std::string ErasedDigest(const AuditKey& key, const Person& person) {
  const AuditEntry entry =
      key.Entry(AuditChange::kRemoved, Table::kCustomers, keys::PersonPrefix(person), kErased);
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(entry.digest.data()), entry.digest.size()});
}

absl::StatusOr<std::string> WebHouse::Impl::DigestOf(const Person& person) const {
  if (chain == nullptr) {
    return absl::FailedPreconditionError(
        "a store that was made without an audit chain has no key to remember erased persons by");
  }
  return ErasedDigest(chain->key(), person);
}

absl::Status WebHouse::Impl::LoadForgotten() {
  absl::Status status = db->Get(Table::kMeta, kRemovedKey, &removed);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  Cursor cursor(db->Scan(Table::kMeta), std::string(kErasedKey), std::string(kErasedKey));
  for (; cursor.Valid(); cursor.Next()) {
    erased_up_to[absl::StripPrefix(cursor.key(), kErasedKey)] =
        static_cast<int64_t>(ReadBigEndian(cursor.raw()));
  }
  RETURN_IF_ERROR(cursor.Finish());
  std::string row;
  const rocksdb::Status found =
      db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta), ToSlice(kExpiredKey), &row);
  if (!found.IsNotFound()) RETURN_IF_ERROR(FromRocks(found, "reading what has expired"));
  for (absl::string_view rest = row; rest.size() >= kExpiredEntryBytes;
       rest.remove_prefix(kExpiredEntryBytes)) {
    expired_before[static_cast<EventKind>(ReadBigEndian(rest))] =
        static_cast<int64_t>(ReadBigEndian(rest.substr(8)));
  }
  return absl::OkStatus();
}

absl::Status WebHouse::Impl::SetExpiredBefore(const std::map<EventKind, int64_t>& before_ms) {
  absl::MutexLock lock(&commit_mutex);
  RETURN_IF_ERROR(Writable());
  {
    absl::MutexLock state_lock(&state_mutex);
    if (expired_before == before_ms) return absl::OkStatus();
  }
  std::string row;
  for (const auto& [kind, time_ms] : before_ms) {
    AppendBigEndian(&row, static_cast<uint64_t>(kind));
    AppendBigEndian(&row, static_cast<uint64_t>(time_ms));
  }
  rocksdb::WriteBatch batch = NewBatch();
  PutMeta(kExpiredKey, row, &batch);
  RETURN_IF_ERROR(Write(&batch, CurrentTotals()));
  absl::MutexLock state_lock(&state_mutex);
  expired_before = before_ms;
  return absl::OkStatus();
}

std::map<std::string, int64_t> WebHouse::ErasedPersons() const {
  absl::MutexLock lock(&impl_->state_mutex);
  return {impl_->erased_up_to.begin(), impl_->erased_up_to.end()};
}

bool WebHouse::Impl::ForgetsAnything() const {
  absl::MutexLock lock(&state_mutex);
  return !erased_up_to.empty() || !expired_before.empty();
}

absl::StatusOr<absl::string_view> WebHouse::Impl::WhyForgotten(const Event& event) const {
  std::vector<Person> persons;
  {
    absl::MutexLock lock(&state_mutex);
    const auto expired = expired_before.find(event.kind);
    if (expired != expired_before.end() && event.time_ms < expired->second) return kExpired;
    if (erased_up_to.empty()) return absl::string_view();
  }
  if (event.__isset.customer_id) persons.push_back(Person::Customer(event.customer_id));
  if (event.__isset.visitor_id) persons.push_back(Person::Visitor(event.visitor_id));
  for (const Person& person : persons) {
    ASSIGN_OR_RETURN(const std::string digest, DigestOf(person));
    absl::MutexLock lock(&state_mutex);
    const auto erased = erased_up_to.find(digest);
    if (erased != erased_up_to.end() && event.time_ms <= erased->second) return kErased;
  }
  return absl::string_view();
}

absl::StatusOr<EventBatch> WebHouse::Impl::WithoutForgotten(EventBatch batch) const {
  std::vector<Event> events;
  std::vector<int32_t> robots;
  auto robot = batch.robots.begin();
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const bool is_robot = robot != batch.robots.end() && *robot == static_cast<int32_t>(i);
    if (is_robot) ++robot;
    ASSIGN_OR_RETURN(const absl::string_view why, WhyForgotten(batch.events[i]));
    if (!why.empty()) {
      ++batch.ignored[std::string(why)];
      continue;
    }
    if (is_robot) robots.push_back(static_cast<int32_t>(events.size()));
    events.push_back(std::move(batch.events[i]));
  }
  batch.events = std::move(events);
  batch.robots = std::move(robots);
  std::vector<CustomerFacts> customers;
  for (CustomerFacts& facts : batch.customers) {
    Event said;  // what was known of an erased customer before is as good as an event of then
    said.__set_customer_id(facts.id);
    said.time_ms = facts.facts_time_ms;
    ASSIGN_OR_RETURN(const absl::string_view why, WhyForgotten(said));
    if (why == kErased) {
      ++batch.ignored[std::string(why)];
    } else {
      customers.push_back(std::move(facts));
    }
  }
  batch.customers = std::move(customers);
  return batch;
}

}  // namespace vitrine
