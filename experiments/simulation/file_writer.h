// A file written from front to back through one large buffer.

#ifndef VITRINE_EXPERIMENTS_SIMULATION_FILE_WRITER_H_
#define VITRINE_EXPERIMENTS_SIMULATION_FILE_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace vitrine::simulation {

// Append to buffer(), then call WriteIfFull(). Not thread-safe.
class FileWriter {
 public:
  // Creates the file, or empties it.
  static absl::StatusOr<FileWriter> Create(std::string path);

  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();  // drops what was not written: Close() first

  std::string* buffer() { return &buffer_; }

  // Writes the buffer out once it is large.
  absl::Status WriteIfFull() { return buffer_.size() < kFullBytes ? absl::OkStatus() : Write(); }

  // Writes the rest. Call it once, last.
  absl::Status Close();

  int64_t bytes_written() const { return bytes_written_; }

 private:
  static constexpr size_t kFullBytes = 1 << 20;

  FileWriter(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status Write();

  std::string path_;
  int fd_;
  std::string buffer_;
  int64_t bytes_written_ = 0;
};

}  // namespace vitrine::simulation

#endif  // VITRINE_EXPERIMENTS_SIMULATION_FILE_WRITER_H_
