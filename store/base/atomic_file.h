// Whole files, read at once and replaced at once.

#ifndef VITRINE_STORE_BASE_ATOMIC_FILE_H_
#define VITRINE_STORE_BASE_ATOMIC_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Replaces `path` so that a reader, or a machine that loses power, sees either the old bytes or
// all of the new ones: writes `path`.tmp in the same folder, syncs it, renames it over `path` and
// syncs the folder. On error the old file stands and the temporary one is removed.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view contents);

// Writes all of `bytes` to the open file, which errors call `path`.
absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path);

// Makes the making, renaming or removing of `path` durable.
absl::Status SyncFolderOf(const std::string& path);

// Everything in `path`. NotFound if there is no such file; InvalidArgument if it is a directory
// or longer than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes);

// Makes the names in a folder durable.
absl::Status SyncFolder(const std::string& folder);

// An error for a failed system call on `path`, with errno's text: NotFound for ENOENT,
// ResourceExhausted for a full disk, PermissionDenied, else Internal.
absl::Status ErrnoStatus(absl::string_view what, absl::string_view path, int error_number);

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_ATOMIC_FILE_H_
