#include "ingest/formats/file_window.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

// The state's size must be known here, to be a member.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"
#include "store/base/limits.h"

namespace vitrine {
namespace {

constexpr size_t kBufferBytes = 4 << 20;

}  // namespace

const size_t FileWindow::kLookAhead = limits::kLineBytesMax + 2;
static_assert(kBufferBytes >= 2 * (limits::kLineBytesMax + 2));

struct FileWindow::Hash {
  XXH3_state_t state;
};

FileWindow::FileWindow(std::string path, int fd)
    : path_(std::move(path)),
      fd_(fd),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      hash_(std::make_unique<Hash>()) {
  XXH3_64bits_reset(&hash_->state);
}

FileWindow::FileWindow(FileWindow&& other) noexcept { *this = std::move(other); }

FileWindow& FileWindow::operator=(FileWindow&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(hashed_, other.hashed_);
  std::swap(base_, other.base_);
  std::swap(at_end_, other.at_end_);
  std::swap(hash_, other.hash_);
  return *this;
}

FileWindow::~FileWindow() {
  if (fd_ >= 0) ::close(fd_);
}

absl::StatusOr<FileWindow> FileWindow::Open(const std::string& path) {
  // Without O_NONBLOCK a pipe that nobody writes would hang us before we could refuse it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  FileWindow window(path, fd);
  struct stat facts;
  if (::fstat(fd, &facts) != 0) return ErrnoStatus("cannot look at", path, errno);
  if (S_ISDIR(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory, not a file"));
  }
  if (!S_ISREG(facts.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a regular file; an import must be able to read it again"));
  }
  return window;
}

absl::Status FileWindow::Fill() {
  if (at_end_ || end_ - begin_ >= kLookAhead) return absl::OkStatus();
  HashConsumed();
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  base_ += static_cast<int64_t>(begin_);
  end_ -= begin_;
  begin_ = hashed_ = 0;
  while (end_ < kBufferBytes) {
    const ssize_t got = ::read(fd_, buffer_.get() + end_, kBufferBytes - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read", path_, errno);
    if (got == 0) {
      at_end_ = true;
      break;
    }
    end_ += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

int64_t FileWindow::Digest() {
  HashConsumed();
  return static_cast<int64_t>(XXH3_64bits_digest(&hash_->state));
}

absl::StatusOr<int64_t> FileWindow::Size() const {
  struct stat facts;
  if (::fstat(fd_, &facts) != 0) return ErrnoStatus("cannot look at", path_, errno);
  return static_cast<int64_t>(facts.st_size);
}

void FileWindow::HashConsumed() {
  XXH3_64bits_update(&hash_->state, buffer_.get() + hashed_, begin_ - hashed_);
  hashed_ = begin_;
}

}  // namespace vitrine
