#include "store/owner_lock.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kOwnerBytesMax = 4096;

std::string OwnerPath(const std::string& directory) { return directory + "/OWNER"; }
std::string KeyPath(const std::string& directory) { return directory + "/OWNER.key"; }

// "<pid> <address>\n", written in place: a rename would leave the lock on the old file.
absl::Status WriteOwner(int fd, const std::string& address) {
  const std::string text = absl::StrCat(::getpid(), " ", address, "\n");
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return ErrnoStatus("cannot write", "OWNER", errno);
  }
  return absl::OkStatus();
}

// A file of its own, since OWNER is for everybody; made anew, so that no one has it open.
absl::Status WriteKey(const std::string& directory, const std::string& key) {
  const std::string path = KeyPath(directory);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return ErrnoStatus("cannot remove", path, errno);
  }
  if (key.empty()) return absl::OkStatus();
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("cannot make", path, errno);
  const absl::Status written = WriteAll(fd, key, path);
  ::close(fd);
  return written;
}

}  // namespace

absl::StatusOr<OwnerLock> OwnerLock::Take(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return ErrnoStatus("cannot make folder", directory, error.value());
  const std::string path = OwnerPath(directory);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  OwnerLock lock(fd, directory);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    absl::StatusOr<Owner> owner = ReadOwner(directory);
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is in use by process ", owner.ok() ? owner->pid : 0));
  }
  RETURN_IF_ERROR(WriteOwner(fd, ""));
  return lock;
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), directory_(std::move(other.directory_)) {}

OwnerLock::~OwnerLock() {
  if (fd_ >= 0) ::close(fd_);  // gives the lock back
}

absl::Status OwnerLock::Announce(const std::string& address, const std::string& key) {
  // Whoever finds the address shall find the key.
  RETURN_IF_ERROR(WriteKey(directory_, key));
  return WriteOwner(fd_, address);
}

absl::StatusOr<Owner> ReadOwner(const std::string& directory) {
  const std::string path = OwnerPath(directory);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  const bool is_free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  if (is_free) return absl::NotFoundError(absl::StrCat("nobody owns ", directory));

  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kOwnerBytesMax));
  const std::vector<std::string> words = absl::StrSplit(absl::StripSuffix(text, "\n"), ' ');
  Owner owner;
  if (words.size() != 2 || !absl::SimpleAtoi(words[0], &owner.pid)) {
    return absl::UnavailableError(absl::StrCat(path, " is being written"));
  }
  owner.address = words[1];
  if (absl::StatusOr<std::string> key = ReadFile(KeyPath(directory), kOwnerBytesMax); key.ok()) {
    owner.key = *std::move(key);
  }
  return owner;
}

}  // namespace vitrine
