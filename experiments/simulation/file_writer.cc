#include "experiments/simulation/file_writer.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/string_view.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

namespace vitrine::simulation {

absl::StatusOr<FileWriter> FileWriter::Create(std::string path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoStatus("cannot create", path, errno);
  return FileWriter(std::move(path), fd);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      bytes_written_(other.bytes_written_) {}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status FileWriter::Close() {
  RETURN_IF_ERROR(Write());
  // Some file systems tell only here that the disk is full.
  if (::close(std::exchange(fd_, -1)) != 0) return ErrnoStatus("cannot close", path_, errno);
  return absl::OkStatus();
}

absl::Status FileWriter::Write() {
  absl::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("cannot write", path_, errno);
    rest.remove_prefix(static_cast<size_t>(written));
    bytes_written_ += written;
  }
  buffer_.clear();
  return absl::OkStatus();
}

}  // namespace vitrine::simulation
