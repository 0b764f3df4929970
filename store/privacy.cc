#include "store/privacy.h"

#include <algorithm>
#include <map>
#include <optional>
#include <rocksdb/options.h>

#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/ledger.h"
#include "store/ledger_rows.h"
#include "store/removal.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

constexpr absl::string_view kErasingKey = "erasing/";
// So many rows go in one write: others wait no longer than for that.
constexpr size_t kRowsPerWrite = 512;
constexpr int64_t kDayMs = 86'400'000;
// Flushes that must be enough to fill a MANIFEST (MakeDbOptions limits it).
constexpr int kManifestFlushesMax = 256;

// Every table that can name a customer.
constexpr Table kTablesOfPersons[] = {
    Table::kMeta,      Table::kEvents,    Table::kEventIds,      Table::kSessions, Table::kDirty,
    Table::kLinks,     Table::kCustomers, Table::kCustomerFacts, Table::kRobots,   Table::kRejects,
    Table::kConflicts, Table::kExposures, Table::kLedger};

std::string RowsText(const Erasure& erasure) {
  return absl::StrJoin(erasure.rows, ",", [](std::string* out, const auto& table_rows) {
    absl::StrAppend(out, table_rows.first, ":", table_rows.second);
  });
}

bool IsWordCharacter(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// True if `id` stands in `text` as a word of its own.
bool Names(absl::string_view text, absl::string_view id) {
  for (size_t at = text.find(id); at != absl::string_view::npos; at = text.find(id, at + 1)) {
    const size_t end = at + id.size();
    const bool begins = at == 0 || !IsWordCharacter(text[at - 1]);
    if (begins && (end == text.size() || !IsWordCharacter(text[end]))) return true;
  }
  return false;
}

// A visitor whose anonymous events are the customer's alone is erased with the customer.
absl::StatusOr<bool> IsNobodyElse(const WebHouse& house, const std::string& customer,
                                  const std::string& visitor) {
  ASSIGN_OR_RETURN(const Timeline timeline, house.TimelineOf(visitor));
  return timeline.customers() == std::vector<std::string>{customer} &&
         !timeline.IsUnlinked(customer);
}

absl::StatusOr<std::vector<std::string>> VisitorsOf(const WebHouse& house, const Person& person) {
  if (person.kind == Person::Kind::kVisitor) return std::vector<std::string>();
  return house.VisitorsOf(person.id);
}

Person PersonOf(const Erasure& erasure) {
  return erasure.__isset.customer_id ? Person::Customer(erasure.customer_id)
                                     : Person::Visitor(erasure.visitor_id);
}

bool HasRows(const Erasure& erasure) {
  return erasure.__isset.customer_id || erasure.__isset.visitor_id;
}

// Tells rows that hold an event or a line of a person's without being found by their key.
class CopyFinder {
 public:
  // The person, and each visitor who is nobody else.
  static absl::StatusOr<CopyFinder> Of(const WebHouse& house, const Person& person) {
    CopyFinder finder;
    finder.ids_.insert(person.id);
    ASSIGN_OR_RETURN(const std::vector<std::string> visitors, VisitorsOf(house, person));
    for (const std::string& visitor : visitors) {
      ASSIGN_OR_RETURN(const bool is_nobody_else, IsNobodyElse(house, person.id, visitor));
      if (is_nobody_else) finder.ids_.insert(visitor);
    }
    return finder;
  }

  bool IsTheirs(const Event& event) const {
    return (event.__isset.customer_id && ids_.contains(event.customer_id)) ||
           (event.__isset.visitor_id && ids_.contains(event.visitor_id));
  }

  bool IsTheirs(absl::string_view key, const Reject& reject) const {
    const std::optional<Event> event = TrackedEvent(key, reject);
    if (event.has_value()) return IsTheirs(*event);
    return std::any_of(ids_.begin(), ids_.end(), [&reject](const std::string& id) {
      return Names(reject.raw, id) || Names(reject.detail, id);
    });
  }

 private:
  absl::flat_hash_set<std::string> ids_;
};

}  // namespace

