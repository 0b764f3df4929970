#include "store/backup_files.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

#include "store/base/atomic_file.h"
#include "store/base/crc32c.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kFirstLine = "vitrine backup 1";
constexpr size_t kPieceBytes = 1 << 20;

// Hands the bytes of a file over piece by piece.
absl::Status ReadPieces(const std::string& path,
                        const std::function<absl::Status(absl::string_view)>& use) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  const absl::Cleanup close = [fd] { ::close(fd); };
  std::string piece(kPieceBytes, '\0');
  while (true) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("cannot read", path, errno);
    if (got == 0) return absl::OkStatus();
    RETURN_IF_ERROR(use(absl::string_view(piece.data(), static_cast<size_t>(got))));
  }
}

// "<crc> <bytes> <mode> <path>": the path last, since it may hold blanks.
bool ParseFile(absl::string_view text, BackupFile* file) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(' ', 3));
  if (parts.size() != 4 || !absl::SimpleHexAtoi(parts[0], &file->crc32c) ||
      !absl::SimpleAtoi(parts[1], &file->bytes) || !absl::SimpleHexAtoi(parts[2], &file->mode)) {
    return false;
  }
  file->path = std::string(parts[3]);
  const bool leaves = file->path.find("..") != std::string::npos || file->path.front() == '/';
  return !file->path.empty() && !leaves;
}

bool ParseFact(absl::string_view key, absl::string_view value, BackupManifest* manifest) {
  if (key == "file") return ParseFile(value, &manifest->files.emplace_back());
  if (key == "id") return absl::SimpleAtoi(value, &manifest->id);
  if (key == "taken_at_ms") return absl::SimpleAtoi(value, &manifest->taken_at_ms);
  if (key == "version") return absl::SimpleAtoi(value, &manifest->version);
  if (key == "new_bytes") return absl::SimpleAtoi(value, &manifest->new_bytes);
  if (key == "seconds") return absl::SimpleAtod(value, &manifest->seconds);
  if (key == "site") manifest->site = std::string(value);
  return key == "site";
}

}  // namespace

int64_t BackupManifest::Bytes() const {
  int64_t sum = 0;
  for (const BackupFile& file : files) sum += file.bytes;
  return sum;
}

std::string BackupFolder::SiteFiles(uint32_t id) const { return absl::StrCat(path_, "/site/", id); }

std::string BackupFolder::ManifestPath(uint32_t id) const {
  return absl::StrCat(path_, "/manifests/", id);
}

absl::StatusOr<std::vector<uint32_t>> BackupFolder::Ids() const {
  std::vector<uint32_t> ids;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_ + "/manifests", error)) {
    uint32_t id;
    if (absl::SimpleAtoi(entry.path().filename().string(), &id)) ids.push_back(id);
  }
  if (error && error.value() != ENOENT) return ErrnoStatus("cannot list", path_, error.value());
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::StatusOr<BackupManifest> BackupFolder::ReadManifest(uint32_t id) const {
  const std::string path = ManifestPath(id);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits::kManifestBytesMax));
  absl::StatusOr<BackupManifest> manifest = ParseManifest(text);
  if (manifest.ok() && manifest->id != id) {
    return absl::DataLossError(absl::StrCat(path, ": the manifest of another backup"));
  }
  RETURN_IF_ERROR(Annotate(manifest.status(), path));
  return manifest;
}

absl::Status BackupFolder::WriteManifest(const BackupManifest& manifest) const {
  RETURN_IF_ERROR(MakePrivateFolder(path_ + "/manifests"));
  return WriteFileAtomically(ManifestPath(manifest.id), FormatManifest(manifest));
}

std::string FormatManifest(const BackupManifest& manifest) {
  std::string text = absl::StrCat(kFirstLine, "\nid ", manifest.id, "\nsite ", manifest.site,
                                  "\ntaken_at_ms ", manifest.taken_at_ms, "\nversion ",
                                  manifest.version, "\nnew_bytes ", manifest.new_bytes, "\n");
  absl::StrAppendFormat(&text, "seconds %.17g\n", manifest.seconds);
  for (const BackupFile& file : manifest.files) {
    absl::StrAppendFormat(&text, "file %08x %d %x %s\n", file.crc32c, file.bytes, file.mode,
                          file.path);
  }
  absl::StrAppendFormat(&text, "crc32c %08x\n", Crc32c(text));
  return text;
}

absl::StatusOr<BackupManifest> ParseManifest(absl::string_view text) {
  const absl::Status damaged = absl::DataLossError("the manifest is damaged");
  constexpr size_t kLastLineBytes = sizeof("crc32c 00000000\n") - 1;
  if (text.size() < kLastLineBytes) return damaged;
  const absl::string_view facts = text.substr(0, text.size() - kLastLineBytes);
  if (text.substr(facts.size()) != absl::StrFormat("crc32c %08x\n", Crc32c(facts))) return damaged;
  BackupManifest manifest;
  std::vector<absl::string_view> lines = absl::StrSplit(facts, '\n');
  if (lines.front() != kFirstLine) {
    return absl::FailedPreconditionError("the manifest was written by another version");
  }
  lines.pop_back();  // behind the last line end
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> fact =
        absl::StrSplit(lines[i], absl::MaxSplits(' ', 1));
    if (!ParseFact(fact.first, fact.second, &manifest)) return damaged;
  }
  return manifest;
}

absl::StatusOr<BackupFile> Checksum(const std::string& path) {
  BackupFile file;
  RETURN_IF_ERROR(ReadPieces(path, [&](absl::string_view piece) {
    file.crc32c = Crc32c(piece, file.crc32c);
    file.bytes += static_cast<int64_t>(piece.size());
    return absl::OkStatus();
  }));
  return file;
}

absl::StatusOr<BackupFile> CopyFileDurably(const std::string& from, const std::string& to,
                                           uint32_t mode) {
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("cannot create", to, errno);
  const absl::Cleanup close = [fd] { ::close(fd); };
  BackupFile file;
  file.mode = mode;
  RETURN_IF_ERROR(ReadPieces(from, [&](absl::string_view piece) {
    file.crc32c = Crc32c(piece, file.crc32c);
    file.bytes += static_cast<int64_t>(piece.size());
    return WriteAll(fd, piece, to);
  }));
  if (::fchmod(fd, static_cast<mode_t>(mode)) != 0) return ErrnoStatus("cannot chmod", to, errno);
  if (::fsync(fd) != 0) return ErrnoStatus("cannot sync", to, errno);
  return file;
}

absl::Status MakePrivateFolder(const std::string& path) {
  std::error_code error;
  if (fs::create_directories(path, error)) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  if (error) return ErrnoStatus("cannot make folder", path, error.value());
  return absl::OkStatus();
}

}  // namespace vitrine
