// A store as somebody sees it who has RocksDB and no business there.

#ifndef VITRINE_TESTS_TESTING_RAW_STORE_H_
#define VITRINE_TESTS_TESTING_RAW_STORE_H_

#include <memory>
#include <rocksdb/db.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/testing.h"

namespace vitrine::testing {

// Open until destroyed; every failure ends the test program.
class RawStore {
 public:
  using Rows = std::vector<std::pair<std::string, std::string>>;

  explicit RawStore(const std::string& directory) {
    std::vector<std::string> names;
    Must(rocksdb::DB::ListColumnFamilies({}, directory, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* db = nullptr;
    Must(rocksdb::DB::Open({}, directory, families, &handles_, &db));
    db_.reset(db);
  }
  ~RawStore() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }

  void Put(const std::string& table, const std::string& key, const std::string& value) {
    Must(db_->Put({}, Handle(table), key, value));
  }
  void Delete(const std::string& table, const std::string& key) {
    Must(db_->Delete({}, Handle(table), key));
  }
  Rows All(const std::string& table) {
    Rows rows;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, Handle(table)));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      rows.emplace_back(it->key().ToString(), it->value().ToString());
    }
    Must(it->status());
    return rows;
  }

 private:
  static void Must(const rocksdb::Status& status) {
    if (status.ok()) return;
    ADD_FAILURE() << status.ToString();
    std::abort();
  }
  rocksdb::ColumnFamilyHandle* Handle(const std::string& table) {
    for (auto* handle : handles_) {
      if (handle->GetName() == table) return handle;
    }
    ADD_FAILURE() << "no table " << table;
    std::abort();
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_TESTING_RAW_STORE_H_