// The erasure of one person, up to the receipt.
class Privacy::Run {
 public:
  Run(const Privacy* privacy, Erasure erasure)
      : privacy_(*privacy),
        house_(*privacy->house_),
        impl_(*privacy->house_->impl_),
        person_(PersonOf(erasure)),
        erasure_(std::move(erasure)) {}

  absl::StatusOr<Erasure> DeleteRows() && {
    ASSIGN_OR_RETURN(const std::vector<std::string> visitors, VisitorsOf(house_, person_));
    RETURN_IF_ERROR(privacy_.Step("copies"));
    RETURN_IF_ERROR(DeleteCopies());
    RETURN_IF_ERROR(privacy_.Step("visitors"));
    for (const std::string& visitor : visitors) RETURN_IF_ERROR(DeleteVisitor(visitor));
    RETURN_IF_ERROR(privacy_.Step("events"));
    RETURN_IF_ERROR(DeleteHistory(person_, {Timeline::Span()}));
    RETURN_IF_ERROR(privacy_.Step("rows"));
    RETURN_IF_ERROR(DeletePerson(person_));
    RETURN_IF_ERROR(privacy_.Step("receipt"));
    RETURN_IF_ERROR(WriteReceipt());
    return std::move(erasure_);
  }

 private:
  // Writes what `fill` puts into a batch, with the receipt as it is then.
  absl::Status Write(absl::FunctionRef<absl::Status(Removal*)> fill) {
    absl::MutexLock lock(&impl_.commit_mutex);
    RETURN_IF_ERROR(impl_.Writable());
    Removal removal(&impl_, &erasure_.rows);
    RETURN_IF_ERROR(fill(&removal));
    impl_.PutMeta(absl::StrCat(kErasingKey, erasure_.person), EncodeRecord(erasure_),
                  removal.batch());
    return removal.Write();
  }

  // First, while it is known who the visitors are.
  absl::Status DeleteCopies() {
    ASSIGN_OR_RETURN(const CopyFinder finder, CopyFinder::Of(house_, person_));
    RETURN_IF_ERROR(DeleteWhere<Event>(Table::kConflicts, [&](absl::string_view, const Event& e) {
      return finder.IsTheirs(e) && e.time_ms <= erasure_.up_to_ms;
    }));
    return DeleteWhere<Reject>(Table::kRejects, [&](absl::string_view key, const Reject& reject) {
      return finder.IsTheirs(key, reject);
    });
  }

  template <typename Record, typename Predicate>
  absl::Status DeleteWhere(Table table, Predicate is_theirs) {
    std::vector<std::string> keys;
    TypedCursor<Record> cursor = impl_.Scan<Record>(table, "");
    for (; cursor.Valid(); cursor.Next()) {
      if (is_theirs(cursor.key(), cursor.value())) keys.emplace_back(cursor.key());
    }
    RETURN_IF_ERROR(cursor.Finish());
    return InSlices(keys, [table](Removal* removal, const std::string& key) {
      return removal->Delete(table, key);
    });
  }

  // Of what the person did and was shown in these times, all that is not newer than the erasure.
  absl::Status DeleteHistory(const Person& person, const std::vector<Timeline::Span>& spans) {
    ASSIGN_OR_RETURN(const auto events, KeysIn<Event>(Table::kEvents, person, spans));
    RETURN_IF_ERROR(InSlices(events, [](Removal* removal, const std::string& key) {
      return removal->DeleteEvent(key, [](const Event&) { return true; }).status();
    }));
    ASSIGN_OR_RETURN(const auto shelves, KeysIn<Exposure>(Table::kExposures, person, spans));
    return InSlices(shelves, [](Removal* removal, const std::string& key) {
      return removal->DeleteExposure(key).status();
    });
  }

