#include "ingest/formats/file_window.h"

#include <cstring>
#include <utility>

// The state's size must be known here, to be a member.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kBufferBytes = 4 << 20;

}  // namespace

const size_t FileWindow::kLookAhead = limits::kLineBytesMax + 2;
static_assert(kBufferBytes >= 2 * (limits::kLineBytesMax + 2));

struct FileWindow::Hash {
  XXH3_state_t state;
};

FileWindow::FileWindow(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytes)),
      hash_(std::make_unique<Hash>()) {
  XXH3_64bits_reset(&hash_->state);
}

FileWindow::FileWindow(FileWindow&&) noexcept = default;
FileWindow& FileWindow::operator=(FileWindow&&) noexcept = default;
FileWindow::~FileWindow() = default;

absl::StatusOr<FileWindow> FileWindow::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, ByteSource::Open(path));
  return FileWindow(std::move(source));
}

absl::Status FileWindow::Fill() {
  if (!damage_.ok()) {
    const bool has_line = std::memchr(buffer_.get() + begin_, '\n', end_ - begin_) != nullptr;
    return has_line ? absl::OkStatus() : damage_;
  }
  if (at_end_ || end_ - begin_ >= kLookAhead) return absl::OkStatus();
  HashConsumed();
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  base_ += static_cast<int64_t>(begin_);
  end_ -= begin_;
  begin_ = hashed_ = 0;
  while (end_ < kBufferBytes) {
    const absl::StatusOr<size_t> got = source_->Read(buffer_.get() + end_, kBufferBytes - end_);
    if (!got.ok()) {
      damage_ = got.status();
      return Fill();
    }
    if (*got == 0) {
      at_end_ = true;
      break;
    }
    end_ += *got;
  }
  return absl::OkStatus();
}

int64_t FileWindow::Digest() {
  HashConsumed();
  return static_cast<int64_t>(XXH3_64bits_digest(&hash_->state));
}

void FileWindow::HashConsumed() {
  XXH3_64bits_update(&hash_->state, buffer_.get() + hashed_, begin_ - hashed_);
  hashed_ = begin_;
}

}  // namespace vitrine
