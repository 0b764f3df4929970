#include "store/base/disk_space.h"

#include <cerrno>
#include <sys/statvfs.h>

#include "store/base/atomic_file.h"

namespace vitrine {

absl::StatusOr<DiskSpace> DiskSpaceOf(const std::string& path) {
  struct statvfs facts;
  if (::statvfs(path.c_str(), &facts) != 0) {
    return ErrnoStatus("cannot ask for the free space of", path, errno);
  }
  const auto unit = static_cast<int64_t>(facts.f_frsize);
  return DiskSpace{static_cast<int64_t>(facts.f_bavail) * unit,
                   static_cast<int64_t>(facts.f_blocks) * unit};
}

}  // namespace vitrine