  template <typename Record>
  absl::StatusOr<std::vector<std::string>> KeysIn(Table table, const Person& person,
                                                  const std::vector<Timeline::Span>& spans) const {
    std::vector<std::string> keys;
    TypedCursor<Record> cursor = impl_.Scan<Record>(table, keys::PersonPrefix(person));
    for (; cursor.Valid(); cursor.Next()) {
      const int64_t time_ms = cursor.value().time_ms;
      const bool inside =
          std::any_of(spans.begin(), spans.end(), [time_ms](const Timeline::Span& span) {
            return span.from_ms <= time_ms && time_ms < span.to_ms;
          });
      if (inside && time_ms <= erasure_.up_to_ms) keys.emplace_back(cursor.key());
    }
    RETURN_IF_ERROR(cursor.Finish());
    return keys;
  }

  absl::Status InSlices(const std::vector<std::string>& keys,
                        absl::FunctionRef<absl::Status(Removal*, const std::string&)> delete_one) {
    for (size_t begin = 0; begin < keys.size(); begin += kRowsPerWrite) {
      const size_t end = std::min(begin + kRowsPerWrite, keys.size());
      const absl::Status written = Write([&](Removal* removal) -> absl::Status {
        for (size_t i = begin; i < end; ++i) RETURN_IF_ERROR(delete_one(removal, keys[i]));
        return absl::OkStatus();
      });
      RETURN_IF_ERROR(written);
    }
    return absl::OkStatus();
  }

  // The links last: what is due is read from them.
  absl::Status DeleteVisitor(const std::string& visitor) {
    const Person person = Person::Visitor(visitor);
    ASSIGN_OR_RETURN(const bool is_nobody_else, IsNobodyElse(house_, person_.id, visitor));
    ASSIGN_OR_RETURN(const Timeline timeline, house_.TimelineOf(visitor));
    if (is_nobody_else) {
      RETURN_IF_ERROR(Write([&](Removal* removal) -> absl::Status {
        impl_.commit_mutex.AssertHeld();
        ASSIGN_OR_RETURN(const std::string digest, impl_.DigestOf(person));
        removal->Remember(digest, erasure_.up_to_ms);
        return absl::OkStatus();
      }));
    }
    RETURN_IF_ERROR(DeleteHistory(
        person, is_nobody_else ? std::vector<Timeline::Span>(1) : timeline.Owned(person_.id)));
    if (is_nobody_else) RETURN_IF_ERROR(DeletePerson(person));
    return Write([&](Removal* removal) -> absl::Status {
      if (!is_nobody_else) removal->MarkDirty(person);
      return removal->DeleteLinks(person_.id, visitor, erasure_.up_to_ms);
    });
  }

  // The rows that are the person's by their key. What they did since makes new ones.
  absl::Status DeletePerson(const Person& person) {
    absl::MutexLock lock(&house_.derive_mutex());
    return Write([&](Removal* removal) -> absl::Status {
      const std::string prefix = keys::PersonPrefix(person);
      RETURN_IF_ERROR(removal->DeleteAll(Table::kSessions, prefix));
      RETURN_IF_ERROR(removal->Delete(Table::kRobots, prefix));
      if (person.kind == Person::Kind::kCustomer) {
        RETURN_IF_ERROR(removal->Delete(Table::kCustomers, person.id));
        RETURN_IF_ERROR(removal->Delete(Table::kCustomerFacts, person.id));
        RETURN_IF_ERROR(LedgerRows::Erase(impl_, person.id, removal));
      }
      EventCursor newer = house_.History(person);
      const bool returned = newer.Valid();
      RETURN_IF_ERROR(newer.Finish());
      if (returned) {
        removal->MarkDirty(person);
        return absl::OkStatus();
      }
      return removal->Delete(Table::kDirty, prefix);
    });
  }

  // From here on nothing names the person but bytes that RocksDB has yet to forget.
  absl::Status WriteReceipt() {
    erasure_.__isset.customer_id = erasure_.__isset.visitor_id = false;
    erasure_.customer_id.clear();
    erasure_.visitor_id.clear();
    return Write([&](Removal* removal) {
      removal->Note(person_.kind == Person::Kind::kCustomer ? "customer_erased" : "visitor_erased",
                    absl::StrCat("person ", erasure_.person, ", up to ", erasure_.up_to_ms,
                                 ", rows ", RowsText(erasure_)));
      return absl::OkStatus();
    });
  }

