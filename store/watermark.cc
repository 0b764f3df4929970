#include "store/watermark.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr absl::string_view kMagic = "VitWmrk1";
constexpr off_t kSlotOffsets[] = {0, 4096};  // two slots never share a sector
constexpr size_t kSlotBytes = 76;
constexpr size_t kFileBytes = 8192;

std::string Encode(uint64_t sequence, const Watermark::Mark& mark) {
  std::string slot(kMagic);
  AppendBigEndian(&slot, sequence);
  AppendBigEndian(&slot, mark.version);
  AppendBigEndian(&slot, static_cast<uint64_t>(mark.time_ms));
  AppendBigEndian(&slot, mark.link);
  slot.append(AsBytes(mark.seal).data(), mark.seal.size());
  const uint32_t crc = Crc32c(slot);
  for (int shift = 24; shift >= 0; shift -= 8) slot.push_back(static_cast<char>(crc >> shift));
  return slot;
}

// 0: the slot cannot be read.
uint64_t Decode(absl::string_view slot, Watermark::Mark* mark) {
  const uint64_t sequence = ReadBigEndian(slot.substr(8, 8));
  mark->version = ReadBigEndian(slot.substr(16, 8));
  mark->time_ms = static_cast<int64_t>(ReadBigEndian(slot.substr(24, 8)));
  mark->link = ReadBigEndian(slot.substr(32, 8));
  std::memcpy(mark->seal.data(), slot.data() + 40, mark->seal.size());
  return Encode(sequence, *mark) == slot ? sequence : 0;
}

}  // namespace

std::string WatermarkPath(const std::string& store_directory) {
  return absl::StrCat(store_directory, ".watermark");
}

Watermark::~Watermark() { ::close(fd_); }

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::Open(const std::string& path) {
  // Every write is to be durable when it returns; its length never changes.
  const int fd = ::open(path.c_str(), O_RDWR | O_DSYNC | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return Make(path);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  std::unique_ptr<Watermark> watermark(new Watermark(path, fd));
  RETURN_IF_ERROR(watermark->Load());
  return watermark;
}

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::OpenAnyway(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Watermark>> watermark = Open(path);
  return absl::IsDataLoss(watermark.status()) ? Make(path) : std::move(watermark);
}

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::Make(const std::string& path) {
  std::string empty(kFileBytes, '\0');
  const std::string slot = Encode(1, Mark());
  empty.replace(0, slot.size(), slot);
  RETURN_IF_ERROR(WriteFileAtomically(path, empty));
  return Open(path);
}

absl::Status Watermark::Load() {
  for (const off_t offset : kSlotOffsets) {
    char bytes[kSlotBytes] = {};
    if (::pread(fd_, bytes, sizeof(bytes), offset) < 0) {
      return ErrnoStatus("cannot read", path_, errno);
    }
    Mark mark;
    const uint64_t sequence = Decode(absl::string_view(bytes, sizeof(bytes)), &mark);
    if (sequence <= sequence_) continue;
    sequence_ = sequence;
    if (mark.version != 0) mark_ = mark;
  }
  if (sequence_ != 0) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path_, " is damaged: it is not known which writes were acknowledged"));
}

absl::Status Watermark::Advance(const Mark& mark) {
  const std::string slot = Encode(sequence_ + 1, mark);
  const off_t offset = kSlotOffsets[sequence_ % 2];
  const ssize_t written = ::pwrite(fd_, slot.data(), slot.size(), offset);
  if (written != static_cast<ssize_t>(slot.size())) {
    return ErrnoStatus("cannot write", path_, written < 0 ? errno : EIO);
  }
  ++sequence_;
  mark_ = mark;
  return absl::OkStatus();
}

}  // namespace vitrine
