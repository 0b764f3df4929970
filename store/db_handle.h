// The web house's RocksDB, which can be closed and opened again under its readers: after a failed
// write that is the only way on (store/README.md), and the process has other sites to serve.
//
//   db->Get(...)      holds the database open until the end of the expression
//   db->Scan(...)     and an iterator until it is destroyed

#ifndef VITRINE_STORE_DB_HANDLE_H_
#define VITRINE_STORE_DB_HANDLE_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "store/db.h"

namespace vitrine {

// Thread-safe.
class DbHandle {
 public:
  // Waits while the database is being replaced. Never null after the first Set. Whoever holds it
  // for long puts off a replacement.
  std::shared_ptr<Db> Hold() const {
    absl::ReaderMutexLock lock(&mutex_);
    return db_;
  }
  std::shared_ptr<Db> operator->() const { return Hold(); }
  // REQUIRES: nobody calls Replace meanwhile (the web house: commit_mutex is held).
  Db& operator*() const { return *Hold(); }

  void Set(std::shared_ptr<Db> db) {
    absl::MutexLock lock(&mutex_);
    db_ = std::move(db);
  }

  // Waits until nobody reads, closes the database and opens another with `open`; readers that come
  // in between wait. Unavailable, and nothing has changed, if some still read after `patience`. If
  // `open` fails its error is returned, and readers get errors until a later Replace.
  absl::Status Replace(absl::Duration patience,
                       const std::function<absl::StatusOr<std::unique_ptr<Db>>()>& open);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<Db> db_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_STORE_DB_HANDLE_H_
