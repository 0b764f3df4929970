#include "store/web_house.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

#include "store/base/disk_space.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/catalogue_writer.h"
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
void Account(const EventBatch& batch, const CommitResult& result, const CatalogueWriter& facts,
             SourceState* state) {
  const auto add = [state](const std::string& outcome, int64_t n) {
    if (n != 0) state->outcomes[outcome] += n;
  };
  add("accepted", result.accepted);
  add("robot", result.robot);
  add("duplicate", result.duplicate);
  add("conflicting_duplicate", result.conflicting_duplicate);
  add("product", facts.products());
  add("customer", facts.customers());
  add("unchanged", facts.unchanged());
  for (const auto& [why, lines] : batch.ignored) add("ignored:" + why, lines);
  for (const Reject& reject : batch.rejects) add("rejected:" + reject.reason, 1);
  if (!batch.replays.empty()) return;
  state->bytes = batch.to_bytes;
  state->lines = batch.to_lines;
  state->digest = batch.to_digest;
}

}  // namespace

absl::Status CheckBatchFrame(const EventBatch& batch) {
  const int64_t outcomes = static_cast<int64_t>(batch.events.size() + batch.rejects.size() +
                                                batch.products.size() + batch.customers.size()) +
                           SumOf(batch.ignored);
  const int64_t lines = batch.replays.empty() ? batch.to_lines - batch.from_lines
                                              : static_cast<int64_t>(batch.replays.size());
  if (lines != outcomes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the batch covers ", lines, " lines but holds ", outcomes, " outcomes"));
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
  if (!batch.events.empty() && !batch.products.empty()) {
    return absl::InvalidArgumentError("a batch holds events or products, not both");
  }
  for (size_t i = 0; i < batch.products.size(); ++i) {
    RETURN_IF_ERROR(
        Annotate(ValidateProduct(batch.products[i]), absl::StrCat("products[", i, "]")));
  }
  for (size_t i = 0; i < batch.customers.size(); ++i) {
    RETURN_IF_ERROR(
        Annotate(ValidateCustomerFacts(batch.customers[i]), absl::StrCat("customers[", i, "]")));
  }
  return absl::OkStatus();
}

absl::Status CheckBatch(const EventBatch& batch) {
  RETURN_IF_ERROR(CheckBatchFrame(batch));
  for (const Event& event : batch.events) RETURN_IF_ERROR(ValidateEvent(event));
  return absl::OkStatus();
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
  return Broken().ok() ? absl::OkStatus() : Reopen();
}

// RocksDB and the log need room to end what they began; reading and erasing go on.
int64_t WebHouse::Impl::Reserved(const DiskSpace& disk) {
  return std::min(disk.total_bytes / limits::kDiskFreeShare, limits::kDiskFreeBytesMin);
}

absl::Status WebHouse::Impl::CheckSpace() const {
  ASSIGN_OR_RETURN(const DiskSpace disk, options.disk_space(options.directory));
  const int64_t needed = Reserved(disk);
  if (disk.free_bytes >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the disk is nearly full: ", disk.free_bytes, " bytes are free, and below ",
                   needed, " nothing is written; try again when there is room"));
}

void WebHouse::Impl::Break(const absl::Status& why) {
  absl::MutexLock lock(&state_mutex);
  broken = absl::UnavailableError(absl::StrCat(
      "a write has failed and the store is to be opened again; try again. ", why.message()));
}

absl::Status WebHouse::Impl::Write(rocksdb::WriteBatch* batch, const Totals& after,
                                   std::span<const AuditEntry> known) {
  const uint64_t next_version = version + 1;
  std::string version_row;
  AppendBigEndian(&version_row, next_version);
  PutMeta(kVersionKey, version_row, batch);
  PutMeta(kTotalsKey, EncodeRecord(after), batch);
  const int64_t now_ms = options.clock->NowMs();
  if (chain != nullptr) RETURN_IF_ERROR(chain->Extend(*db, next_version, now_ms, batch, known));
  const absl::Status status =
      FromRocks(db->raw()->Write(rocksdb::WriteOptions(), batch), "writing to the store");
  if (!status.ok()) {
    Break(status);
    return absl::IsResourceExhausted(status) ? status : Broken();
  }
  version = next_version;
  if (chain != nullptr) chain->Written();
  absl::MutexLock lock(&state_mutex);
  totals = after;
  anchor.version = next_version;
  anchor.time_ms = now_ms;
  if (chain != nullptr) {
    anchor.link = chain->head().number;
    anchor.seal = chain->head().seal;
  }
  return absl::OkStatus();
}