  const Privacy& privacy_;
  const WebHouse& house_;
  WebHouse::Impl& impl_;
  const Person person_;
  Erasure erasure_;
};

std::optional<Event> TrackedEvent(absl::string_view key, const Reject& reject) {
  Event event;
  const bool tracked =
      absl::StartsWith(key, absl::StrCat(kTrackSource, absl::string_view("\0", 1)));
  if (tracked && DecodeRecord(reject.raw, &event).ok()) return event;
  return std::nullopt;
}

absl::Status Privacy::Step(absl::string_view step) const {
  return on_step_ ? on_step_(step) : absl::OkStatus();
}

absl::StatusOr<Erasure> Privacy::Begin(const Person& person, int64_t up_to_ms) {
  WebHouse::Impl& impl = *house_->impl_;
  Erasure erasure;
  erasure.up_to_ms = up_to_ms;
  if (person.kind == Person::Kind::kCustomer) {
    erasure.__set_customer_id(person.id);
  } else {
    erasure.__set_visitor_id(person.id);
  }
  absl::MutexLock lock(&impl.commit_mutex);
  RETURN_IF_ERROR(impl.Writable());
  ASSIGN_OR_RETURN(erasure.person, impl.DigestOf(person));
  Removal removal(&impl, &erasure.rows);
  removal.Remember(erasure.person, erasure.up_to_ms);
  impl.PutMeta(absl::StrCat(kErasingKey, erasure.person), EncodeRecord(erasure), removal.batch());
  RETURN_IF_ERROR(removal.Write());
  return erasure;
}

absl::StatusOr<std::vector<Erasure>> Privacy::Erase(const std::vector<Person>& persons) {
  for (const Person& person : persons) RETURN_IF_ERROR(ValidId(person.id));
  std::vector<Erasure> due;
  for (const Person& person : persons) {
    // All that is there goes, also what a clock in the future dated.
    ASSIGN_OR_RETURN(const std::vector<Event> newest, house_->ResolvedHistory(person, 1));
    int64_t up_to_ms = house_->impl_->options.clock->NowMs();
    if (!newest.empty()) up_to_ms = std::max(up_to_ms, newest[0].time_ms);
    RETURN_IF_ERROR(house_->ForEachExposureOf(person, up_to_ms, 1, [&](const Exposure& shelf) {
      up_to_ms = std::max(up_to_ms, shelf.time_ms);
    }));
    ASSIGN_OR_RETURN(due.emplace_back(), Begin(person, up_to_ms));
  }
  return Finish(std::move(due));
}

absl::StatusOr<std::vector<Erasure>> Privacy::Resume() {
  std::vector<Erasure> due;
  TypedCursor<Erasure> cursor =
      house_->impl_->Scan<Erasure>(Table::kMeta, std::string(kErasingKey));
  for (; cursor.Valid(); cursor.Next()) due.push_back(cursor.value());
  RETURN_IF_ERROR(cursor.Finish());
  return Finish(std::move(due));
}

absl::StatusOr<std::vector<Erasure>> Privacy::Finish(std::vector<Erasure> due) {
  if (due.empty()) return due;
  for (Erasure& erasure : due) {
    if (!HasRows(erasure)) continue;  // its rows are gone, its bytes perhaps not
    ASSIGN_OR_RETURN(erasure, Run(this, std::move(erasure)).DeleteRows());
  }
  RETURN_IF_ERROR(ForgetBytes());
  RETURN_IF_ERROR(Step("done"));
  WebHouse::Impl& impl = *house_->impl_;
  {
    absl::MutexLock lock(&impl.commit_mutex);
    RETURN_IF_ERROR(impl.Writable());
    rocksdb::WriteBatch batch = NewBatch();
    for (const Erasure& erasure : due) {
      const std::string key = absl::StrCat(kErasingKey, erasure.person);
      CHECK(batch.Delete(impl.db->table(Table::kMeta), key).ok());
    }
    RETURN_IF_ERROR(impl.Write(&batch, impl.CurrentTotals()));
  }
  RETURN_IF_ERROR(house_->Sync());
  return due;
}

