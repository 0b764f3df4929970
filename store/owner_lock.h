// One process owns a site. Whoever opens it takes the lock; whoever finds it taken learns where
// the owner listens.
//
//   StatusOr<OwnerLock> lock = OwnerLock::Take("data/gifts");
//   if (absl::IsFailedPrecondition(lock.status())) { ReadOwner("data/gifts") ... }

#ifndef VITRINE_STORE_OWNER_LOCK_H_
#define VITRINE_STORE_OWNER_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vitrine {

// Held until destroyed, or until the process ends in any way (flock on <directory>/OWNER).
class OwnerLock {
 public:
  // Makes the directory if absent. FailedPrecondition with the owner's pid if it is taken.
  static absl::StatusOr<OwnerLock> Take(const std::string& directory);

  OwnerLock(OwnerLock&& other) noexcept;
  OwnerLock& operator=(OwnerLock&&) = delete;
  ~OwnerLock();

  // Tells others where this owner listens ("127.0.0.1:9090,127.0.0.1:9091"), and whoever may read
  // this user's own files (<directory>/OWNER.key, mode 0600) with which key; both empty: nowhere.
  absl::Status Announce(const std::string& address, const std::string& key = "");

 private:
  OwnerLock(int fd, std::string directory) : fd_(fd), directory_(std::move(directory)) {}
  int fd_;
  std::string directory_;
};

struct Owner {
  int pid = 0;
  std::string address;  // empty: a command that serves nobody
  std::string key;      // empty: there is none, or it is not ours to read
};

// Who holds the lock; NotFound if nobody does.
absl::StatusOr<Owner> ReadOwner(const std::string& directory);

}  // namespace vitrine

#endif  // VITRINE_STORE_OWNER_LOCK_H_
