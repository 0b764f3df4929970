// A file seen through a window that slides forward in big reads, hashing what it leaves behind.

#ifndef VITRINE_INGEST_FORMATS_FILE_WINDOW_H_
#define VITRINE_INGEST_FORMATS_FILE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Memory: one buffer of 4 MiB, whatever the file holds.
class FileWindow {
 public:
  // NotFound where there is no file; InvalidArgument for a directory, a pipe or a device.
  static absl::StatusOr<FileWindow> Open(const std::string& path);

  FileWindow(FileWindow&&) noexcept;
  FileWindow& operator=(FileWindow&&) noexcept;
  ~FileWindow();

  // Brings at least `kLookAhead` unread bytes into view, or all that are left. O(1) amortised per
  // byte. Views from before are then no longer valid.
  absl::Status Fill();

  // The unread bytes in view.
  absl::string_view View() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // Whether the file ends where the view does.
  bool EndsInView() const { return at_end_; }

  // Leaves the next `bytes` behind. REQUIRES: that many are in view.
  void Consume(size_t bytes) { begin_ += bytes; }

  // Bytes left behind since the beginning of the file, and their XXH3-64.
  int64_t Position() const { return base_ + static_cast<int64_t>(begin_); }
  int64_t Digest();

  // The file's length now.
  absl::StatusOr<int64_t> Size() const;

  // More than the longest line that is kept, and its line end.
  static const size_t kLookAhead;

 private:
  struct Hash;  // XXH3's streaming state
  FileWindow(std::string path, int fd);

  void HashConsumed();

  std::string path_;
  int fd_ = -1;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;  // unread bytes are [begin_, end_) of the buffer
  size_t end_ = 0;
  size_t hashed_ = 0;  // bytes of the buffer that are in `hash_`; <= begin_
  int64_t base_ = 0;   // file offset of the buffer
  bool at_end_ = false;
  std::unique_ptr<Hash> hash_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_FILE_WINDOW_H_
