// How much room a disk has.

#ifndef VITRINE_STORE_BASE_DISK_SPACE_H_
#define VITRINE_STORE_BASE_DISK_SPACE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace vitrine {

struct DiskSpace {
  int64_t free_bytes = 0;  // for us: what is reserved for root is not
  int64_t total_bytes = 0;
};

// Of the disk that `path` is on.
absl::StatusOr<DiskSpace> DiskSpaceOf(const std::string& path);

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_DISK_SPACE_H_
