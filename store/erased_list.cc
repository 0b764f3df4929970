#include "store/erased_list.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

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

std::string FormatLine(absl::string_view digest, int64_t up_to_ms) {
  const std::string fact = absl::StrCat(digest, " ", up_to_ms);
  return absl::StrFormat("%s %08x\n", fact, Crc32c(fact));
}

// The bytes of the lines that are whole.
size_t WholeBytes(absl::string_view text) {
  const size_t last = text.rfind('\n');
  return last == absl::string_view::npos ? 0 : last + 1;
}

absl::StatusOr<Privacy::Erased> Parse(absl::string_view text, absl::string_view path) {
  Privacy::Erased erased;
  std::vector<absl::string_view> lines = absl::StrSplit(text.substr(0, WholeBytes(text)), '\n');
  lines.pop_back();  // behind the last line end
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::vector<absl::string_view> words = absl::StrSplit(lines[i], ' ');
    int64_t up_to_ms = 0;
    if (words.size() != 3 || !absl::SimpleAtoi(words[1], &up_to_ms) ||
        FormatLine(words[0], up_to_ms) != absl::StrCat(lines[i], "\n")) {
      return absl::DataLossError(absl::StrCat(path, ": line ", i + 1, " is damaged"));
    }
    int64_t& latest = erased[std::string(words[0])];
    latest = std::max(latest, up_to_ms);
  }
  return erased;
}

}  // namespace

absl::StatusOr<Privacy::Erased> ReadErasedList(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, limits::kErasedListBytesMax);
  if (absl::IsNotFound(text.status())) return Privacy::Erased();
  RETURN_IF_ERROR(text.status());
  return Parse(*text, path);
}

absl::Status AddToErasedList(const std::string& path, const Privacy::Erased& erased) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus("cannot open", path, errno);
  const absl::Cleanup close = [fd] { ::close(fd); };
  if (::flock(fd, LOCK_EX) != 0) return ErrnoStatus("cannot lock", path, errno);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits::kErasedListBytesMax));
  ASSIGN_OR_RETURN(const Privacy::Erased known, Parse(text, path));
  std::string lines;
  for (const auto& [digest, up_to_ms] : erased) {
    const auto it = known.find(digest);
    if (it == known.end() || it->second < up_to_ms) lines += FormatLine(digest, up_to_ms);
  }
  if (lines.empty()) return absl::OkStatus();
  // What a process that died has left of a line.
  if (::ftruncate(fd, static_cast<off_t>(WholeBytes(text))) != 0) {
    return ErrnoStatus("cannot cut", path, errno);
  }
  RETURN_IF_ERROR(WriteAll(fd, lines, path));
  if (::fsync(fd) != 0) return ErrnoStatus("cannot sync", path, errno);
  return SyncFolderOf(path);
}

}  // namespace vitrine
