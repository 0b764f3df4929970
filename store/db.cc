#include "store/db.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include "absl/strings/match.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/db_log.h"
#include "store/records_types.h"

namespace vitrine {
namespace {

constexpr const char* kTableNames[] = {"default",        "events",    "event_ids", "sessions",
                                       "customers",      "products",  "rejects",   "dirty",
                                       "customer_facts", "robots",    "links",     "conflicts",
                                       "audit",          "exposures", "ledger"};
static_assert(std::size(kTableNames) == kTables);

constexpr char kClosed[] = "the store is closed after an error of the disk; try again";

// Bounds of one site's share.
constexpr size_t kMemtableBytesMin = 1 << 20;
constexpr size_t kMemtableBytesMax = 64 << 20;
constexpr size_t kLogBytesMin = 16 << 20;
constexpr size_t kLogBytesMax = 512 << 20;
constexpr size_t kTableFilesMin = 32;
constexpr int kCacheShardBitsMax = 4;  // 16 locks are enough for a few cores
constexpr size_t kCacheShardBytesMin = 16 << 20;

}  // namespace

const char* TableName(Table table) { return kTableNames[static_cast<size_t>(table)]; }

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  const std::string message = absl::StrCat(doing, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(message);
  if (status.IsCorruption()) return absl::DataLossError(message);
  if (status.IsAborted()) return absl::UnavailableError(message);
  if (status.IsNoSpace()) return absl::ResourceExhaustedError(message);
  // RocksDB reports a lock held elsewhere as a plain IO error.
  if (status.IsIOError() && message.find("lock ") != std::string::npos) {
    return absl::FailedPreconditionError(absl::StrCat(message, " (another process has it open)"));
  }
  if (status.IsInvalidArgument()) return absl::FailedPreconditionError(message);
  return absl::InternalError(message);
}

DbBudget MakeDbBudget(size_t cache_bytes, size_t write_buffer_bytes, size_t sites,
                      size_t table_files) {
  DbBudget budget;
  // Few parts, so that the index of a large file has room in one; what indexes and filters need
  // stays when data passes by.
  int shard_bits = 0;
  while (shard_bits < kCacheShardBitsMax &&
         cache_bytes >> (shard_bits + 1) >= kCacheShardBytesMin) {
    ++shard_bits;
  }
  budget.cache = rocksdb::NewLRUCache(cache_bytes, shard_bits, /*strict_capacity_limit=*/false,
                                      /*high_pri_pool_ratio=*/0.5);
  // Charged to the cache, so that the two together keep to one number.
  budget.write_buffers =
      std::make_shared<rocksdb::WriteBufferManager>(write_buffer_bytes, budget.cache);
  const size_t share = std::max<size_t>(sites, 1);
  budget.memtable_bytes =
      std::clamp<size_t>(write_buffer_bytes / 2 / share, kMemtableBytesMin, kMemtableBytesMax);
  budget.log_bytes = std::clamp<size_t>(kLogBytesMax / share, kLogBytesMin, kLogBytesMax);
  budget.table_files = static_cast<int>(
      std::clamp<size_t>(table_files / share, kTableFilesMin, limits::kTableFilesDefault));
  return budget;
}

rocksdb::DBOptions MakeDbOptions(const DbBudget& budget, bool create) {
  rocksdb::DBOptions options;
  options.create_if_missing = create;
  options.create_missing_column_families = true;
  options.write_buffer_manager = budget.write_buffers;

  // Damage is an error, never a shorter answer.
  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  // A new one is begun soon: it names the first and the last key of files that are long gone.
  options.max_manifest_file_size = 8 << 10;
  // A torn tail is what kill -9 leaves, and holds nothing acknowledged as durable.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // A recycled log keeps old bytes: erased must mean erased.
  options.recycle_log_file_num = 0;

  // One flush and one compaction beside the request threads.
  options.max_background_jobs = 2;
  // A small table must not pin the log of a big one for ever.
  options.max_total_wal_size = budget.log_bytes;
  // A hundred sites share the process's descriptors: a table file is opened when it is read and the
  // one that was not read for longest is closed.
  options.max_open_files = budget.table_files;
  options.table_cache_numshardbits = 2;  // 64 shards cost more than the tables of a small site
  // Nobody reads RocksDB's own statistics.
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.bytes_per_sync = 1 << 20;  // spreads the disk's work instead of one burst a file
  return options;
}

rocksdb::ColumnFamilyOptions MakeTableOptions(Table table, const DbBudget& budget) {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;  // 1.1x space instead of up to 2x
  // The place of a row in memory is looked for from that of the last one (one hint, for the empty
  // prefix that all keys share): rows that are written in order need a third of the comparisons.
  // Never DeleteRange in such a table: EvidenceCollector says why.
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewCappedPrefixTransform(0));

  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = budget.cache;
  blocks.cache_index_and_filter_blocks = true;  // within the budget, not beside it
  blocks.pin_l0_filter_and_index_blocks_in_cache = true;
  // A file's index in pages: a look-up reads one of them, not a megabyte.
  blocks.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  blocks.partition_filters = true;
  blocks.metadata_block_size = 4 << 10;
  blocks.format_version = 5;

