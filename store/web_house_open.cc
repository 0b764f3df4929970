// Opening a WebHouse, and opening it again after a write has failed.

#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

// How long readers may hold up a reopening, and how soon a failed one is tried again: a service
// that has space again is back within five seconds.
constexpr absl::Duration kReadersPatience = absl::Seconds(1);
constexpr int64_t kReopenPauseNs = 1'000'000'000;

std::string Utc(int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

}  // namespace

struct StoreBudget::Impl {
  DbBudget budget;
};

StoreBudget::StoreBudget(size_t cache_bytes, size_t write_buffer_bytes, size_t sites,
                         size_t table_files)
    : impl_(new Impl{MakeDbBudget(cache_bytes, write_buffer_bytes, sites, table_files)}) {}
StoreBudget::~StoreBudget() = default;

WebHouse::WebHouse(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// What stands only in the log would be read again, row by row, at the next opening: seconds where
// opening tables takes milliseconds.
WebHouse::~WebHouse() {
  if (impl_->read_only) return;
  absl::MutexLock lock(&impl_->commit_mutex);
  if (!impl_->Broken().ok()) return;
  impl_->db->Flush().IgnoreError();
  impl_->SyncUpTo(impl_->version).IgnoreError();
}

std::string AuditKeyPath(const std::string& store_directory) {
  return (std::filesystem::path(store_directory).parent_path() / "audit.key").string();
}

absl::StatusOr<std::unique_ptr<WebHouse>> WebHouse::Open(const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (options.audit_key_path.empty()) {
    impl->options.audit_key_path = AuditKeyPath(options.directory);
  }
  impl->budget = options.budget != nullptr ? options.budget->impl_->budget
                                           : MakeDbBudget(256 << 20, 128 << 20);
  {
    absl::MutexLock lock(&impl->commit_mutex);
    ASSIGN_OR_RETURN(std::unique_ptr<Db> opened,
                     Db::Open(options.directory,
                              options.create ? Db::Mode::kCreate : Db::Mode::kOpen, impl->budget));
    impl->db.Set(std::move(opened));
    RETURN_IF_ERROR(Annotate(impl->Prepare(options.accept_loss), options.directory));
  }
  return std::unique_ptr<WebHouse>(new WebHouse(std::move(impl)));
}

absl::StatusOr<std::unique_ptr<WebHouse>> WebHouse::OpenCheckpoint(const std::string& directory) {
  auto impl = std::make_unique<Impl>();
  impl->read_only = true;
  ASSIGN_OR_RETURN(std::unique_ptr<Db> opened,
                   Db::Open(directory, Db::Mode::kReadOnly, MakeDbBudget(64 << 20, 1 << 20)));
  impl->db.Set(std::move(opened));
  RETURN_IF_ERROR(Annotate(impl->Load(), directory));
  return std::unique_ptr<WebHouse>(new WebHouse(std::move(impl)));
}

absl::Status WebHouse::Impl::Prepare(bool accept_loss) {
  rocksdb::PinnableSlice format;
  const absl::Status found = db->GetRow(Table::kMeta, kFormatKey, &format);
  if (absl::IsNotFound(found)) RETURN_IF_ERROR(WriteNewStore());
  RETURN_IF_ERROR(Load());
  RETURN_IF_ERROR(OpenChain());
  const std::string path = WatermarkPath(options.directory);
  if (watermark == nullptr) {
    ASSIGN_OR_RETURN(watermark, accept_loss ? Watermark::OpenAnyway(path) : Watermark::Open(path));
  }
  const absl::Status lost = CheckWatermark();
  if (lost.ok() || !accept_loss) return lost;
  const Watermark::Mark& mark = *watermark->mark();
  if (chain != nullptr) {
    chain->Note("accepted_loss", absl::StrCat("versions ", version + 1, " to ", mark.version,
                                              ", the last of ", Utc(mark.time_ms)));
  }
  rocksdb::WriteBatch rows = NewBatch();
  RETURN_IF_ERROR(Write(&rows, CurrentTotals()));
  return SyncUpTo(version);
}

// The key first: a store without its key is an error, a key without a store is none.
absl::Status WebHouse::Impl::WriteNewStore() {
  rocksdb::WriteBatch batch = NewBatch();
  std::string format;
  AppendBigEndian(&format, kStoreFormat);
  PutMeta(kFormatKey, format, &batch);
  if (options.audit) {
    absl::StatusOr<std::shared_ptr<const AuditKey>> key = AuditKey::Read(options.audit_key_path);
    if (absl::IsNotFound(key.status())) key = AuditKey::Make(options.audit_key_path);
    RETURN_IF_ERROR(key.status());
    PutMeta(kAuditKeyIdKey, (*key)->id(), &batch);
  }
  return FromRocks(db->raw()->Write(rocksdb::WriteOptions(), &batch), "writing a new store");
}

absl::Status WebHouse::Impl::OpenChain() {
  rocksdb::PinnableSlice id;
  const absl::Status found = db->GetRow(Table::kMeta, kAuditKeyIdKey, &id);
  if (absl::IsNotFound(found)) return absl::OkStatus();
  RETURN_IF_ERROR(found);
  const std::string& path = options.audit_key_path;
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
  chain = std::make_unique<AuditChain>(*key);
  RETURN_IF_ERROR(chain->Load(*db));
  absl::MutexLock state_lock(&state_mutex);
  anchor.link = chain->head().number;
  anchor.seal = chain->head().seal;
  anchor.key_id = chain->key().id();
  audit_key = *std::move(key);
  return absl::OkStatus();
}

// Reads what is kept in memory and checks the accounting.
absl::Status WebHouse::Impl::Load() {
  rocksdb::PinnableSlice row;
  RETURN_IF_ERROR(db->GetRow(Table::kMeta, kFormatKey, &row));
  if (row.size() != 8 || ReadBigEndian(FromSlice(row)) != kStoreFormat) {
    return absl::FailedPreconditionError("the store was written in another format");
  }
  absl::Status status = db->GetRow(Table::kMeta, kVersionKey, &row);
  if (status.ok()) version = ReadBigEndian(FromSlice(row));
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  absl::MutexLock lock(&state_mutex);
  status = db->Get(Table::kMeta, kTotalsKey, &totals);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  status = db->Get(Table::kMeta, kSettingsKey, &settings);
  if (!status.ok() && !absl::IsNotFound(status)) return status;
  anchor.version = version;
  anchor.time_ms = options.clock->NowMs();
  RETURN_IF_ERROR(LoadForgotten());
  return CheckSums(totals);
}

// Nothing that was acknowledged as durable is missing, and the audit chain still ends, or goes on,
// as it did then.
absl::Status WebHouse::Impl::CheckWatermark() const {
  if (!watermark->mark().has_value()) return absl::OkStatus();
  const Watermark::Mark& mark = *watermark->mark();
  constexpr absl::string_view kWhatToDo =
      "Restore a backup; or open it as it is with --accept-loss, and have the senders send again";
  if (mark.version > version) {
    return absl::DataLossError(absl::StrCat(
        "writes ", version + 1, " to ", mark.version, ", the last of ", Utc(mark.time_ms),
        ", were acknowledged as durable and are missing: the log was damaged, cut or removed, or "
        "the folder is an older copy. ",
        kWhatToDo));
  }
  if (chain == nullptr || mark.link == 0) return absl::OkStatus();
  rocksdb::PinnableSlice row;
  const absl::Status found = db->GetRow(Table::kAudit, keys::AuditKeyOf(mark.link), &row);
  if (!found.ok() && !absl::IsNotFound(found)) return found;
  if (found.ok() && absl::StartsWith(FromSlice(row), AsBytes(mark.seal))) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("link ", mark.link, " of the audit chain, of ", Utc(mark.time_ms), ", is ",
                   found.ok() ? "another than" : "missing that",
                   " was acknowledged: somebody changed the store. ", kWhatToDo));
}

// After a failed write. Readers wait for the tenth of a second that it takes.
absl::Status WebHouse::Impl::Reopen() {
  const int64_t now_ns = options.clock->SteadyNs();
  if (now_ns < reopen_after_ns) return Broken();
  reopen_after_ns = now_ns + kReopenPauseNs;
  RETURN_IF_ERROR(CheckSpace());
  absl::Status status;
  {
    absl::MutexLock lock(&sync_mutex);
    status = db.Replace(kReadersPatience,
                        [this] { return Db::Open(options.directory, Db::Mode::kOpen, budget); });
  }
  if (status.ok()) status = Annotate(Prepare(/*accept_loss=*/false), options.directory);
  // What the disk refuses now it may grant later.
  if (absl::IsInternal(status)) status = absl::UnavailableError(status.message());
  product_cache.Clear();
  absl::MutexLock lock(&state_mutex);
  broken = status;
  return status;
}

}  // namespace vitrine
