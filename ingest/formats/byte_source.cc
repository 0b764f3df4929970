#include "ingest/formats/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <zlib.h>
#include <zstd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

constexpr size_t kPackedBufferBytes = 256 << 10;
constexpr size_t kMagicBytes = 6;
constexpr absl::string_view kGzipMagic = "\x1f\x8b";
constexpr absl::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
constexpr absl::string_view kXzMagic = absl::string_view("\xfd\x37zXZ\0", 6);
constexpr absl::string_view kBzip2Magic = "BZh";

// zstd's skippable frames, with which some of its writers begin.
bool IsSkippableFrame(absl::string_view bytes) {
  return bytes.size() >= 4 && (bytes[0] & 0xF0) == 0x50 && bytes.substr(1, 3) == "\x2a\x4d\x18";
}

// The file as it is. What was read to look at it is read again first.
class PlainSource : public ByteSource {
 public:
  PlainSource(std::string path, int fd, bool owned)
      : path_(std::move(path)), fd_(fd), owned_(owned) {}
  ~PlainSource() override {
    if (owned_) ::close(fd_);
  }

  // The first bytes of the file, without taking them.
  absl::StatusOr<absl::string_view> Peek() {
    while (peeked_ < begin_.size()) {
      ASSIGN_OR_RETURN(const size_t got,
                       ReadFile(begin_.data() + peeked_, begin_.size() - peeked_));
      if (got == 0) break;
      peeked_ += got;
    }
    return absl::string_view(begin_.data(), peeked_);
  }

  absl::StatusOr<size_t> Read(char* out, size_t bytes) override {
    if (given_ == peeked_) {
      ASSIGN_OR_RETURN(const size_t got, ReadFile(out, bytes));
      position_ += static_cast<int64_t>(got);
      return got;
    }
    const size_t again = std::min(bytes, peeked_ - given_);
    std::memcpy(out, begin_.data() + given_, again);
    given_ += again;
    position_ += static_cast<int64_t>(again);
    return again;
  }

  bool IsPlain() const override { return true; }
  int64_t FilePosition() const override { return position_; }
  absl::StatusOr<int64_t> FileSize() const override {
    struct stat facts;
    if (::fstat(fd_, &facts) != 0) return ErrnoStatus("cannot look at", path_, errno);
    return S_ISREG(facts.st_mode) ? static_cast<int64_t>(facts.st_size) : 0;
  }
  int descriptor() const override { return fd_; }
  const std::string& path() const { return path_; }

 private:
  absl::StatusOr<size_t> ReadFile(char* out, size_t bytes) {
    while (true) {
      const ssize_t got = ::read(fd_, out, bytes);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return ErrnoStatus("cannot read", path_, errno);
    }
  }

  const std::string path_;
  const int fd_;
  const bool owned_;
  std::array<char, kMagicBytes> begin_ = {};
  size_t peeked_ = 0, given_ = 0;  // bytes in `begin_`, and of them those read once more
  int64_t position_ = 0;
};

// What gzip and zstd have in common: packed bytes in, bytes out.
class PackedSource : public ByteSource {
 public:
  explicit PackedSource(std::unique_ptr<PlainSource> file)
      : file_(std::move(file)),
        packed_(std::make_unique_for_overwrite<char[]>(kPackedBufferBytes)) {}

  absl::StatusOr<size_t> Read(char* out, size_t bytes) override {
    RETURN_IF_ERROR(damage_);
    size_t made = 0;
    while (made == 0) {
      if (begin_ == end_ && !std::exchange(unread_, false)) {
        ASSIGN_OR_RETURN(end_, file_->Read(packed_.get(), kPackedBufferBytes));
        begin_ = 0;
        if (end_ == 0) {
          if (!between_) return Damaged("the file ends too early");
          return 0;
        }
      }
      RETURN_IF_ERROR(Unpack(out, bytes, &made));
    }
    unread_ = made == bytes && !between_;
    position_ += static_cast<int64_t>(made);
    return made;
  }

  bool IsPlain() const override { return false; }
  int64_t FilePosition() const override {
    return file_->FilePosition() - static_cast<int64_t>(end_ - begin_);
  }
  absl::StatusOr<int64_t> FileSize() const override { return file_->FileSize(); }
  int descriptor() const override { return file_->descriptor(); }

 protected:
  // Turns some of `packed()` into at most `bytes` at `out`.
  virtual absl::Status Unpack(char* out, size_t bytes, size_t* made) = 0;

  absl::string_view packed() const { return {packed_.get() + begin_, end_ - begin_}; }
  void Consume(size_t bytes) { begin_ += bytes; }
  // Whether the file may end here: before a member (gzip) or frame (zstd).
  void SetBetween(bool between) { between_ = between; }

