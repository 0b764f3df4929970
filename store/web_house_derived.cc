// The derived half of a WebHouse: who is dirty, and the rows that follow from their events.

#include <memory>

#include "absl/container/flat_hash_map.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<std::vector<DirtyPerson>> WebHouse::Dirty(size_t limit) const {
  return impl_->Dirty("", limit);
}

absl::StatusOr<std::vector<DirtyPerson>> WebHouse::Dirty(Person::Kind kind, size_t limit) const {
  return impl_->Dirty(std::string(1, static_cast<char>(kind)), limit);
}

absl::StatusOr<std::vector<DirtyPerson>> WebHouse::Impl::Dirty(absl::string_view prefix,
                                                               size_t limit) const {
  std::vector<DirtyPerson> persons;
  Cursor cursor(db->Scan(Table::kDirty), std::string(prefix), std::string(prefix));
  RobotScan robots(Scan<RobotVerdict>(Table::kRobots, ""));
  for (; cursor.Valid() && persons.size() < limit; cursor.Next()) {
    DirtyPerson& dirty = persons.emplace_back();
    dirty.person = keys::ParsePerson(cursor.key());
    dirty.mark = ReadBigEndian(cursor.raw());
    const RobotVerdict* const verdict = robots.Find(cursor.key());
    if (verdict != nullptr && verdict->__isset.decided) dirty.decided = verdict->decided;
  }
  const absl::Status robots_read = robots.Finish();
  RETURN_IF_ERROR(cursor.Finish());
  RETURN_IF_ERROR(robots_read);
  return persons;
}

absl::StatusOr<uint64_t> WebHouse::Impl::Mark(const Person& person) const {
  rocksdb::PinnableSlice row;
  const absl::Status found = db->GetRow(Table::kDirty, keys::PersonPrefix(person), &row);
  if (absl::IsNotFound(found)) return uint64_t{0};
  RETURN_IF_ERROR(found);
  return ReadBigEndian(FromSlice(row));
}

absl::StatusOr<DirtyPerson> WebHouse::StateOf(const Person& person) const {
  DirtyPerson state{person};
  ASSIGN_OR_RETURN(state.mark, impl_->Mark(person));
  if (GetTotals().robots == 0) return state;  // the table is empty
  RobotVerdict verdict;
  const absl::Status found = impl_->db->Get(Table::kRobots, keys::PersonPrefix(person), &verdict);
  if (!found.ok() && !absl::IsNotFound(found)) return found;
  if (verdict.__isset.decided) state.decided = verdict.decided;
  return state;
}

absl::StatusOr<uint64_t> WebHouse::MarkOf(const Person& person) const {
  return impl_->Mark(person);
}

absl::Status WebHouse::ReplaceDerived(std::span<const Derived> derived) {
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  RETURN_IF_ERROR(impl_->CheckSpace());
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
  RETURN_IF_ERROR(PutVerdict(derived, batch, after));
  if (derived.person.kind == Person::Kind::kVisitor) RETURN_IF_ERROR(PutShared(derived, batch));
  ASSIGN_OR_RETURN(const uint64_t mark, Mark(derived.person));
  if (mark == derived.mark) {
    CHECK(batch->Delete(db->table(Table::kDirty), keys::PersonPrefix(derived.person)).ok());
  }
  return absl::OkStatus();
}

absl::Status WebHouse::Impl::PutShared(const Derived& derived, rocksdb::WriteBatch* batch) {
  rocksdb::ColumnFamilyHandle* const links = db->table(Table::kLinks);
  const std::string key = keys::SharedKey(derived.person.id);
  std::string row;
  const rocksdb::Status found = db->raw()->Get(rocksdb::ReadOptions(), links, key, &row);
  if (!found.IsNotFound()) RETURN_IF_ERROR(FromRocks(found, "reading the links"));
  if (derived.shared && !found.ok()) CHECK(batch->Put(links, key, "").ok());
  if (!derived.shared && found.ok()) CHECK(batch->Delete(links, key).ok());
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

// Keeps what an operator decided: only the sources are derived.
absl::Status WebHouse::Impl::PutVerdict(const Derived& derived, rocksdb::WriteBatch* batch,
                                        Totals* after) {
  if (derived.robot.empty() && after->robots == 0) return absl::OkStatus();  // the table is empty
  RobotVerdict verdict;
  const absl::Status found = db->Get(Table::kRobots, keys::PersonPrefix(derived.person), &verdict);
  if (!found.ok() && !absl::IsNotFound(found)) return found;
  if (verdict.sources == derived.robot) return absl::OkStatus();
  verdict.sources = derived.robot;
  return PutRobot(derived.person, verdict, found.ok(), batch, after);
}

// Writes the row, or deletes it if it says nothing.
absl::Status WebHouse::Impl::PutRobot(const Person& person, const RobotVerdict& verdict,
                                      bool is_there, rocksdb::WriteBatch* batch, Totals* after) {
  rocksdb::ColumnFamilyHandle* const table = db->table(Table::kRobots);
  const std::string key = keys::PersonPrefix(person);
  const bool stays = !verdict.sources.empty() || verdict.__isset.decided;
  after->robots += (stays ? 1 : 0) - (is_there ? 1 : 0);
  CHECK((stays ? batch->Put(table, key, EncodeRecord(verdict)) : batch->Delete(table, key)).ok());
  return absl::OkStatus();
}

absl::Status WebHouse::DecideRobot(const Person& person, std::optional<bool> is_robot) {
  RETURN_IF_ERROR(ValidId(person.id));
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  const std::string key = keys::PersonPrefix(person);
  RobotVerdict verdict;
  const absl::Status found = impl_->db->Get(Table::kRobots, key, &verdict);
  if (!found.ok() && !absl::IsNotFound(found)) return found;
  verdict.__isset.decided = is_robot.has_value();
  verdict.decided = is_robot.value_or(false);
  rocksdb::WriteBatch rows = NewBatch();
  Totals after = impl_->CurrentTotals();
  RETURN_IF_ERROR(impl_->PutRobot(person, verdict, found.ok(), &rows, &after));
  std::string mark;
  AppendBigEndian(&mark, impl_->version + 1);
  CHECK(rows.Put(impl_->db->table(Table::kDirty), key, mark).ok());
  return impl_->Write(&rows, after);
}

absl::Status WebHouse::UseRobotLists(uint64_t digest) {
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  std::string row;
  const rocksdb::Status found = impl_->db->raw()->Get(
      rocksdb::ReadOptions(), impl_->db->table(Table::kMeta), ToSlice(kRobotListsKey), &row);
  if (!found.IsNotFound()) RETURN_IF_ERROR(FromRocks(found, "reading which lists were used"));
  std::string now;
  AppendBigEndian(&now, digest);
  if (row == now) return absl::OkStatus();
  rocksdb::WriteBatch rows = NewBatch();
  impl_->PutMeta(kRobotListsKey, now, &rows);
  // Before the first sessions everybody who has events is dirty anyway.
  const Totals totals = impl_->CurrentTotals();
  if (totals.sessions != 0) RETURN_IF_ERROR(impl_->MarkEverybody(&rows));
  return impl_->Write(&rows, totals);
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
