#include "store/web_house.h"

#include <atomic>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"

#include "store/base/check.h"
#include "store/base/limits.h"
#include "store/base/row_cache.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/event_writer.h"

namespace vitrine {
namespace {

constexpr absl::string_view kTotalsKey = "totals";
constexpr absl::string_view kSettingsKey = "settings";
constexpr absl::string_view kFormatKey = "format";
constexpr absl::string_view kVersionKey = "version";
constexpr absl::string_view kTrackSource = "track";

constexpr size_t kCachedProductsMax = 100'000;

// Each row of a write carries a checksum from here to the memtable.
constexpr size_t kProtectionBytes = 8;

rocksdb::WriteBatch NewBatch() { return rocksdb::WriteBatch(0, 0, kProtectionBytes, 0); }

int64_t SumOf(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

// The outcomes of one batch join those of its source, and its position moves.
void Account(const EventBatch& batch, const CommitResult& result, SourceState* state) {
  const auto add = [state](const std::string& outcome, int64_t n) {
    if (n != 0) state->outcomes[outcome] += n;
  };
  add("accepted", result.accepted);
  add("duplicate", result.duplicate);
  add("conflicting_duplicate", result.conflicting_duplicate);
  for (const auto& [why, lines] : batch.ignored) add("ignored:" + why, lines);
  for (const Reject& reject : batch.rejects) add("rejected:" + reject.reason, 1);
  state->bytes = batch.to_bytes;
  state->lines = batch.to_lines;
  state->digest = batch.to_digest;
}

absl::Status CheckBatch(const EventBatch& batch) {
  const int64_t outcomes =
      static_cast<int64_t>(batch.events.size() + batch.rejects.size()) + SumOf(batch.ignored);
  if (batch.to_lines - batch.from_lines != outcomes) {
    return absl::InvalidArgumentError(absl::StrCat("the batch covers ",
                                                   batch.to_lines - batch.from_lines,
                                                   " lines but holds ", outcomes, " outcomes"));
  }
  if (batch.source.empty() || batch.source.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the batch names no source");
  }
  for (const Event& event : batch.events) RETURN_IF_ERROR(ValidateEvent(event));
  return absl::OkStatus();
}

}  // namespace

struct StoreBudget::Impl {
  DbBudget budget;
};

StoreBudget::StoreBudget(size_t cache_bytes, size_t write_buffer_bytes)
    : impl_(new Impl{MakeDbBudget(cache_bytes, write_buffer_bytes)}) {}
StoreBudget::~StoreBudget() = default;

struct WebHouse::Impl {
  std::unique_ptr<Db> db;
  bool read_only = false;

  // Held from reading what a write depends on until it is written.
  absl::Mutex commit_mutex;
  // After a failed write RocksDB's own state is not to be trusted: only reopening helps.
  absl::Status broken ABSL_GUARDED_BY(commit_mutex);
  std::atomic<uint64_t> version = 0;

  // Every reply names its products.
  mutable RowCache<Product> product_cache{kCachedProductsMax};

  mutable absl::Mutex state_mutex;
  Totals totals ABSL_GUARDED_BY(state_mutex);
  SiteSettings settings ABSL_GUARDED_BY(state_mutex);

  // One sync makes durable whatever was written when it began.
  absl::Mutex sync_mutex;
  uint64_t synced_version ABSL_GUARDED_BY(sync_mutex) = 0;