absl::Status Privacy::ForgetBytes() {
  const std::shared_ptr<const Db> held = house_->impl_->db.Hold();
  const Db& db = *held;
  if (db.raw() == nullptr) return absl::UnavailableError("the store is closed; try again");
  RETURN_IF_ERROR(Step("log"));
  RETURN_IF_ERROR(db.Flush());
  RETURN_IF_ERROR(Step("tables"));
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (const Table table : kTablesOfPersons) {
    RETURN_IF_ERROR(FromRocks(db.raw()->CompactRange(options, db.table(table), nullptr, nullptr),
                              absl::StrCat("rewriting the table ", TableName(table))));
  }
  RETURN_IF_ERROR(Step("manifest"));
  return NewManifest();
}

// RocksDB begins a new MANIFEST when the old one has reached its limit: small edits fill it up.
absl::Status Privacy::NewManifest() {
  const std::shared_ptr<const Db> held = house_->impl_->db.Hold();
  const Db& db = *held;
  if (db.raw() == nullptr) return absl::UnavailableError("the store is closed; try again");
  const auto flush_something = [&]() -> absl::Status {
    absl::MutexLock lock(&house_->impl_->commit_mutex);
    RETURN_IF_ERROR(house_->impl_->Writable());
    rocksdb::WriteBatch batch = NewBatch();
    RETURN_IF_ERROR(house_->impl_->Write(&batch, house_->impl_->CurrentTotals()));
    return FromRocks(db.raw()->Flush(rocksdb::FlushOptions(), db.table(Table::kMeta)),
                     "flushing the store");
  };
  ASSIGN_OR_RETURN(const std::string before, db.ManifestName());
  for (int i = 0; i < kManifestFlushesMax; ++i) {
    RETURN_IF_ERROR(flush_something());
    ASSIGN_OR_RETURN(const std::string now, db.ManifestName());
    if (now != before) return flush_something();  // the old file is removed with the next edit
  }
  return absl::InternalError("RocksDB began no new MANIFEST");
}

// --- Export ---

absl::StatusOr<std::optional<CustomerFacts>> Privacy::FactsOf(absl::string_view customer) const {
  CustomerFacts facts;
  const absl::Status found = house_->impl_->db->Get(Table::kCustomerFacts, customer, &facts);
  if (absl::IsNotFound(found)) return std::nullopt;
  RETURN_IF_ERROR(found);
  return facts;
}

absl::StatusOr<CustomerLedger> Privacy::LedgerOf(absl::string_view customer) const {
  return Ledger(house_).Of(customer);
}

absl::StatusOr<Privacy::Copies> Privacy::CopiesOf(const std::string& customer) const {
  ASSIGN_OR_RETURN(const CopyFinder finder, CopyFinder::Of(*house_, Person::Customer(customer)));
  Copies copies;
  EventCursor conflicts = house_->impl_->Scan<Event>(Table::kConflicts, "");
  for (; conflicts.Valid(); conflicts.Next()) {
    if (finder.IsTheirs(conflicts.value())) copies.conflicts.push_back(conflicts.value());
  }
  RETURN_IF_ERROR(conflicts.Finish());
  RejectCursor rejects = house_->impl_->Scan<Reject>(Table::kRejects, "");
  for (; rejects.Valid(); rejects.Next()) {
    if (finder.IsTheirs(rejects.key(), rejects.value())) copies.rejects.push_back(rejects.value());
  }
  RETURN_IF_ERROR(rejects.Finish());
  return copies;
}

// --- Retention ---

