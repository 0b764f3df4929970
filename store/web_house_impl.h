// What a WebHouse holds, for the files that implement it. Internal to store.

#ifndef VITRINE_STORE_WEB_HOUSE_IMPL_H_
#define VITRINE_STORE_WEB_HOUSE_IMPL_H_

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <rocksdb/write_batch.h>
#include <span>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "store/audit_chain.h"
#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/base/row_cache.h"
#include "store/db.h"
#include "store/db_handle.h"
#include "store/prepared_events.h"
#include "store/watermark.h"
#include "store/web_house.h"

namespace vitrine {

// Rows of the meta table that are no source's.
inline constexpr absl::string_view kTotalsKey = "totals";
inline constexpr absl::string_view kSettingsKey = "settings";
inline constexpr absl::string_view kPlacementsKey = "placements/";
inline constexpr absl::string_view kExperimentsKey = "experiments/";
inline constexpr absl::string_view kOffersKey = "offers/";
inline constexpr absl::string_view kContactPolicyKey = "contact_policy/";
inline constexpr absl::string_view kSegmentsKey = "segments/";
inline constexpr absl::string_view kApiKeysKey = "keys/";  // | id
inline constexpr absl::string_view kFormatKey = "format";
inline constexpr absl::string_view kVersionKey = "version";
inline constexpr absl::string_view kRobotListsKey = "robot_lists";
inline constexpr absl::string_view kAuditKeyIdKey = "audit_key";  // the key's id; not the key
inline constexpr absl::string_view kRemovedKey = "removed";  // Totals: rows that were taken away
inline constexpr absl::string_view kErasedKey = "erased/";   // | digest of a person: time_ms (8)
inline constexpr absl::string_view kExpiredKey = "expired";  // times before which kinds are ignored
inline constexpr absl::string_view kUpdateSource = "update_products";

inline constexpr size_t kCachedProductsMax = 100'000;

// Each row of a write carries a checksum from here to the memtable.
inline constexpr size_t kProtectionBytes = 8;

inline rocksdb::WriteBatch NewBatch(size_t bytes = 0) {
  return rocksdb::WriteBatch(bytes, 0, kProtectionBytes, 0);
}

// A full replacement of the catalogue that is under way.
struct Replacement {
  std::string source;
  absl::flat_hash_set<std::string> named;  // products so far
  int64_t rejects = 0;
};

// InvalidArgument if the counts of a batch do not add up or a row of it is not valid.
absl::Status CheckBatch(const EventBatch& batch);
// The same without a look at the events themselves.
absl::Status CheckBatchFrame(const EventBatch& batch);

// What an erased person is remembered by.
std::string ErasedDigest(const AuditKey& key, const Person& person);

struct WebHouse::Impl {
  Options options;
  DbBudget budget;
  DbHandle db;
  bool read_only = false;

  // Held from reading what a write depends on until it is written.
  absl::Mutex commit_mutex;
  mutable absl::Mutex derive_mutex;
  std::atomic<uint64_t> version = 0;
  // Null in a copy for reading, and in a store that was made without.
  std::unique_ptr<AuditChain> chain ABSL_GUARDED_BY(commit_mutex);
  std::optional<Replacement> replacement ABSL_GUARDED_BY(commit_mutex);

  // Nothing of the ledger was due before (store/ledger_rows.h).
  int64_t ledger_due_from_ms ABSL_GUARDED_BY(commit_mutex) = 0;

  // Every reply names its products.
  mutable RowCache<Product> product_cache{kCachedProductsMax};
  std::atomic<int64_t> exposures_written = 0;

  mutable absl::Mutex state_mutex;
  Totals totals ABSL_GUARDED_BY(state_mutex);
  SiteSettings settings ABSL_GUARDED_BY(state_mutex);
  AuditAnchor anchor ABSL_GUARDED_BY(state_mutex);                         // of the last write
  std::shared_ptr<const AuditKey> audit_key ABSL_GUARDED_BY(state_mutex);  // null without a chain
  // After a failed write RocksDB's own state is not to be trusted: only reopening helps.
  absl::Status broken ABSL_GUARDED_BY(state_mutex);

  // Events and rejects that the sources account for and that are no longer there.
  Totals removed ABSL_GUARDED_BY(state_mutex);
  absl::flat_hash_map<std::string, int64_t> erased_up_to ABSL_GUARDED_BY(state_mutex);
  std::map<EventKind, int64_t> expired_before ABSL_GUARDED_BY(state_mutex);

