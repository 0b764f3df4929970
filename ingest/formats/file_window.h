// An input seen through a window that slides forward in big reads, hashing what it leaves behind.
// Positions are those in what the input holds, whether it is packed (byte_source.h) or not.

#ifndef VITRINE_INGEST_FORMATS_FILE_WINDOW_H_
#define VITRINE_INGEST_FORMATS_FILE_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/byte_source.h"

namespace vitrine {

// Memory: one buffer of 4 MiB, whatever the file holds.
class FileWindow {
 public:
  // As ByteSource::Open.
  static absl::StatusOr<FileWindow> Open(const std::string& path);

  FileWindow(FileWindow&&) noexcept;
  FileWindow& operator=(FileWindow&&) noexcept;
  ~FileWindow();

  // Brings at least `kLookAhead` unread bytes into view, or all that are left. O(1) amortised per
  // byte. Views from before are then no longer valid. Where the input is damaged, the whole lines
  // before that are given first: the error comes when none is in view any more.
  absl::Status Fill();

  // Why there is no more than what is in view, if that is no end.
  const absl::Status& damage() const { return damage_; }

  // A file that was at its end may have grown since: Fill() reads on.
  void LookAgain() { at_end_ = false; }

  // The unread bytes in view.
  absl::string_view View() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // Whether the file ends where the view does.
  bool EndsInView() const { return at_end_; }

  // Leaves the next `bytes` behind. REQUIRES: that many are in view.
  void Consume(size_t bytes) { begin_ += bytes; }

  // Bytes left behind since the beginning of the file, and their XXH3-64.
  int64_t Position() const { return base_ + static_cast<int64_t>(begin_); }
  int64_t Digest();

  // The input itself.
  const ByteSource& source() const { return *source_; }

  // More than the longest line that is kept, and its line end.
  static const size_t kLookAhead;

 private:
  struct Hash;  // XXH3's streaming state
  explicit FileWindow(std::unique_ptr<ByteSource> source);

  void HashConsumed();

  std::unique_ptr<ByteSource> source_;
  std::unique_ptr<char[]> buffer_;
  size_t begin_ = 0;  // unread bytes are [begin_, end_) of the buffer
  size_t end_ = 0;
  size_t hashed_ = 0;  // bytes of the buffer that are in `hash_`; <= begin_
  int64_t base_ = 0;   // position of the buffer's first byte
  bool at_end_ = false;
  absl::Status damage_;
  std::unique_ptr<Hash> hash_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_FILE_WINDOW_H_
