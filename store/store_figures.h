// How a site's store is doing, for those who watch it.

#ifndef VITRINE_STORE_STORE_FIGURES_H_
#define VITRINE_STORE_STORE_FIGURES_H_

#include <cstdint>

#include "absl/status/status.h"

#include "store/base/disk_space.h"
#include "store/base/row_cache.h"

namespace vitrine {

struct StoreFigures {
  // OK, or why writes fail until the store has been opened again.
  absl::Status broken;
  // RocksDB takes no writes, or takes them slowly, until compaction has caught up.
  bool writes_stopped = false;
  bool writes_delayed = false;

  int64_t table_bytes = 0;               // live table files
  int64_t memtable_bytes = 0;            // rows not yet in tables
  int64_t pending_compaction_bytes = 0;  // to be rewritten, as RocksDB estimates

  DiskSpace disk;                   // where the store stands; 0 of 0 if it does not say
  int64_t disk_bytes_reserved = 0;  // with less free nothing is written

  int64_t exposures_written = 0;  // since the store was opened
  CacheCounts products;           // rows of the catalogue, asked for by id
};

}  // namespace vitrine

#endif  // VITRINE_STORE_STORE_FIGURES_H_
