// The bytes of an input, unpacked if they are packed.

#ifndef VITRINE_INGEST_FORMATS_BYTE_SOURCE_H_
#define VITRINE_INGEST_FORMATS_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// The name of standard input.
constexpr absl::string_view kStandardInput = "-";

// Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Opens a regular file, or standard input, and looks at its first bytes: gzip (several members
  // behind each other, too) and zstd (several frames) are unpacked, whatever the name says.
  // NotFound where there is no file; InvalidArgument for a directory, a pipe, a device, and for
  // what is packed in another way.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(const std::string& path);

  // Reads up to `bytes` > 0 into `out`; 0: the input is at its end (a plain file that grows has
  // more later). DataLoss if what is packed is damaged or ends too early, with the position in the
  // file and in what it holds.
  virtual absl::StatusOr<size_t> Read(char* out, size_t bytes) = 0;

  // Whether the bytes are those of the file.
  virtual bool IsPlain() const = 0;

  // Bytes of the file that have been read, and that it has now (0: not known).
  virtual int64_t FilePosition() const = 0;
  virtual absl::StatusOr<int64_t> FileSize() const = 0;

  // The file itself.
  virtual int descriptor() const = 0;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_BYTE_SOURCE_H_
