#include "store/removal.h"

#include <map>
#include <utility>
#include <vector>

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/key_format.h"

namespace vitrine {

Removal::Removal(WebHouse::Impl* impl, std::map<std::string, int64_t>* rows)
    : impl_(*impl), rows_(*rows), after_(impl->CurrentTotals()), removed_(impl->CurrentRemoved()) {}

absl::Status Removal::Delete(Table table, absl::string_view key) {
  std::string row;
  const rocksdb::Status found =
      impl_.db->raw()->Get(rocksdb::ReadOptions(), impl_.db->table(table), ToSlice(key), &row);
  if (found.IsNotFound()) return absl::OkStatus();
  RETURN_IF_ERROR(FromRocks(found, absl::StrCat("reading from ", TableName(table))));
  CHECK(batch_.Delete(impl_.db->table(table), ToSlice(key)).ok());
  ++rows_[TableName(table)];
  // The totals that a table has.
  const auto one_less = [](int64_t* total) { --*total; };
  if (table == Table::kEvents) {
    one_less(&after_.events);
    ++removed_.events;
  } else if (table == Table::kRejects) {
    one_less(&after_.rejects);
    ++removed_.rejects;
  } else if (table == Table::kSessions) {
    one_less(&after_.sessions);
  } else if (table == Table::kCustomers) {
    one_less(&after_.customers);
  } else if (table == Table::kConflicts) {
    one_less(&after_.conflicts);
  } else if (table == Table::kRobots) {
    one_less(&after_.robots);
  }
  return absl::OkStatus();
}

absl::Status Removal::DeleteAll(Table table, const std::string& prefix) {
  std::vector<std::string> keys;
  Cursor cursor(impl_.db->Scan(table), prefix, prefix);
  for (; cursor.Valid(); cursor.Next()) keys.emplace_back(cursor.key());
  RETURN_IF_ERROR(cursor.Finish());
  for (const std::string& key : keys) RETURN_IF_ERROR(Delete(table, key));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Event>> Removal::DeleteEvent(
    absl::string_view key, absl::FunctionRef<bool(const Event&)> still) {
  Event event;
  const absl::Status found = impl_.db->Get(Table::kEvents, key, &event);
  if (absl::IsNotFound(found)) return std::nullopt;
  RETURN_IF_ERROR(found);
  if (!still(event)) return std::nullopt;
  RETURN_IF_ERROR(Delete(Table::kEvents, key));
  RETURN_IF_ERROR(Delete(Table::kEventIds, keys::EventIdKey(event.id)));
  MarkDirty(keys::ParsePerson(key));
  return event;
}

absl::StatusOr<std::optional<Exposure>> Removal::DeleteExposure(absl::string_view key) {
  Exposure shelf;
  const absl::Status found = impl_.db->Get(Table::kExposures, key, &shelf);
  if (absl::IsNotFound(found)) return std::nullopt;
  RETURN_IF_ERROR(found);
  RETURN_IF_ERROR(Delete(Table::kExposures, key));
  CHECK(batch_.Delete(impl_.db->table(Table::kExposures), keys::ExposureIdKey(shelf.id)).ok());
  return shelf;
}

absl::Status Removal::DeleteLinks(absl::string_view customer, const std::string& visitor,
                                  int64_t up_to_ms) {
  const std::string prefix = absl::StrCat(keys::PersonPrefix(Person::Visitor(visitor)), customer,
                                          absl::string_view("\0", 1));
  std::vector<std::string> gone;
  bool newer = false;
  Cursor cursor(impl_.db->Scan(Table::kLinks), prefix, prefix);
  for (; cursor.Valid(); cursor.Next()) {
    const bool is_newer = keys::TimeOfTail(keys::EventTail(cursor.key())) > up_to_ms;
    if (!is_newer) gone.emplace_back(cursor.key());
    newer = newer || is_newer;
  }
  RETURN_IF_ERROR(cursor.Finish());
  for (const std::string& key : gone) RETURN_IF_ERROR(Delete(Table::kLinks, key));
  if (newer) return absl::OkStatus();
  RETURN_IF_ERROR(Delete(Table::kLinks, keys::VisitorOfKey(customer, visitor)));
  return Delete(Table::kLinks, keys::UnlinkKey(visitor, customer));
}

absl::Status Removal::DeleteDeadLinks(const std::string& visitor) {
  const std::string prefix = keys::PersonPrefix(Person::Visitor(visitor));
  for (const Table table : {Table::kEvents, Table::kExposures}) {
    Cursor anonymous(impl_.db->Scan(table), prefix, prefix);
    const bool stays = anonymous.Valid();
    RETURN_IF_ERROR(anonymous.Finish());
    if (stays) return absl::OkStatus();
  }
  std::vector<std::string> dead;
  std::map<std::string, bool> lives;  // by customer: whether a login is left
  Cursor logins(impl_.db->Scan(Table::kLinks), prefix, prefix);
  absl::Status status;
  for (; status.ok() && logins.Valid(); logins.Next()) {
    const absl::string_view rest = logins.key().substr(prefix.size());
    if (rest == "\x01") continue;  // not a login
    std::string row;
    const rocksdb::Status found = impl_.db->raw()->Get(
        rocksdb::ReadOptions(), impl_.db->table(Table::kEvents), absl::StrCat("c", rest), &row);
    if (!found.IsNotFound()) status = FromRocks(found, "reading from events");
    lives[std::string(rest.substr(0, rest.find('\0')))] |= found.ok();
    if (found.IsNotFound()) dead.emplace_back(logins.key());
  }
  RETURN_IF_ERROR(logins.Finish());
  RETURN_IF_ERROR(status);
  for (const std::string& key : dead) RETURN_IF_ERROR(Delete(Table::kLinks, key));
  for (const auto& [customer, is_alive] : lives) {
    if (is_alive) continue;
    RETURN_IF_ERROR(Delete(Table::kLinks, keys::VisitorOfKey(customer, visitor)));
    RETURN_IF_ERROR(Delete(Table::kLinks, keys::UnlinkKey(visitor, customer)));
  }
  return absl::OkStatus();
}

void Removal::MarkDirty(const Person& person) {
  std::string mark;
  AppendBigEndian(&mark, impl_.version + 1);
  CHECK(batch_.Put(impl_.db->table(Table::kDirty), keys::PersonPrefix(person), mark).ok());
}

void Removal::Remember(const std::string& digest, int64_t up_to_ms) {
  impl_.commit_mutex.AssertHeld();
  std::string row;
  AppendBigEndian(&row, static_cast<uint64_t>(up_to_ms));
  impl_.PutMeta(absl::StrCat(kErasedKey, digest), row, &batch_);
  erased_[digest] = up_to_ms;
}

void Removal::Note(absl::string_view kind, absl::string_view text) {
  impl_.commit_mutex.AssertHeld();
  if (impl_.chain != nullptr) impl_.chain->Note(kind, text);
}

absl::Status Removal::Write() {
  impl_.commit_mutex.AssertHeld();
  impl_.PutMeta(kRemovedKey, EncodeRecord(removed_), &batch_);
  RETURN_IF_ERROR(impl_.Write(&batch_, after_));
  {
    absl::MutexLock lock(&impl_.state_mutex);
    impl_.removed = removed_;
    for (const auto& [digest, up_to_ms] : erased_) impl_.erased_up_to[digest] = up_to_ms;
  }
  // What was shown to them before this was known is written when this returns.
  if (!erased_.empty()) absl::MutexLock wait(&impl_.exposures_mutex);
  return absl::OkStatus();
}

}  // namespace vitrine
