// The derived half of a WebHouse: who is dirty, and the rows that follow from their events.

#include <memory>

#include "absl/container/flat_hash_map.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<std::vector<DirtyPerson>> WebHouse::Dirty(size_t limit) const {
  std::vector<DirtyPerson> persons;
  Cursor cursor(impl_->db->Scan(Table::kDirty), "", "");
  for (; cursor.Valid() && persons.size() < limit; cursor.Next()) {
    persons.push_back({keys::ParsePerson(cursor.key()), ReadBigEndian(cursor.raw())});
  }
  RETURN_IF_ERROR(cursor.Finish());
  return persons;
}

absl::StatusOr<uint64_t> WebHouse::Impl::Mark(const Person& person) const {
  std::string row;
  const rocksdb::Status status = db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kDirty),
                                                keys::PersonPrefix(person), &row);
  if (status.IsNotFound()) return uint64_t{0};
  RETURN_IF_ERROR(FromRocks(status, "reading a dirty mark"));
  return ReadBigEndian(row);
}

absl::StatusOr<uint64_t> WebHouse::MarkOf(const Person& person) const {
  return impl_->Mark(person);
}

absl::Status WebHouse::ReplaceDerived(std::span<const Derived> derived) {
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  rocksdb::WriteBatch rows = NewBatch();
  Totals after = impl_->CurrentTotals();
  for (const Derived& d : derived) RETURN_IF_ERROR(impl_->PutDerived(d, &rows, &after));
  return impl_->Write(&rows, after);
}

absl::Status WebHouse::Impl::PutDerived(const Derived& derived, rocksdb::WriteBatch* batch,
                                        Totals* after) {
  RETURN_IF_ERROR(PutSessions(derived, batch, after));
  if (derived.person.kind == Person::Kind::kCustomer) {
    RETURN_IF_ERROR(PutCustomer(derived, batch, after));
  }
  ASSIGN_OR_RETURN(const uint64_t mark, Mark(derived.person));
  if (mark == derived.mark) {
    CHECK(batch->Delete(db->table(Table::kDirty), keys::PersonPrefix(derived.person)).ok());
  }
  return absl::OkStatus();
}

absl::Status WebHouse::Impl::PutCustomer(const Derived& derived, rocksdb::WriteBatch* batch,
                                         Totals* after) {
  const std::string& id = derived.person.id;
  Customer before;
  const absl::Status found = db->Get(Table::kCustomers, id, &before);
  if (!found.ok() && !absl::IsNotFound(found)) return found;
  after->customers += (derived.customer.has_value() ? 1 : 0) - (found.ok() ? 1 : 0);
  rocksdb::ColumnFamilyHandle* const table = db->table(Table::kCustomers);
  const rocksdb::Status filled = derived.customer.has_value()
                                     ? batch->Put(table, id, EncodeRecord(*derived.customer))
                                     : batch->Delete(table, id);
  CHECK(filled.ok());
  return absl::OkStatus();
}

// Writes only what differs from the sessions that are there.
absl::Status WebHouse::Impl::PutSessions(const Derived& derived, rocksdb::WriteBatch* batch,
                                         Totals* after) {
  absl::flat_hash_map<std::string, std::string> before;
  Cursor cursor(db->Scan(Table::kSessions), keys::PersonPrefix(derived.person),
                keys::PersonPrefix(derived.person));
  for (; cursor.Valid(); cursor.Next()) {
    before.emplace(std::string(cursor.key()), std::string(cursor.raw()));
  }
  RETURN_IF_ERROR(cursor.Finish());
  after->sessions += static_cast<int64_t>(derived.sessions.size());
  after->sessions -= static_cast<int64_t>(before.size());
  for (const Session& session : derived.sessions) {
    const std::string key = keys::SessionKey(derived.person, session.start_ms);
    const std::string value = EncodeRecord(session);
    const auto it = before.find(key);
    const bool unchanged = it != before.end() && it->second == value;
    if (it != before.end()) before.erase(it);
    if (!unchanged) CHECK(batch->Put(db->table(Table::kSessions), key, value).ok());
  }
  for (const auto& [key, value] : before) {
    CHECK(batch->Delete(db->table(Table::kSessions), key).ok());
  }
  return absl::OkStatus();
}

absl::Status WebHouse::SetSettings(const SiteSettings& settings) {
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  const SiteSettings before = GetSettings();
  if (settings == before) return absl::OkStatus();
  if (settings.session_gap_ms <= 0) {
    return absl::InvalidArgumentError("the session gap must be above 0 ms");
  }
  rocksdb::WriteBatch rows = NewBatch();
  impl_->PutMeta(kSettingsKey, EncodeRecord(settings), &rows);
  if (settings.session_gap_ms != before.session_gap_ms) {
    RETURN_IF_ERROR(impl_->MarkEverybody(&rows));
  }
  RETURN_IF_ERROR(impl_->Write(&rows, impl_->CurrentTotals()));
  absl::MutexLock state_lock(&impl_->state_mutex);
  impl_->settings = settings;
  return absl::OkStatus();
}

// One seek a person: from each to the key just behind all of theirs.
absl::Status WebHouse::Impl::MarkEverybody(rocksdb::WriteBatch* batch) {
  std::string mark;
  AppendBigEndian(&mark, version + 1);
  const std::unique_ptr<rocksdb::Iterator> events = db->Scan(Table::kEvents);
  events->SeekToFirst();
  while (events->Valid()) {
    std::string person = keys::PersonPrefix(keys::ParsePerson(FromSlice(events->key())));
    CHECK(batch->Put(db->table(Table::kDirty), person, mark).ok());
    person.back() = '\x01';
    events->Seek(person);
  }
  return FromRocks(events->status(), "reading the events");
}

}  // namespace vitrine
