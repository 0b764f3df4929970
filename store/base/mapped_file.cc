#include "store/base/mapped_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"

namespace vitrine {

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path, size_t max_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  const absl::Cleanup close = [fd] { ::close(fd); };  // a mapping does not need it
  struct stat facts;
  if (::fstat(fd, &facts) != 0) return ErrnoStatus("cannot look at", path, errno);
  if (S_ISDIR(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory, not a file"));
  }
  const auto size = static_cast<size_t>(facts.st_size);
  if (size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is longer than the limit of ", max_bytes, " bytes"));
  }
  if (size == 0) return MappedFile(absl::string_view());
  void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (begin == MAP_FAILED) return ErrnoStatus("cannot map", path, errno);
  return MappedFile({static_cast<const char*>(begin), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, absl::string_view())) {}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace vitrine