  // Read-locked from the look at who was erased until a shelf is written: an erasure that has been
  // begun under the lock is known to whoever writes later, and finds what was written before.
  absl::Mutex exposures_mutex ABSL_ACQUIRED_BEFORE(state_mutex);

  // One sync makes durable whatever was written when it began.
  absl::Mutex sync_mutex;
  uint64_t synced_version ABSL_GUARDED_BY(sync_mutex) = 0;
  std::unique_ptr<Watermark> watermark;  // changed under sync_mutex; null in a copy for reading
  int64_t reopen_after_ns ABSL_GUARDED_BY(commit_mutex) = INT64_MIN;

  absl::Status Prepare(bool accept_loss) ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status WriteNewStore() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status OpenChain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status CheckWatermark() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status Reopen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status CheckSpace() const;
  // Free bytes below which nothing is written to a disk.
  static int64_t Reserved(const DiskSpace& disk);
  void Break(const absl::Status& why);
  absl::Status Load();
  absl::Status CheckSums(const Totals& sums) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_mutex);
  absl::Status Writable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  // `known`: as AuditChain::Extend takes it.
  absl::Status Write(rocksdb::WriteBatch* batch, const Totals& after,
                     std::span<const AuditEntry> known = {})
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  // `prepared` (may be null): what Prepare made of the batch. `facts` (may be null) is what became
  // of the rows of products and customers.
  absl::StatusOr<CommitResult> CommitLocked(const EventBatch& batch, FactsResult* facts = nullptr,
                                            const PreparedEvents* prepared = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  bool Replaces(const EventBatch& batch) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex) {
    return replacement.has_value() && replacement->source == batch.source;
  }
  absl::Status NoteReplaced(const EventBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::StatusOr<int64_t> WithdrawOthers(const absl::flat_hash_set<std::string>& named)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::StatusOr<std::string> DigestOf(const Person& person) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status LoadForgotten() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_mutex);
  absl::Status SetExpiredBefore(const std::map<EventKind, int64_t>& before_ms);
  bool ForgetsAnything() const;
  // Why an event is to be ignored; empty: it is not.
  absl::StatusOr<absl::string_view> WhyForgotten(const Event& event) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::StatusOr<EventBatch> WithoutForgotten(EventBatch batch) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  // As WhyForgotten says that it was erased, without the commit mutex.
  bool IsErased(const Exposure& shelf) const;
  bool IsErased(const Person& person, int64_t time_ms) const;
  absl::Status PutRejects(const EventBatch& batch, SourceState* state, rocksdb::WriteBatch* rows);
  absl::Status SyncUpTo(uint64_t wanted);
  absl::StatusOr<SourceState> Source(absl::string_view name) const;
  absl::StatusOr<std::shared_ptr<const Product>> CachedProduct(const std::string& id) const;
  absl::StatusOr<std::vector<DirtyPerson>> Dirty(absl::string_view prefix, size_t limit) const;
  absl::StatusOr<uint64_t> Mark(const Person& person) const;
  absl::Status PutDerived(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutSessions(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutShared(const Derived& derived, rocksdb::WriteBatch* batch);
  absl::Status PutCustomer(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutVerdict(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutRobot(const Person& person, const RobotVerdict& verdict, bool is_there,
                        rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status SetUnlinked(absl::string_view customer, absl::string_view visitor, bool unlinked);
  absl::Status MarkEverybody(rocksdb::WriteBatch* batch);
  absl::Status ChangeSettings(const SiteSettings& settings)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);

  template <typename Record>
  TypedCursor<Record> Scan(Table table, std::string prefix) const {
    const std::string start = prefix;
    return TypedCursor<Record>(db->Scan(table), std::move(prefix), start);
  }
  size_t CustomersMax() const {
    absl::MutexLock lock(&state_mutex);
    return static_cast<size_t>(settings.customers_per_visitor_max);
  }
  Totals CurrentRemoved() const {
    absl::MutexLock lock(&state_mutex);
    return removed;
  }
  absl::Status Broken() const {
    absl::MutexLock lock(&state_mutex);
    return broken;
  }
  std::shared_ptr<const AuditKey> CurrentAuditKey() const {
    absl::MutexLock lock(&state_mutex);
    return audit_key;
  }
  Totals CurrentTotals() const {
    absl::MutexLock lock(&state_mutex);
    return totals;
  }
  void PutMeta(absl::string_view key, absl::string_view value, rocksdb::WriteBatch* batch) const {
    CHECK(batch->Put(db->table(Table::kMeta), ToSlice(key), ToSlice(value)).ok());
  }
};

}  // namespace vitrine

#endif  // VITRINE_STORE_WEB_HOUSE_IMPL_H_