  const bool point_lookups = table == Table::kEventIds || table == Table::kCustomers ||
                             table == Table::kProducts || table == Table::kMeta ||
                             table == Table::kLedger;
  if (point_lookups) blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  if (table == Table::kEvents || table == Table::kEventIds) {
    options.write_buffer_size = budget.memtable_bytes;
  } else {
    options.write_buffer_size = budget.memtable_bytes / 4;
  }
  // What a table takes at its first row, of fifteen tables a site.
  options.arena_block_size = std::clamp<size_t>(options.write_buffer_size / 64, 8 << 10, 1 << 20);
  if (table == Table::kEventIds) {
    // Nearly every look-up here is for an id never seen: the filter answers from one cache line
    // what the skip list would answer with twenty.
    options.memtable_whole_key_filtering = true;
    options.memtable_prefix_bloom_size_ratio = 0.1;
    // Hashes do not compress.
    options.compression = rocksdb::kNoCompression;
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  return options;
}

absl::StatusOr<std::unique_ptr<Db>> Db::Open(const std::string& directory, Mode mode,
                                             const DbBudget& budget) {
  if (mode == Mode::kCreate) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return ErrnoStatus("cannot make folder", directory, error.value());
  } else if (!std::filesystem::exists(directory + "/CURRENT")) {
    return absl::NotFoundError(absl::StrCat("there is no store in ", directory));
  }

  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < kTables; ++i) {
    families.emplace_back(kTableNames[i], MakeTableOptions(static_cast<Table>(i), budget));
  }
  rocksdb::DBOptions options = MakeDbOptions(budget, mode == Mode::kCreate);
  options.create_missing_column_families = mode != Mode::kReadOnly;
  options.info_log = mode == Mode::kReadOnly ? NoDbLog() : OpenDbLog(directory);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      mode == Mode::kReadOnly
          ? rocksdb::DB::OpenForReadOnly(options, directory, families, &handles, &raw)
          : rocksdb::DB::Open(options, directory, families, &handles, &raw);
  if (!status.ok()) return FromRocks(status, absl::StrCat("cannot open the store ", directory));

  std::unique_ptr<Db> db(new Db());
  db->db_.reset(raw);
  for (size_t i = 0; i < kTables; ++i) db->handles_[i] = handles[i];
  return db;
}

Db::~Db() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    if (handle != nullptr) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
}

std::unique_ptr<Db> Db::Closed() { return std::unique_ptr<Db>(new Db()); }

absl::Status Db::GetRow(Table t, absl::string_view key, rocksdb::PinnableSlice* row) const {
  if (db_ == nullptr) return absl::UnavailableError(kClosed);
  row->Reset();
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), table(t), ToSlice(key), row);
  if (status.ok()) return absl::OkStatus();
  return FromRocks(status, absl::StrCat("reading from ", TableName(t)));
}

