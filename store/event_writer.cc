#include "store/event_writer.h"

#include <utility>

#include "store/base/check.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/cursor.h"
#include "store/identity.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

// The visitor and the customer of a login.
absl::string_view WithoutTail(absl::string_view login_key) {
  return login_key.substr(0, login_key.size() - keys::EventTail(login_key).size());
}

}  // namespace

EventWriter::EventWriter(const Db& db, uint64_t mark, const PreparedEvents& events,
                         rocksdb::WriteBatch* batch)
    : db_(db), events_(events), batch_(batch), wins_(events.size()) {
  AppendBigEndian(&mark_, mark);
}

absl::StatusOr<CommitResult> EventWriter::Write() {
  CommitResult result;
  if (events_.size() == 0) return result;
  RETURN_IF_ERROR(Settle(&result));
  PutWinners();
  RETURN_IF_ERROR(DropLinksWithoutLogin());
  RETURN_IF_ERROR(PutProducts());
  return result;
}

// Decides which event holds each id.
absl::Status EventWriter::Settle(CommitResult* result) {
  const std::span<const uint32_t> by_id = events_.by_id();
  std::vector<rocksdb::Slice> ids;
  std::vector<size_t> begins;  // of the events of each id
  ids.reserve(by_id.size());
  begins.reserve(by_id.size() + 1);
  for (size_t i = 0; i < by_id.size(); ++i) {
    const rocksdb::Slice id = ToSlice(events_.id_key(by_id[i]));
    if (!ids.empty() && ids.back() == id) continue;
    ids.push_back(id);
    begins.push_back(i);
  }
  begins.push_back(by_id.size());
  ASSIGN_OR_RETURN(const std::vector<rocksdb::PinnableSlice> stored,
                   db_.MultiGet(Table::kEventIds, ids, /*sorted=*/true));
  for (size_t i = 0; i < ids.size(); ++i) {
    RETURN_IF_ERROR(SettleOne(by_id.subspan(begins[i], begins[i + 1] - begins[i]),
                              FromSlice(stored[i]), result));
  }
  return absl::OkStatus();
}

// `stored` is the row of the id in event_ids, empty if there is none.
absl::Status EventWriter::SettleOne(std::span<const uint32_t> same_id, absl::string_view stored,
                                    CommitResult* result) {
  const absl::string_view id_key = events_.id_key(same_id.front());
  Holder holder;
  if (stored.empty()) {
    const uint32_t first = same_id.front();
    ++(events_.is_robot(first) ? result->robot : result->accepted);
    holder = {events_.digest(first), events_.event_key(first), first};
    same_id = same_id.subspan(1);
  } else {
    const EventIdRow row = EventIdRow::Decode(stored);
    holder = {row.digest, row.event_key, kStored};
  }
  for (const uint32_t i : same_id) {
    const Holder self = {events_.digest(i), events_.event_key(i), i};
    if (holder.digest == self.digest) {
      ++result->duplicate;
      continue;
    }
    ++result->conflicting_duplicate;
    const bool wins = self.digest < holder.digest;
    RETURN_IF_ERROR(KeepLoser(id_key, wins ? holder : self));
    if (!wins) continue;
    RETURN_IF_ERROR(Replace(holder));
    holder = self;
  }
  if (holder.event != kStored) wins_[static_cast<size_t>(holder.event)] = true;
  return absl::OkStatus();
}

// Of all contents of an id, whatever their order, the lowest digest is the event and the others
// are conflicts.
absl::Status EventWriter::KeepLoser(absl::string_view id_key, const Holder& loser) {
  std::string key = keys::ConflictKey(id_key, loser.digest);
  if (conflicts_.contains(key)) return absl::OkStatus();
  rocksdb::PinnableSlice row;
  const absl::Status found = db_.GetRow(Table::kConflicts, key, &row);
  if (!absl::IsNotFound(found)) return found;
  if (loser.event != kStored) {
    Put(Table::kConflicts, key, events_.value(static_cast<size_t>(loser.event)));
  } else {
    RETURN_IF_ERROR(db_.GetRow(Table::kEvents, loser.event_key, &row));
    Put(Table::kConflicts, key, FromSlice(row));
  }
  conflicts_.insert(std::move(key));
  return absl::OkStatus();
}

