// A whole file, to be read where the system keeps it.

#ifndef VITRINE_STORE_BASE_MAPPED_FILE_H_
#define VITRINE_STORE_BASE_MAPPED_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// For files that are written once and replaced by renaming (WriteFileAtomically): what is mapped
// stays as it was opened, though the name be gone. A file that somebody writes to or cuts short in
// place is beyond what this can promise: its bytes change, and reading what is gone ends the
// process.
class MappedFile {
 public:
  // NotFound if there is no such file; InvalidArgument if it is a directory or longer than
  // `max_bytes`. Nothing is read yet.
  static absl::StatusOr<MappedFile> Open(const std::string& path, size_t max_bytes);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  // Begins at a page; as long as this object lives.
  absl::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(absl::string_view bytes) : bytes_(bytes) {}

  absl::string_view bytes_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_MAPPED_FILE_H_