absl::StatusOr<CommitResult> WebHouse::Impl::CommitLocked(const EventBatch& given,
                                                          FactsResult* facts,
                                                          const PreparedEvents* prepared) {
  RETURN_IF_ERROR(Writable());
  RETURN_IF_ERROR(CheckSpace());
  EventBatch filtered;
  const bool filter = ForgetsAnything();
  if (filter) {
    ASSIGN_OR_RETURN(filtered, WithoutForgotten(given));
  }
  const EventBatch& batch = filter ? filtered : given;
  ASSIGN_OR_RETURN(SourceState state, Source(batch.source));
  const bool in_place = state.bytes == batch.from_bytes && state.lines == batch.from_lines;
  if (batch.replays.empty() && !in_place) {
    return absl::AbortedError(absl::StrCat(batch.source, " stands at byte ", state.bytes, ", line ",
                                           state.lines, "; the batch starts at byte ",
                                           batch.from_bytes, ", line ", batch.from_lines));
  }
  std::optional<PreparedEvents> own;
  if (prepared == nullptr || filter) {
    prepared = &own.emplace(batch.events, batch.robots, chain != nullptr ? &chain->key() : nullptr);
  }
  rocksdb::WriteBatch rows = NewBatch(prepared->bytes());
  EventWriter writer(*db, version + 1, *prepared, &rows);
  ASSIGN_OR_RETURN(CommitResult result, writer.Write());
  result.ignored = static_cast<int64_t>(given.events.size() - batch.events.size());
  CatalogueWriter catalogue(*db, &rows);
  RETURN_IF_ERROR(NoteReplaced(batch));
  RETURN_IF_ERROR(catalogue.WriteProducts(batch.products, Replaces(batch)));
  RETURN_IF_ERROR(catalogue.WriteCustomers(batch.customers));
  RETURN_IF_ERROR(PutRejects(batch, &state, &rows));
  Account(batch, result, catalogue, &state);
  PutMeta(keys::SourceKey(batch.source), EncodeRecord(state), &rows);
  Totals after = CurrentTotals();
  after.events += result.accepted + result.robot;
  after.conflicts += writer.new_conflicts();
  after.products += writer.new_products() + catalogue.new_products();
  after.rejects += static_cast<int64_t>(batch.rejects.size());
  after.rejects -= static_cast<int64_t>(batch.replays.size());
  RETURN_IF_ERROR(Write(&rows, after, writer.audit_entries()));
  for (const std::string& product : writer.changed_products()) product_cache.Erase(product);
  for (const std::string& product : catalogue.changed_products()) product_cache.Erase(product);
  if (facts != nullptr) {
    *facts = {catalogue.products() + catalogue.customers(), catalogue.unchanged()};
  }
  return result;
}

absl::StatusOr<std::shared_ptr<const PreparedEvents>> WebHouse::Prepare(
    const EventBatch& batch) const {
  RETURN_IF_ERROR(CheckBatch(batch));
  return std::make_shared<const PreparedEvents>(batch.events, batch.robots,
                                                impl_->CurrentAuditKey().get());
}

absl::StatusOr<CommitResult> WebHouse::Commit(const EventBatch& batch, Ack ack,
                                              const PreparedEvents* prepared) {
  CHECK(prepared == nullptr || prepared->size() == batch.events.size()) << "of another batch";
  RETURN_IF_ERROR(prepared == nullptr ? CheckBatch(batch) : CheckBatchFrame(batch));
  CommitResult result;
  uint64_t written;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    ASSIGN_OR_RETURN(result, impl_->CommitLocked(batch, /*facts=*/nullptr, prepared));
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
    RETURN_IF_ERROR(impl_->Writable());
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

// Group commit: whoever waited for a sync that began after their write needs none of their own. The
// watermark follows the log: it never promises what could still be lost.
absl::Status WebHouse::Impl::SyncUpTo(uint64_t wanted) {
  absl::MutexLock lock(&sync_mutex);
  if (synced_version >= wanted) return absl::OkStatus();
  AuditAnchor covered;
  {
    absl::MutexLock state_lock(&state_mutex);
    RETURN_IF_ERROR(broken);
    covered = anchor;
  }
  absl::Status status = FromRocks(db->raw()->SyncWAL(), "syncing the log");
  if (status.ok()) {
    status = watermark->Advance({covered.version, covered.time_ms, covered.link, covered.seal});
  }
  if (!status.ok()) {
    Break(status);
    return Broken();
  }
  synced_version = covered.version;
  return absl::OkStatus();
}

absl::Status WebHouse::Sync() { return impl_->SyncUpTo(impl_->version); }

absl::Status WebHouse::SpillEvents() { return impl_->db->SpillEvents(); }

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
