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
  // Holds at most about `rows_max` rows: those used last, and from half of that on some of those
  // used before.
  explicit RowCache(size_t rows_max) : shard_rows_max_(rows_max / kShards + 1) {}

  // The row, or null and the ticket to Put it with.
  std::shared_ptr<const Row> Get(absl::string_view key, uint64_t* ticket) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    *ticket = shard.erasures;
    const auto it = shard.used.find(key);
    if (it != shard.used.end()) {
      ++shard.counts.hits;
      return it->second;
    }
    const auto old = shard.older.find(key);
    if (old == shard.older.end()) {
      ++shard.counts.misses;
      return nullptr;
    }
    ++shard.counts.hits;
    std::shared_ptr<const Row> row = std::move(old->second);
    shard.older.erase(old);
    Insert(shard, key, row);
    return row;
  }

  // Nothing if a row of the same part was erased since the ticket was given.
  void Put(absl::string_view key, std::shared_ptr<const Row> row, uint64_t ticket) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    if (shard.erasures != ticket) return;
    shard.older.erase(key);
    Insert(shard, key, std::move(row));
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
      for (const auto& [key, row] : shard.older) keys.push_back(key);
      for (const auto& [key, row] : shard.used) keys.push_back(key);
    }
    return keys;
  }

  // All of them.
  void Clear() {
    for (Shard& shard : shards_) {
      absl::MutexLock lock(&shard.mutex);
      ++shard.erasures;
      shard.used.clear();
      shard.older.clear();
    }
  }

  void Erase(absl::string_view key) {
    Shard& shard = ShardOf(key);
    absl::MutexLock lock(&shard.mutex);
    ++shard.erasures;
    shard.used.erase(key);
    shard.older.erase(key);
  }

 private:
  static constexpr size_t kShards = 64;

  using Rows = absl::flat_hash_map<std::string, std::shared_ptr<const Row>>;

  // Two generations: what is used moves to the one in use, and when that is full it becomes the
  // older one, whose rows nobody has used since.
  struct Shard {
    mutable absl::Mutex mutex;
    uint64_t erasures ABSL_GUARDED_BY(mutex) = 0;
    Rows used ABSL_GUARDED_BY(mutex);
    Rows older ABSL_GUARDED_BY(mutex);
    CacheCounts counts ABSL_GUARDED_BY(mutex);
  };

  void Insert(Shard& shard, absl::string_view key, std::shared_ptr<const Row> row)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex) {
    if (2 * shard.used.size() >= shard_rows_max_) {
      shard.older = std::move(shard.used);
      shard.used = Rows();
    }
    shard.used.insert_or_assign(std::string(key), std::move(row));
  }

  Shard& ShardOf(absl::string_view key) {
    return shards_[absl::Hash<absl::string_view>()(key) % kShards];
  }

  const size_t shard_rows_max_;
  std::array<Shard, kShards> shards_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_ROW_CACHE_H_
