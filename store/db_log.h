// RocksDB's own log of what worries it, in a file that may fail: RocksDB 7.8's logger, as Debian
// builds it, ends the process at the second line that a full disk refuses.

#ifndef VITRINE_STORE_DB_LOG_H_
#define VITRINE_STORE_DB_LOG_H_

#include <memory>
#include <rocksdb/env.h>
#include <string>

namespace vitrine {

// Warnings and errors to <directory>/LOG, begun anew when it has grown beyond
// limits::kDbLogBytesMax. What cannot be written is dropped.
std::shared_ptr<rocksdb::Logger> OpenDbLog(const std::string& directory);

// Keeps nothing: for a copy that is only read.
std::shared_ptr<rocksdb::Logger> NoDbLog();

}  // namespace vitrine

#endif  // VITRINE_STORE_DB_LOG_H_
