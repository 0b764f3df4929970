// Rows read lately, kept until they change.
//
//   uint64_t ticket;
//   std::shared_ptr<const Row> row = cache.Get(key, &ticket);
//   if (row == nullptr) {
//     row = ReadIt(key);
//     cache.Put(key, row, ticket);
//   }
//
// Whoever changes a row calls Erase after the change can be read and before it is acknowledged.
// A reader that began before the change may read the old row, but its ticket is then too old for
// Put: once Erase has returned, no Get gives the old row.

#ifndef VITRINE_STORE_BASE_ROW_CACHE_H_
#define VITRINE_STORE_BASE_ROW_CACHE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace vitrine {

// How often a row that was asked for was there.
struct CacheCounts {
  int64_t hits = 0;
  int64_t misses = 0;
};

// Thread-safe. O(1).
template <typename Row>
class RowCache {
 public:
  // Holds about `rows_max` rows; a part of it that is full is emptied.
  explicit RowCache(size_t rows_max) : shard_rows_max_(rows_max / kShards + 1) {}

  // The row, or null and the ticket to Put it with.
  std::shared_ptr<const Row> Get(absl::string_view key, uint64_t* ticket) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    *ticket = shard.erasures;
    const auto it = shard.rows.find(key);
    const bool there = it != shard.rows.end();
    ++(there ? shard.counts.hits : shard.counts.misses);
    return there ? it->second : nullptr;
  }

  // Nothing if a row of the same part was erased since the ticket was given.
  void Put(absl::string_view key, std::shared_ptr<const Row> row, uint64_t ticket) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    if (shard.erasures != ticket) return;
    if (shard.rows.size() >= shard_rows_max_) shard.rows.clear();
    shard.rows.insert_or_assign(std::string(key), std::move(row));
  }

  CacheCounts Counts() {
    CacheCounts sum;
    for (Shard& shard : shards_) {
      absl::MutexLock lock(&shard.mutex);
      sum.hits += shard.counts.hits;
      sum.misses += shard.counts.misses;
    }
    return sum;
  }

  // Those that are there now, in no order. O(rows).
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (Shard& shard : shards_) {
      absl::MutexLock lock(&shard.mutex);
      for (const auto& [key, row] : shard.rows) keys.push_back(key);
    }
    return keys;
  }

  // All of them.
  void Clear() {
    for (Shard& shard : shards_) {
      absl::MutexLock lock(&shard.mutex);
      ++shard.erasures;
      shard.rows.clear();
    }
  }

  void Erase(absl::string_view key) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    ++shard.erasures;
    shard.rows.erase(key);
  }

 private:
  static constexpr size_t kShards = 64;

  struct Shard {
    absl::Mutex mutex;
    uint64_t erasures ABSL_GUARDED_BY(mutex) = 0;
    CacheCounts counts ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<std::string, std::shared_ptr<const Row>> rows ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardOf(absl::string_view key) {
    return shards_[absl::Hash<absl::string_view>()(key) % kShards];
  }

  const size_t shard_rows_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_ROW_CACHE_H_
