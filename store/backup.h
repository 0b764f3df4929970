// Copies of a site, made while it serves, kept in another folder and checked before they are
// needed.
//
//   ASSIGN_OR_RETURN(BackupManifest made, MakeBackup(house, "gifts", "data/gifts",
//   {"/bak/gifts"})); RETURN_IF_ERROR(RestoreBackup("/bak/gifts", made.id, "data/gifts",
//   clock).status());
//
// A backup is the tables (RocksDB's BackupEngine: a table file is copied once and shared by all
// backups that hold it) and the site's own files: the model that answers, and every file beside it
// (the key and the watermark of the audit chain). A manifest of ours names every file with its
// length and CRC-32C; it is written last, so a backup that was interrupted is none.
//
// Who may write to a backup folder holds its OWNER lock; reading needs none.

#ifndef VITRINE_STORE_BACKUP_H_
#define VITRINE_STORE_BACKUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/base/clock.h"
#include "store/web_house.h"

namespace vitrine {

struct BackupFile {
  std::string path;  // within the backup folder
  int64_t bytes = 0;
  uint32_t crc32c = 0;
  uint32_t mode = 0;  // permission bits of a file of the site
  bool operator==(const BackupFile&) const = default;
};

struct BackupManifest {
  uint32_t id = 0;
  std::string site;
  int64_t taken_at_ms = 0;
  uint64_t version = 0;   // WebHouse::Version before it: all of that, and maybe more, is in it
  int64_t new_bytes = 0;  // that no earlier backup of the folder had
  double seconds = 0;     // that it took
  std::vector<BackupFile> files;
  int64_t Bytes() const;
  bool operator==(const BackupManifest&) const = default;
};

struct BackupOptions {
  std::string directory;         // of the backups of one site; made if absent
  int32_t keep = 0;              // how many stay, the newest; 0: all
  int64_t bytes_per_second = 0;  // that are copied at most; 0: as fast as it goes
};

// Backs up `house`, whose site lies in `site_directory`, and drops what `keep` leaves over. Writes
// go on meanwhile. FailedPrecondition if the folder holds another site's backups or another process
// writes to it; ResourceExhausted if its disk is full (what was there stays). Blocks for as long as
// the copying takes.
absl::StatusOr<BackupManifest> MakeBackup(const WebHouse& house, const std::string& site,
                                          const std::string& site_directory,
                                          const BackupOptions& options, const Clock& clock);

// What there is, oldest first. `damaged` are manifests that cannot be read.
struct BackupList {
  std::vector<BackupManifest> backups;
  std::vector<absl::Status> damaged;
};
absl::StatusOr<BackupList> ListBackups(const std::string& directory);

// Reads every file of the backup. DataLoss that names the first file that is missing, cut, or
// changed; NotFound with those that there are if there is no such backup.
absl::StatusOr<BackupManifest> VerifyBackup(const std::string& directory, uint32_t id,
                                            const Clock& clock);

// Tells the folder of the site's last backup (if there is one) who was erased since: whoever
// restores from it erases them again. A backup that is made later tells it, too.
absl::Status TellErased(const WebHouse& house, const std::string& site_directory);

struct Restored {
  BackupManifest manifest;
  std::vector<Erasure> erased;  // receipts of what was erased again
};

// Verifies the backup, then puts the site into `site_directory`, where nothing may be: under
// another name until all of it is there, is synced and opens, and until everybody has been erased
// from it of whose erasure the folder was told since. Errors as VerifyBackup, and AlreadyExists.
absl::StatusOr<Restored> RestoreBackup(const std::string& directory, uint32_t id,
                                       const std::string& site_directory, const Clock& clock);

// Drops backups taken before `before_ms`, and all but the newest `keep` (0: no such rule); the
// newest goes only if `before_ms` says so. Returns the ids that are gone.
absl::StatusOr<std::vector<uint32_t>> PurgeBackups(const std::string& directory, int64_t before_ms,
                                                   int32_t keep);

// How long the last one took: what `vitrine status` shows.
struct BackupTiming {
  int64_t at_ms = 0;
  double seconds = 0;
  int64_t bytes = 0;
};
struct BackupState {
  std::string directory;
  BackupTiming backup;  // bytes: of the whole backup
  std::optional<BackupTiming> verified, restored;
};
// Of the site in this folder: its newest backup, and what its folder says about the rest. NotFound
// if it was never backed up.
absl::StatusOr<BackupState> ReadBackupState(const std::string& site_directory);

}  // namespace vitrine

#endif  // VITRINE_STORE_BACKUP_H_