// Deletes what has expired, slice by slice.
class Privacy::Expiry {
 public:
  Expiry(WebHouse* house, std::map<EventKind, int64_t> before_ms)
      : impl_(*house->impl_), before_ms_(std::move(before_ms)) {}

  absl::StatusOr<int64_t> Run() && {
    RETURN_IF_ERROR(Scan<Event>(Table::kConflicts, ""));
    RETURN_IF_ERROR(Scan<Event>(Table::kEvents, ""));
    for (const char* const whose : {"c", "n", "v"}) {  // not the rows of their ids
      RETURN_IF_ERROR(Scan<Exposure>(Table::kExposures, whose));
    }
    return rows_[TableName(Table::kEvents)];
  }

 private:
  bool IsExpired(EventKind kind, int64_t time_ms) const {
    const auto before_ms = before_ms_.find(kind);
    return before_ms != before_ms_.end() && time_ms < before_ms->second;
  }
  bool IsExpired(const Event& event) const { return IsExpired(event.kind, event.time_ms); }
  bool IsExpired(const Exposure& shelf) const {
    return IsExpired(EventKind::VIEW_ITEM_LIST, shelf.time_ms);
  }

  template <typename Record>
  absl::Status Scan(Table table, const std::string& prefix) {
    std::vector<std::string> keys;
    TypedCursor<Record> cursor = impl_.Scan<Record>(table, prefix);
    absl::Status status;
    for (; status.ok() && cursor.Valid(); cursor.Next()) {
      if (!IsExpired(cursor.value())) continue;
      keys.emplace_back(cursor.key());
      if (keys.size() < kRowsPerWrite) continue;
      status = Delete(table, keys);
      keys.clear();
    }
    RETURN_IF_ERROR(cursor.Finish());
    RETURN_IF_ERROR(status);
    return keys.empty() ? absl::OkStatus() : Delete(table, keys);
  }

  absl::Status Delete(Table table, const std::vector<std::string>& keys) {
    absl::MutexLock lock(&impl_.commit_mutex);
    RETURN_IF_ERROR(impl_.Writable());
    absl::flat_hash_set<std::string> visitors;
    Removal events(&impl_, &rows_);
    for (const std::string& key : keys) {
      if (table == Table::kConflicts) {
        RETURN_IF_ERROR(events.Delete(table, key));
      } else if (table == Table::kExposures) {
        ASSIGN_OR_RETURN(const std::optional<Exposure> gone, events.DeleteExposure(key));
        if (gone.has_value() && gone->__isset.visitor_id) visitors.insert(gone->visitor_id);
      } else {
        ASSIGN_OR_RETURN(const std::optional<Event> gone,
                         events.DeleteEvent(key, [this](auto& e) { return IsExpired(e); }));
        if (gone.has_value() && gone->__isset.visitor_id) visitors.insert(gone->visitor_id);
      }
    }
    events.Note("expired", absl::StrCat(keys.size(), " rows of ", TableName(table)));
    RETURN_IF_ERROR(events.Write());
    Removal links(&impl_, &rows_);
    for (const std::string& visitor : visitors) {
      links.MarkDirty(Person::Visitor(visitor));
      RETURN_IF_ERROR(links.DeleteDeadLinks(visitor));
    }
    return visitors.empty() ? absl::OkStatus() : links.Write();
  }

  WebHouse::Impl& impl_;
  const std::map<EventKind, int64_t> before_ms_;
  std::map<std::string, int64_t> rows_;
};

absl::StatusOr<int64_t> Privacy::ApplyRetention(int64_t now_ms) {
  std::map<EventKind, int64_t> before_ms;
  for (const auto& [kind, days] : house_->GetSettings().retention_days) {
    before_ms[kind] = now_ms - int64_t{days} * kDayMs;
  }
  RETURN_IF_ERROR(house_->impl_->SetExpiredBefore(before_ms));
  if (before_ms.empty()) return 0;
  return Expiry(house_, std::move(before_ms)).Run();
}

}  // namespace vitrine
