#include "store/web_house.h"

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/event_writer.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

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
  add("robot", result.robot);
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
  int64_t before = -1;
  for (const int32_t robot : batch.robots) {
    if (robot <= before || robot >= static_cast<int64_t>(batch.events.size())) {
      return absl::InvalidArgumentError("robots: not ascending positions in events");
    }
    before = robot;
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
  RETURN_IF_ERROR(Annotate(impl->Prepare(options), options.directory));
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

std::string AuditKeyPath(const std::string& store_directory) {
  return (std::filesystem::path(store_directory).parent_path() / "audit.key").string();
}

absl::Status WebHouse::Impl::Prepare(const Options& options) {
  clock = options.clock;
  rocksdb::PinnableSlice row;
  const rocksdb::Status found =
      db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta), ToSlice(kFormatKey), &row);
  if (found.IsNotFound()) RETURN_IF_ERROR(WriteNewStore(options));
  RETURN_IF_ERROR(Load());
  return OpenChain(options);
}

// The key first: a store without its key is an error, a key without a store is none.
absl::Status WebHouse::Impl::WriteNewStore(const Options& options) {
  rocksdb::WriteBatch batch = NewBatch();
  std::string format;
  AppendBigEndian(&format, kStoreFormat);
  PutMeta(kFormatKey, format, &batch);
  if (options.audit) {
    const std::string path =
        options.audit_key_path.empty() ? AuditKeyPath(options.directory) : options.audit_key_path;
    absl::StatusOr<std::shared_ptr<const AuditKey>> key = AuditKey::Read(path);
    if (absl::IsNotFound(key.status())) key = AuditKey::Make(path);
    RETURN_IF_ERROR(key.status());
    PutMeta(kAuditKeyIdKey, (*key)->id(), &batch);
  }
  return FromRocks(db->raw()->Write(rocksdb::WriteOptions(), &batch), "writing a new store");
}

absl::Status WebHouse::Impl::OpenChain(const Options& options) {
  rocksdb::PinnableSlice id;
  const rocksdb::Status found =
      db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta), ToSlice(kAuditKeyIdKey), &id);
  if (found.IsNotFound()) return absl::OkStatus();
  RETURN_IF_ERROR(FromRocks(found, "reading the id of the audit key"));
  const std::string path =
      options.audit_key_path.empty() ? AuditKeyPath(options.directory) : options.audit_key_path;
  absl::StatusOr<std::shared_ptr<const AuditKey>> key = AuditKey::Read(path);
  if (absl::IsNotFound(key.status())) {
    return absl::FailedPreconditionError(
        absl::StrCat("the key of the audit chain, ", path, " (id ", id.ToString(),
                     "), is missing: put it back from where it is kept"));
  }
  RETURN_IF_ERROR(key.status());
  if ((*key)->id() != id.ToString()) {
    return absl::FailedPreconditionError(absl::StrCat(path, " holds the key ", (*key)->id(),
                                                      "; this store's audit chain was made with ",
                                                      id.ToString()));
  }
  absl::MutexLock lock(&commit_mutex);
  chain = std::make_unique<AuditChain>(*std::move(key));
  RETURN_IF_ERROR(chain->Load(*db));
  absl::MutexLock state_lock(&state_mutex);
  anchor = {chain->head().number, chain->head().seal, version, clock->NowMs(), chain->key().id()};
  return absl::OkStatus();
}

// Reads what is kept in memory and checks the accounting.
absl::Status WebHouse::Impl::Load() {
  rocksdb::PinnableSlice row;
  const rocksdb::Status found =
      db->raw()->Get(rocksdb::ReadOptions(), db->table(Table::kMeta), ToSlice(kFormatKey), &row);
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
  RETURN_IF_ERROR(LoadForgotten());
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
      if (outcome == "accepted" || outcome == "robot") accepted += lines;
      if (absl::StartsWith(outcome, "rejected:")) rejected += lines;
    }
  }
  RETURN_IF_ERROR(cursor.Finish());
  RETURN_IF_ERROR(wrong);
  if (accepted != sums.events + removed.events || rejected != sums.rejects + removed.rejects) {
    return absl::DataLossError(absl::StrCat(
        "the sources account for ", accepted, " events and ", rejected, " rejects, the totals for ",
        sums.events, " and ", sums.rejects, ", and ", removed.events, " and ", removed.rejects,
        " that were erased or have expired"));
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
  const int64_t now_ms = clock->NowMs();
  if (chain != nullptr) RETURN_IF_ERROR(chain->Extend(*db, next_version, now_ms, batch));
  const rocksdb::Status status = db->raw()->Write(rocksdb::WriteOptions(), batch);
  if (!status.ok()) {
    broken = FromRocks(status, "writing to the store failed; close it and open it again");
    return FromRocks(status, "writing to the store");
  }
  version = next_version;
  if (chain != nullptr) chain->Written();
  absl::MutexLock lock(&state_mutex);
  totals = after;
  if (chain != nullptr) {
    anchor = {chain->head().number, chain->head().seal, next_version, now_ms, anchor.key_id};
  }
  return absl::OkStatus();
}

absl::StatusOr<CommitResult> WebHouse::Impl::CommitLocked(const EventBatch& given) {
  RETURN_IF_ERROR(Writable());
  EventBatch filtered;
  const bool filter = ForgetsAnything();
  if (filter) {
    ASSIGN_OR_RETURN(filtered, WithoutForgotten(given));
  }
  const EventBatch& batch = filter ? filtered : given;
  ASSIGN_OR_RETURN(SourceState state, Source(batch.source));
  if (state.bytes != batch.from_bytes || state.lines != batch.from_lines) {
    return absl::AbortedError(absl::StrCat(batch.source, " stands at byte ", state.bytes, ", line ",
                                           state.lines, "; the batch starts at byte ",
                                           batch.from_bytes, ", line ", batch.from_lines));
  }
  rocksdb::WriteBatch rows = NewBatch();
  EventWriter writer(*db, version + 1, &rows);
  ASSIGN_OR_RETURN(CommitResult result, writer.Write(batch.events, batch.robots));
  result.ignored = static_cast<int64_t>(given.events.size() - batch.events.size());
  for (const Reject& reject : batch.rejects) {
    CHECK(rows.Put(db->table(Table::kRejects), keys::RejectKey(batch.source, reject.line),
                   EncodeRecord(reject))
              .ok());
  }
  Account(batch, result, &state);
  PutMeta(keys::SourceKey(batch.source), EncodeRecord(state), &rows);
  Totals after = CurrentTotals();
  after.events += result.accepted + result.robot;
  after.products += writer.new_products();
  after.conflicts += writer.new_conflicts();
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
                                             Ack ack, std::vector<int32_t> robots) {
  EventBatch batch;
  batch.source = std::string(kTrackSource);
  batch.to_lines = static_cast<int64_t>(events.size() + rejects.size());
  batch.events = std::move(events);
  batch.rejects = std::move(rejects);
  batch.robots = std::move(robots);
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

}  // namespace vitrine