template <typename Record>
absl::Status Db::Get(Table t, absl::string_view key, Record* record) const {
  rocksdb::PinnableSlice row;
  RETURN_IF_ERROR(GetRow(t, key, &row));
  return DecodeRecord(FromSlice(row), record);
}

template absl::Status Db::Get(Table, absl::string_view, Customer*) const;
template absl::Status Db::Get(Table, absl::string_view, CustomerFacts*) const;
template absl::Status Db::Get(Table, absl::string_view, Event*) const;
template absl::Status Db::Get(Table, absl::string_view, Exposure*) const;
template absl::Status Db::Get(Table, absl::string_view, Reject*) const;
template absl::Status Db::Get(Table, absl::string_view, RobotVerdict*) const;
template absl::Status Db::Get(Table, absl::string_view, Product*) const;
template absl::Status Db::Get(Table, absl::string_view, SourceState*) const;
template absl::Status Db::Get(Table, absl::string_view, Totals*) const;
template absl::Status Db::Get(Table, absl::string_view, SiteSettings*) const;
template absl::Status Db::Get(Table, absl::string_view, PlacementVersion*) const;
template absl::Status Db::Get(Table, absl::string_view, ApiKey*) const;

absl::StatusOr<std::vector<rocksdb::PinnableSlice>> Db::MultiGet(
    Table t, const std::vector<rocksdb::Slice>& keys, bool sorted) const {
  if (db_ == nullptr) return absl::UnavailableError(kClosed);
  std::vector<rocksdb::PinnableSlice> rows(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet(rocksdb::ReadOptions(), table(t), keys.size(), keys.data(), rows.data(),
                statuses.data(), sorted);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) {
      rows[i].Reset();
    } else if (!statuses[i].ok()) {
      return FromRocks(statuses[i], absl::StrCat("reading from ", TableName(t)));
    }
  }
  return rows;
}

std::unique_ptr<rocksdb::Iterator> Db::Scan(Table t) const {
  using Keeper = std::shared_ptr<const Db>;
  if (db_ == nullptr) {
    return std::unique_ptr<rocksdb::Iterator>(
        rocksdb::NewErrorIterator(rocksdb::Status::Aborted(kClosed)));
  }
  std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(rocksdb::ReadOptions(), table(t)));
  if (Keeper self = weak_from_this().lock()) {
    rows->RegisterCleanup([](void* keeper, void*) { delete static_cast<Keeper*>(keeper); },
                          new Keeper(std::move(self)), nullptr);
  }
  return rows;
}

absl::StatusOr<std::string> Db::ManifestName() const {
  std::vector<std::string> files;
  uint64_t size = 0;
  RETURN_IF_ERROR(FromRocks(db_->GetLiveFiles(files, &size, /*flush_memtable=*/false),
                            "listing the files of the store"));
  for (const std::string& file : files) {
    if (absl::StartsWith(file, "/MANIFEST")) return file;
  }
  return absl::InternalError("the store names no MANIFEST");
}

absl::Status Db::Flush() const {
  if (db_ == nullptr) return absl::UnavailableError(kClosed);
  const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  return FromRocks(db_->Flush(rocksdb::FlushOptions(), all), "flushing the store");
}

absl::Status Db::SpillEvents() const {
  if (db_ == nullptr) return absl::UnavailableError(kClosed);
  uint64_t bytes = 0;
  db_->GetIntProperty(table(Table::kEvents), rocksdb::DB::Properties::kCurSizeActiveMemTable,
                      &bytes);
  if (bytes < db_->GetOptions(table(Table::kEvents)).write_buffer_size / 4) {
    return absl::OkStatus();
  }
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // else it would wait for one that is under way
  const rocksdb::Status begun =
      db_->Flush(options, {table(Table::kEvents), table(Table::kEventIds), table(Table::kAudit)});
  // Writes are stopped until tables that are being written are done: what this is for is under way.
  if (begun.IsTryAgain()) return absl::OkStatus();
  return FromRocks(begun, "flushing the events");
}

}  // namespace vitrine
