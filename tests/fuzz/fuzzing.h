// What the fuzz targets share. A target is one file: bytes in, a parser run over them, and what
// must hold of the outcome CHECKed; scripts/fuzz runs them all.

#ifndef VITRINE_TESTS_FUZZ_FUZZING_H_
#define VITRINE_TESTS_FUZZ_FUZZING_H_

#include <cstdint>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "store/base/check.h"

namespace vitrine::fuzz {

inline absl::string_view Text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The first line of `*text`, taken off it with its line end.
inline absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = text->find('\n');
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(end == absl::string_view::npos ? text->size() : end + 1);
  return line;
}

template <typename T>
T Value(absl::StatusOr<T> value) {
  CHECK(value.ok()) << value.status();
  return *std::move(value);
}

// Bytes for a parser that wants a file: in memory, under a name that this process can open.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("fuzz", 0)) { CHECK(descriptor_ >= 0); }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Replaces what is in the file; its path.
  std::string Hold(absl::string_view bytes) {
    CHECK(::ftruncate(descriptor_, 0) == 0);
    CHECK(::pwrite(descriptor_, bytes.data(), bytes.size(), 0) ==
          static_cast<ssize_t>(bytes.size()));
    return absl::StrCat("/proc/self/fd/", descriptor_);
  }

 private:
  const int descriptor_;
};

}  // namespace vitrine::fuzz

#endif  // VITRINE_TESTS_FUZZ_FUZZING_H_
