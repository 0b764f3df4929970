// One RocksDB with our column families, options and error codes. Internal to store.

#ifndef VITRINE_STORE_DB_H_
#define VITRINE_STORE_DB_H_

#include <array>
#include <memory>
#include <rocksdb/db.h>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/base/limits.h"

namespace vitrine {

// The column families (store/key_format.h draws their keys).
enum class Table {
  kMeta,
  kEvents,
  kEventIds,
  kSessions,
  kCustomers,
  kProducts,
  kRejects,
  kDirty,
  kCustomerFacts,
  kRobots,
  kLinks,
  kConflicts,
  kAudit,
  kExposures,
  kLedger,
};
constexpr size_t kTables = 15;

// The name of the column family on disk.
const char* TableName(Table table);

inline rocksdb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }
inline absl::string_view FromSlice(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// RocksDB's status in our codes; `doing` says what was tried.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view doing);

// What the options below share between the sites of one process.
struct DbBudget {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
  // The share of one site: of a large table's rows in memory, of the log, of open table files.
  size_t memtable_bytes = 64 << 20;
  size_t log_bytes = 512 << 20;
  int table_files = 1024;
};
DbBudget MakeDbBudget(size_t cache_bytes, size_t write_buffer_bytes, size_t sites = 1,
                      size_t table_files = limits::kTableFilesDefault);

// The options of every store, each with its reason.
rocksdb::DBOptions MakeDbOptions(const DbBudget& budget, bool create);
rocksdb::ColumnFamilyOptions MakeTableOptions(Table table, const DbBudget& budget);

// Thread-safe, as RocksDB is.
class Db : public std::enable_shared_from_this<Db> {
 public:
  enum class Mode { kCreate, kOpen, kReadOnly };
  static absl::StatusOr<std::unique_ptr<Db>> Open(const std::string& directory, Mode mode,
                                                  const DbBudget& budget);
  // One that has nothing behind it: every read gives Unavailable, and there is no raw().
  static std::unique_ptr<Db> Closed();
  ~Db();

  rocksdb::DB* raw() const { return db_.get(); }
  rocksdb::ColumnFamilyHandle* table(Table t) const { return handles_[static_cast<size_t>(t)]; }

  // The row as it is. NotFound if there is none.
  absl::Status GetRow(Table t, absl::string_view key, rocksdb::PinnableSlice* row) const;

  // Decodes the row into `*record`. NotFound if there is none.
  template <typename Record>
  absl::Status Get(Table t, absl::string_view key, Record* record) const;

  // The raw rows of `keys`; an empty slice where there is none. `sorted`: the keys are in order.
  absl::StatusOr<std::vector<rocksdb::PinnableSlice>> MultiGet(
      Table t, const std::vector<rocksdb::Slice>& keys, bool sorted = false) const;

  // The iterator keeps a Db that is held by a shared_ptr.
  std::unique_ptr<rocksdb::Iterator> Scan(Table t) const;

  // The file that says which files the store is made of, as "/MANIFEST-000005".
  absl::StatusOr<std::string> ManifestName() const;

  // Writes what memory holds to tables, so that the log is not needed to open the store again.
  absl::Status Flush() const;

  // Begins to do so for events and what is written with each of them, if that is a good part of
  // what memory may hold of them.
  absl::Status SpillEvents() const;

 private:
  Db() = default;

  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kTables> handles_ = {};
};

}  // namespace vitrine

#endif  // VITRINE_STORE_DB_H_
