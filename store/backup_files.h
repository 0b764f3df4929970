// What a backup consists of on disk. Internal to store.

#ifndef VITRINE_STORE_BACKUP_FILES_H_
#define VITRINE_STORE_BACKUP_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/backup.h"

namespace vitrine {

// The folders and files under a backup folder.
//   db/             RocksDB's backups: meta/, private/, shared_checksum/
//   site/<id>/      the site's own files
//   manifests/<id>  what backup <id> consists of; written last, removed first
//   ERASED          who was erased since some of the backups were made (store/erased_list.h)
//   VERIFIED, RESTORED   how long that took when it was last done
class BackupFolder {
 public:
  explicit BackupFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string Tables() const { return path_ + "/db"; }
  std::string ErasedList() const { return path_ + "/ERASED"; }
  std::string SiteFiles(uint32_t id) const;
  std::string ManifestPath(uint32_t id) const;

  // Backups with a manifest, oldest first; empty if the folder is not there.
  absl::StatusOr<std::vector<uint32_t>> Ids() const;

  // NotFound, or DataLoss that names the manifest.
  absl::StatusOr<BackupManifest> ReadManifest(uint32_t id) const;
  absl::Status WriteManifest(const BackupManifest& manifest) const;

 private:
  const std::string path_;
};

// The manifest as text, a fact a line, the last of them its own CRC-32C; and back.
std::string FormatManifest(const BackupManifest& manifest);
absl::StatusOr<BackupManifest> ParseManifest(absl::string_view text);

// Size and CRC-32C of a file, read in pieces. NotFound if it is not there.
absl::StatusOr<BackupFile> Checksum(const std::string& path);

// Copies a file, synced, with these permission bits, and says what it copied. The folder must be
// there.
absl::StatusOr<BackupFile> CopyFileDurably(const std::string& from, const std::string& to,
                                           uint32_t mode);

// Makes the folder and its parents, for nobody but the owner.
absl::Status MakePrivateFolder(const std::string& path);

}  // namespace vitrine

#endif  // VITRINE_STORE_BACKUP_FILES_H_
