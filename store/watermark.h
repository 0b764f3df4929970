// How far a store is known to be on disk, kept beside it in a small file of our own: RocksDB opens
// a log with damaged or missing bytes without a word, at the last write before them. Whoever opens
// the store compares what is there with the mark and knows whether anything acknowledged is
// missing.
//
//   slot   | magic (8) | sequence (8) | version (8) | time_ms (8) | link (8) | seal (32) | crc32c
//   (4) |
//
// Two slots, at bytes 0 and 4096, written in turn: one that is torn by a loss of power was not
// acknowledged, and the other holds. Of two good ones the higher sequence counts. Numbers are
// big-endian. DO NOT CHANGE any of it without a new magic.

#ifndef VITRINE_STORE_WATERMARK_H_
#define VITRINE_STORE_WATERMARK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/base/hmac.h"

namespace vitrine {

// Not thread-safe.
class Watermark {
 public:
  struct Mark {
    uint64_t version = 0;  // the last write that is durable
    int64_t time_ms = 0;   // when it was made
    uint64_t link = 0;     // the audit chain's last link then; 0: none
    Hmac::Digest seal = {};
  };

  // Makes the file if there is none. DataLoss if it is there and neither slot can be read.
  static absl::StatusOr<std::unique_ptr<Watermark>> Open(const std::string& path);
  // A file that cannot be read is begun again.
  static absl::StatusOr<std::unique_ptr<Watermark>> OpenAnyway(const std::string& path);

  ~Watermark();
  Watermark(const Watermark&) = delete;
  Watermark& operator=(const Watermark&) = delete;

  // None before the first Advance.
  const std::optional<Mark>& mark() const { return mark_; }

  // Durable when it returns: one write of 76 bytes in place and one flush of the disk.
  absl::Status Advance(const Mark& mark);

 private:
  Watermark(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  static absl::StatusOr<std::unique_ptr<Watermark>> Make(const std::string& path);
  absl::Status Load();

  const std::string path_;
  const int fd_;
  uint64_t sequence_ = 0;
  std::optional<Mark> mark_;
};

// <store's folder>.watermark
std::string WatermarkPath(const std::string& store_directory);

}  // namespace vitrine

#endif  // VITRINE_STORE_WATERMARK_H_