absl::Status EventWriter::Replace(const Holder& loser) {
  if (loser.event != kStored) return absl::OkStatus();  // it never reached the store
  Event event;
  RETURN_IF_ERROR(db_.Get(Table::kEvents, loser.event_key, &event));
  CHECK(batch_->Delete(db_.table(Table::kEvents), ToSlice(loser.event_key)).ok());
  // What is marked must outlive the row that the loser's key stands in.
  const std::string& person =
      gone_.emplace_back(loser.event_key.substr(0, loser.event_key.find('\0', 1) + 1));
  MarkDirty(person);
  if (IsLogin(event)) {
    const std::string& key = gone_.emplace_back(keys::LoginKey(event.visitor_id, loser.event_key));
    CHECK(batch_->Delete(db_.table(Table::kLinks), key).ok());
    MarkDirty(absl::string_view(key).substr(0, event.visitor_id.size() + 2));
    gone_logins_.insert(key);
  }
  return absl::OkStatus();
}

// In the order of keys, table by table: where a row goes in memory is found from where the last one
// went (MakeTableOptions), and that is most of what a write costs.
void EventWriter::PutWinners() {
  for (const uint32_t i : events_.by_key()) {
    if (!wins_[i]) continue;
    Put(Table::kEvents, events_.event_key(i), events_.value(i));
    if (const AuditEntry* entry = events_.audit_entry(i)) audit_entries_.push_back(*entry);
    MarkDirty(events_.person(i));
    if (!events_.login_key(i).empty()) PutLogin(i);
  }
  for (const uint32_t i : events_.by_id()) {
    if (!wins_[i]) continue;
    Put(Table::kEventIds, events_.id_key(i),
        EventIdRow{events_.digest(i), events_.event_key(i)}.Encode());
  }
}

void EventWriter::PutLogin(size_t event) {
  const absl::string_view customer = events_.person(event);
  const absl::string_view visitor = events_.visitor(event);
  Put(Table::kLinks, events_.login_key(event), "");
  MarkDirty(visitor);
  const absl::string_view link = WithoutTail(events_.login_key(event));
  if (!new_links_.insert(link).second) return;
  Put(Table::kLinks, absl::StrCat(customer, visitor.substr(1, visitor.size() - 2)), "");
}

// A customer and a visitor belong together as long as there is a login that says so.
absl::Status EventWriter::DropLinksWithoutLogin() {
  for (const absl::string_view gone : gone_logins_) {
    const absl::string_view link = WithoutTail(gone);
    bool stays = new_links_.contains(link);
    Cursor logins(db_.Scan(Table::kLinks), std::string(link), std::string(link));
    for (; logins.Valid() && !stays; logins.Next()) stays = !gone_logins_.contains(logins.key());
    RETURN_IF_ERROR(logins.Finish());
    if (stays) continue;
    const std::string visitor = keys::ParsePerson(link).id;
    absl::string_view customer = link.substr(visitor.size() + 2);
    customer.remove_suffix(1);  // its zero byte
    const std::string key = keys::VisitorOfKey(customer, visitor);
    CHECK(batch_->Delete(db_.table(Table::kLinks), key).ok());
  }
  return absl::OkStatus();
}

void EventWriter::MarkDirty(absl::string_view person) {
  if (dirty_.insert(person).second) Put(Table::kDirty, person, mark_);
}

absl::Status EventWriter::PutProducts() {
  std::vector<rocksdb::Slice> ids;
  std::vector<const Product*> products;
  for (const auto& [id, product] : events_.products()) {
    ids.emplace_back(id);
    products.push_back(&product);
  }
  ASSIGN_OR_RETURN(const std::vector<rocksdb::PinnableSlice> rows,
                   db_.MultiGet(Table::kProducts, ids));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (rows[i].empty()) {
      ++new_products_;
    } else if (!products[i]->__isset.name) {
      continue;  // nothing is known of it that could be put over what is
    } else {
      Product stored;
      RETURN_IF_ERROR(DecodeRecord(FromSlice(rows[i]), &stored));
      if (stored.in_catalogue || !LessFacts(stored, *products[i])) continue;
    }
    Put(Table::kProducts, products[i]->id, EncodeRecord(*products[i]));
    changed_products_.push_back(products[i]->id);
  }
  return absl::OkStatus();
}

void EventWriter::Put(Table table, absl::string_view key, absl::string_view value) {
  // Filling a batch in memory fails only on sizes that our limits rule out.
  CHECK(batch_->Put(db_.table(table), ToSlice(key), ToSlice(value)).ok());
}

}  // namespace vitrine