  absl::Status Load();
  absl::Status CheckSums(const Totals& sums);
  absl::Status Writable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status Write(rocksdb::WriteBatch* batch, const Totals& after)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::StatusOr<CommitResult> CommitLocked(const EventBatch& batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(commit_mutex);
  absl::Status SyncUpTo(uint64_t wanted);
  absl::StatusOr<SourceState> Source(absl::string_view name) const;
  absl::StatusOr<std::shared_ptr<const Product>> CachedProduct(const std::string& id) const;
  absl::StatusOr<uint64_t> Mark(const Person& person) const;
  absl::Status PutDerived(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutSessions(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status PutCustomer(const Derived& derived, rocksdb::WriteBatch* batch, Totals* totals);
  absl::Status MarkEverybody(rocksdb::WriteBatch* batch);

  template <typename Record>
  TypedCursor<Record> Scan(Table table, std::string prefix) const {
    const std::string start = prefix;
    return TypedCursor<Record>(db->Scan(table), std::move(prefix), start);
  }
  Totals CurrentTotals() const {
    absl::MutexLock lock(&state_mutex);
    return totals;
  }
  void PutMeta(absl::string_view key, absl::string_view value, rocksdb::WriteBatch* batch) const {
    CHECK(batch->Put(db->table(Table::kMeta), ToSlice(key), ToSlice(value)).ok());
  }
};

// --- Opening ---

WebHouse::WebHouse(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// What stands only in the log would be read again, row by row, at the next opening: seconds where
// opening tables takes milliseconds.
WebHouse::~WebHouse() {
  if (impl_->read_only) return;
  absl::MutexLock lock(&impl_->commit_mutex);
  if (impl_->broken.ok()) impl_->db->Flush().IgnoreError();
}

absl::StatusOr<std::unique_ptr<WebHouse>> WebHouse::Open(const Options& options) {
  const DbBudget budget = options.budget != nullptr ? options.budget->impl_->budget
                                                    : MakeDbBudget(256 << 20, 128 << 20);
  auto impl = std::make_unique<Impl>();
  ASSIGN_OR_RETURN(
      impl->db,
      Db::Open(options.directory, options.create ? Db::Mode::kCreate : Db::Mode::kOpen, budget));
  RETURN_IF_ERROR(Annotate(impl->Load(), options.directory));
  return std::unique_ptr<WebHouse>(new WebHouse(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<WebHouse>> WebHouse::OpenCheckpoint(const std::string& directory) {
  auto impl = std::make_unique<Impl>();
  impl->read_only = true;
  ASSIGN_OR_RETURN(impl->db,
                   Db::Open(directory, Db::Mode::kReadOnly, MakeDbBudget(64 << 20, 1 << 20)));
  RETURN_IF_ERROR(Annotate(impl->Load(), directory));
  return std::unique_ptr<WebHouse>(new WebHouse(std::move(impl)));
}

// Reads what is kept in memory, writes the format into a new store, and checks the accounting.
absl::Status WebHouse::Impl::Load() {
  rocksdb::PinnableSlice row;
  const rocksdb::Status found =
      db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta), ToSlice(kFormatKey), &row);
  if (found.IsNotFound() && !read_only) {
    std::string format;
    AppendBigEndian(&format, kStoreFormat);
    rocksdb::WriteBatch batch = NewBatch();
    PutMeta(kFormatKey, format, &batch);
    return FromRocks(db->raw()->Write(rocksdb::WriteOptions(), &batch), "writing a new store");
  }
  RETURN_IF_ERROR(FromRocks(found, "reading the store's format"));
  if (row.size() != 8 || ReadBigEndian(FromSlice(row)) != kStoreFormat) {
    return absl::FailedPreconditionError("the store was written in another format");
  }
  absl::MutexLock lock(&state_mutex);
  absl::Status status = db->Get(Table::kMeta, kTotalsKey, &totals);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  status = db->Get(Table::kMeta, kSettingsKey, &settings);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  std::string version_row;
  const rocksdb::Status got = db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta),
                                             ToSlice(kVersionKey), &version_row);
  if (got.ok()) version = ReadBigEndian(version_row);
  return CheckSums(totals);
}

// Every line of every source has one outcome, and the totals are what the sources add up to.
absl::Status WebHouse::Impl::CheckSums(const Totals& sums) {
  int64_t accepted = 0;
  int64_t rejected = 0;
  absl::Status wrong;
  SourceCursor cursor = Scan<SourceState>(Table::kMeta, keys::SourceKey(""));
  for (; cursor.Valid(); cursor.Next()) {
    const SourceState& source = cursor.value();
    if (SumOf(source.outcomes) != source.lines + source.earlier_lines) {
      wrong = absl::DataLossError(
          absl::StrCat("the outcomes of source ", source.name, " do not add up to its lines"));
    }
    for (const auto& [outcome, lines] : source.outcomes) {
      if (outcome == "accepted") accepted += lines;
      if (absl::StartsWith(outcome, "rejected:")) rejected += lines;
    }
  }
  RETURN_IF_ERROR(cursor.Finish());
  RETURN_IF_ERROR(wrong);
  if (accepted != sums.events || rejected != sums.rejects) {
    return absl::DataLossError(absl::StrCat("the sources account for ", accepted, " events and ",
                                            rejected, " rejects, the totals for ", sums.events,
                                            " and ", sums.rejects));
  }
  return absl::OkStatus();
}

// --- Writing ---

absl::Status WebHouse::Impl::Writable() {
  if (read_only) return absl::FailedPreconditionError("this is a read-only copy of the store");
  return broken;
}

absl::Status WebHouse::Impl::Write(rocksdb::WriteBatch* batch, const Totals& after) {
  const uint64_t next_version = version + 1;
  std::string version_row;
  AppendBigEndian(&version_row, next_version);
  PutMeta(kVersionKey, version_row, batch);
  PutMeta(kTotalsKey, EncodeRecord(after), batch);
  const rocksdb::Status status = db->raw()->Write(rocksdb::WriteOptions(), batch);
  if (!status.ok()) {
    broken = FromRocks(status, "writing to the store failed; close it and open it again");
    return FromRocks(status, "writing to the store");
  }
  version = next_version;
  absl::MutexLock lock(&state_mutex);
  totals = after;
  return absl::OkStatus();
}

absl::StatusOr<CommitResult> WebHouse::Impl::CommitLocked(const EventBatch& batch) {
  RETURN_IF_ERROR(Writable());
  ASSIGN_OR_RETURN(SourceState state, Source(batch.source));
  if (state.bytes != batch.from_bytes || state.lines != batch.from_lines) {
    return absl::AbortedError(absl::StrCat(batch.source, " stands at byte ", state.bytes, ", line ",
                                           state.lines, "; the batch starts at byte ",
                                           batch.from_bytes, ", line ", batch.from_lines));
  }
  rocksdb::WriteBatch rows = NewBatch();
  EventWriter writer(*db, version + 1, &rows);
  ASSIGN_OR_RETURN(const CommitResult result, writer.Write(batch.events));
  for (const Reject& reject : batch.rejects) {
    CHECK(rows.Put(db->table(Table::kRejects), keys::RejectKey(batch.source, reject.line),
                   EncodeRecord(reject))
              .ok());
  }
  Account(batch, result, &state);
  PutMeta(keys::SourceKey(batch.source), EncodeRecord(state), &rows);
  Totals after = CurrentTotals();
  after.events += result.accepted;
  after.products += writer.new_products();
  after.rejects += static_cast<int64_t>(batch.rejects.size());
  RETURN_IF_ERROR(Write(&rows, after));
  for (const std::string& product : writer.changed_products()) product_cache.Erase(product);
  return result;
}

absl::StatusOr<CommitResult> WebHouse::Commit(const EventBatch& batch, Ack ack) {
  RETURN_IF_ERROR(CheckBatch(batch));
  CommitResult result;
  uint64_t written;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    ASSIGN_OR_RETURN(result, impl_->CommitLocked(batch));
    written = impl_->version;
  }
  if (ack == Ack::kDurable) RETURN_IF_ERROR(impl_->SyncUpTo(written));
  return result;
}

absl::StatusOr<CommitResult> WebHouse::Track(std::vector<Event> events, std::vector<Reject> rejects,
                                             Ack ack) {
  EventBatch batch;
  batch.source = std::string(kTrackSource);
  batch.to_lines = static_cast<int64_t>(events.size() + rejects.size());
  batch.events = std::move(events);
  batch.rejects = std::move(rejects);
  RETURN_IF_ERROR(CheckBatch(batch));
  absl::StatusOr<CommitResult> result;
  uint64_t written;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    ASSIGN_OR_RETURN(const SourceState state, impl_->Source(kTrackSource));
    batch.from_lines = state.lines;
    batch.to_lines += state.lines;
    for (Reject& reject : batch.rejects) reject.line += state.lines;
    result = impl_->CommitLocked(batch);
    written = impl_->version;
  }
  RETURN_IF_ERROR(result.status());
  if (ack == Ack::kDurable) RETURN_IF_ERROR(impl_->SyncUpTo(written));
  return result;
}

// Group commit: whoever waited for a sync that began after their write needs none of their own.
absl::Status WebHouse::Impl::SyncUpTo(uint64_t wanted) {
  absl::MutexLock lock(&sync_mutex);
  if (synced_version >= wanted) return absl::OkStatus();
  const uint64_t covered = version;
  RETURN_IF_ERROR(FromRocks(db->raw()->SyncWAL(), "syncing the log"));
  synced_version = covered;
  return absl::OkStatus();
}

absl::Status WebHouse::Sync() { return impl_->SyncUpTo(impl_->version); }

absl::Status WebHouse::RestartSource(absl::string_view name) {
  absl::MutexLock lock(&impl_->commit_mutex);
  RETURN_IF_ERROR(impl_->Writable());
  ASSIGN_OR_RETURN(SourceState state, impl_->Source(name));
  state.earlier_lines += state.lines;
  state.bytes = state.lines = state.digest = 0;
  ++state.restarts;
  rocksdb::WriteBatch rows = NewBatch();
  impl_->PutMeta(keys::SourceKey(name), EncodeRecord(state), &rows);
  return impl_->Write(&rows, impl_->CurrentTotals());
}

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

absl::Status WebHouse::Checkpoint(const std::string& directory) const {
  rocksdb::Checkpoint* raw = nullptr;
  RETURN_IF_ERROR(FromRocks(rocksdb::Checkpoint::Create(impl_->db->raw(), &raw), "checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  return FromRocks(checkpoint->CreateCheckpoint(directory),
                   absl::StrCat("making a checkpoint in ", directory));
}

// --- Reading ---

EventCursor WebHouse::History(const Person& person) const {
  return impl_->Scan<Event>(Table::kEvents, keys::PersonPrefix(person));
}
EventCursor WebHouse::Events() const { return impl_->Scan<Event>(Table::kEvents, ""); }
SessionCursor WebHouse::SessionsOf(const Person& person) const {
  return impl_->Scan<Session>(Table::kSessions, keys::PersonPrefix(person));
}
SessionCursor WebHouse::Sessions() const { return impl_->Scan<Session>(Table::kSessions, ""); }
CustomerCursor WebHouse::Customers(absl::string_view from) const {
  return CustomerCursor(impl_->db->Scan(Table::kCustomers), "", std::string(from));
}
ProductCursor WebHouse::Products() const { return impl_->Scan<Product>(Table::kProducts, ""); }
RejectCursor WebHouse::Rejects(absl::string_view source) const {
  return impl_->Scan<Reject>(Table::kRejects, std::string(source) + '\0');
}
SourceCursor WebHouse::Sources() const {
  return impl_->Scan<SourceState>(Table::kMeta, keys::SourceKey(""));
}

absl::StatusOr<Customer> WebHouse::GetCustomer(absl::string_view id) const {
  Customer customer;
  RETURN_IF_ERROR(impl_->db->Get(Table::kCustomers, id, &customer));
  return customer;
}

absl::StatusOr<Product> WebHouse::GetProduct(absl::string_view id) const {
  Product product;
  RETURN_IF_ERROR(impl_->db->Get(Table::kProducts, id, &product));
  return product;
}

absl::StatusOr<std::vector<std::shared_ptr<const Product>>> WebHouse::GetProducts(
    std::span<const std::string> ids) const {
  std::vector<std::shared_ptr<const Product>> products(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    ASSIGN_OR_RETURN(products[i], impl_->CachedProduct(ids[i]));
  }
  return products;
}

// A product that is not there is kept too, with nothing but its id.
absl::StatusOr<std::shared_ptr<const Product>> WebHouse::Impl::CachedProduct(
    const std::string& id) const {
  uint64_t ticket;
  if (auto cached = product_cache.Get(id, &ticket)) return cached;
  auto product = std::make_shared<Product>();
  const absl::Status found = db->Get(Table::kProducts, id, product.get());
  if (absl::IsNotFound(found)) {
    product->id = id;
  } else {
    RETURN_IF_ERROR(found);
  }
  product_cache.Put(id, product, ticket);
  return product;
}

absl::StatusOr<SourceState> WebHouse::Impl::Source(absl::string_view name) const {
  SourceState state;
  const absl::Status found = db->Get(Table::kMeta, keys::SourceKey(name), &state);
  if (absl::IsNotFound(found)) {
    state = SourceState();
    state.name = std::string(name);
    return state;
  }
  RETURN_IF_ERROR(found);
  return state;
}

absl::StatusOr<SourceState> WebHouse::GetSource(absl::string_view name) const {
  return impl_->Source(name);
}

Totals WebHouse::GetTotals() const { return impl_->CurrentTotals(); }

SiteSettings WebHouse::GetSettings() const {
  absl::MutexLock lock(&impl_->state_mutex);
  return impl_->settings;
}

uint64_t WebHouse::Version() const { return impl_->version; }

}  // namespace vitrine