  absl::Status Damaged(absl::string_view what) {
    damage_ = absl::DataLossError(absl::StrCat(file_->path(), " is damaged: ", what,
                                               ", at its byte ", FilePosition(), ", behind ",
                                               position_, " bytes that could be unpacked"));
    return damage_;
  }

 private:
  const std::unique_ptr<PlainSource> file_;
  const std::unique_ptr<char[]> packed_;
  size_t begin_ = 0, end_ = 0;
  bool between_ = true;
  bool unread_ = false;   // there was no room for all that the packed bytes gave
  int64_t position_ = 0;  // of unpacked bytes
  absl::Status damage_;
};

class GzipSource : public PackedSource {
 public:
  explicit GzipSource(std::unique_ptr<PlainSource> file) : PackedSource(std::move(file)) {
    constexpr int kGzipHeader = 16;
    ready_ = ::inflateInit2(&stream_, MAX_WBITS + kGzipHeader) == Z_OK;
  }
  ~GzipSource() override { ::inflateEnd(&stream_); }

 protected:
  absl::Status Unpack(char* out, size_t bytes, size_t* made) override {
    if (!ready_) return absl::ResourceExhaustedError("no memory to unpack gzip");
    // Tapes and block devices leave zeros behind the last member, and so gzip takes them.
    if (between_members_ && packed().front() == '\0') {
      Consume(std::min(packed().find_first_not_of('\0'), packed().size()));
      return absl::OkStatus();
    }
    between_members_ = false;
    SetBetween(false);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed().data()));
    stream_.avail_in = static_cast<uInt>(packed().size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(bytes, UINT32_MAX));
    const size_t room = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    Consume(packed().size() - stream_.avail_in);
    *made = room - stream_.avail_out;
    if (result == Z_STREAM_END) {
      between_members_ = true;
      SetBetween(true);
      ::inflateReset(&stream_);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      const absl::Status damage = Damaged(stream_.msg == nullptr ? "no gzip" : stream_.msg);
      // What came before it in this very call is still good.
      return *made > 0 ? absl::OkStatus() : damage;
    }
    return absl::OkStatus();
  }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
  bool between_members_ = true;
};

class ZstdSource : public PackedSource {
 public:
  explicit ZstdSource(std::unique_ptr<PlainSource> file)
      : PackedSource(std::move(file)), stream_(::ZSTD_createDStream()) {}
  ~ZstdSource() override { ::ZSTD_freeDStream(stream_); }

 protected:
  absl::Status Unpack(char* out, size_t bytes, size_t* made) override {
    if (stream_ == nullptr) return absl::ResourceExhaustedError("no memory to unpack zstd");
    ZSTD_inBuffer in = {packed().data(), packed().size(), 0};
    ZSTD_outBuffer unpacked = {out, bytes, 0};
    const size_t wanted = ::ZSTD_decompressStream(stream_, &unpacked, &in);
    Consume(in.pos);
    *made = unpacked.pos;
    if (::ZSTD_isError(wanted)) {
      const absl::Status damage = Damaged(::ZSTD_getErrorName(wanted));
      return *made > 0 ? absl::OkStatus() : damage;
    }
    SetBetween(wanted == 0);
    return absl::OkStatus();
  }

 private:
  ZSTD_DStream* const stream_;
};

absl::StatusOr<std::unique_ptr<PlainSource>> OpenPlain(const std::string& path) {
  if (path == kStandardInput) {
    return std::make_unique<PlainSource>("standard input", STDIN_FILENO, /*owned=*/false);
  }
  // Without O_NONBLOCK a pipe that nobody writes would hang us before we could refuse it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  auto file = std::make_unique<PlainSource>(path, fd, /*owned=*/true);
  struct stat facts;
  if (::fstat(fd, &facts) != 0) return ErrnoStatus("cannot look at", path, errno);
  if (S_ISDIR(facts.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory, not a file"));
  }
  if (!S_ISREG(facts.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a regular file; an import must be able to read it again"));
  }
  return file;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> ByteSource::Open(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<PlainSource> file, OpenPlain(path));
  ASSIGN_OR_RETURN(const absl::string_view begin, file->Peek());
  if (absl::StartsWith(begin, kGzipMagic)) return std::make_unique<GzipSource>(std::move(file));
  if (absl::StartsWith(begin, kZstdMagic) || IsSkippableFrame(begin)) {
    return std::make_unique<ZstdSource>(std::move(file));
  }
  for (const auto& [magic, name] : {std::pair(kXzMagic, "xz"), std::pair(kBzip2Magic, "bzip2")}) {
    if (!absl::StartsWith(begin, magic)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(file->path(), " is packed by ", name, ": unpack it first (", name,
                     " -dc FILE | ", "vitrine ingest ... -); gzip and zstd are read as they are"));
  }
  return file;
}

}  // namespace vitrine
