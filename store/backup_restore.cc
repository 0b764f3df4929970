// Backups read: checked, and put back.

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "store/backup.h"
#include "store/backup_files.h"
#include "store/base/atomic_file.h"
#include "store/base/status_macros.h"
#include "store/db.h"
#include "store/erased_list.h"
#include "store/owner_lock.h"
#include "store/privacy.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

absl::Status CheckFile(const BackupFolder& folder, const BackupFile& expected) {
  const std::string path = absl::StrCat(folder.path(), "/", expected.path);
  const absl::StatusOr<BackupFile> found = Checksum(path);
  if (absl::IsNotFound(found.status())) {
    return absl::DataLossError(absl::StrCat("the backup is damaged: ", path, " is missing"));
  }
  RETURN_IF_ERROR(found.status());
  if (found->bytes != expected.bytes) {
    return absl::DataLossError(absl::StrCat("the backup is damaged: ", path, " has ", found->bytes,
                                            " bytes instead of ", expected.bytes));
  }
  if (found->crc32c != expected.crc32c) {
    return absl::DataLossError(
        absl::StrCat("the backup is damaged: ", path, " has changed (its CRC-32C is ",
                     absl::StrFormat("%08x instead of %08x)", found->crc32c, expected.crc32c)));
  }
  return absl::OkStatus();
}

absl::StatusOr<BackupManifest> Check(const BackupFolder& folder, uint32_t id) {
  absl::StatusOr<BackupManifest> manifest = folder.ReadManifest(id);
  if (absl::IsNotFound(manifest.status())) {
    ASSIGN_OR_RETURN(const std::vector<uint32_t> ids, folder.Ids());
    return absl::NotFoundError(absl::StrCat("there is no backup ", id, " in ", folder.path(),
                                            "; there are: ", absl::StrJoin(ids, ", ")));
  }
  RETURN_IF_ERROR(manifest.status());
  for (const BackupFile& file : manifest->files) RETURN_IF_ERROR(CheckFile(folder, file));
  RETURN_IF_ERROR(ReadErasedList(folder.ErasedList()).status());
  return manifest;
}

// How long it took is told where it can be: the folder may be read-only.
void Note(const BackupFolder& folder, absl::string_view name, int64_t start_ns, int64_t bytes,
          const Clock& clock) {
  const double seconds = static_cast<double>(clock.SteadyNs() - start_ns) * 1e-9;
  WriteFileAtomically(absl::StrCat(folder.path(), "/", name),
                      absl::StrCat(clock.NowMs(), " ", seconds, " ", bytes, "\n"))
      .IgnoreError();
}

absl::Status RestoreTables(const BackupFolder& folder, uint32_t id, const std::string& to) {
  rocksdb::BackupEngineOptions options(folder.Tables());
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  RETURN_IF_ERROR(
      FromRocks(rocksdb::BackupEngineReadOnly::Open(options, rocksdb::Env::Default(), &raw),
                absl::StrCat("opening the backups in ", folder.path())));
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> engine(raw);
  return FromRocks(engine->RestoreDBFromBackup(rocksdb::RestoreOptions(), id, to, to),
                   absl::StrCat("restoring backup ", id));
}

absl::Status RestoreSiteFiles(const BackupFolder& folder, const BackupManifest& manifest,
                              const std::string& to) {
  const std::string prefix = absl::StrCat("site/", manifest.id, "/");
  for (const BackupFile& file : manifest.files) {
    if (!absl::StartsWith(file.path, prefix)) continue;
    const fs::path target = fs::path(to) / file.path.substr(prefix.size());
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) {
      return ErrnoStatus("cannot make folder", target.parent_path().string(), error.value());
    }
    ASSIGN_OR_RETURN(
        const BackupFile copied,
        CopyFileDurably(absl::StrCat(folder.path(), "/", file.path), target.string(), file.mode));
    if (copied.crc32c != file.crc32c) return CheckFile(folder, file);
    RETURN_IF_ERROR(SyncFolder(target.parent_path().string()));
  }
  return absl::OkStatus();
}

// RocksDB syncs what it restores, not the folder around it.
absl::Status SyncAll(const std::string& directory) {
  RETURN_IF_ERROR(SyncFolder(directory + "/db"));
  return SyncFolder(directory);
}

// A site that opens has sums that add up; one that is older than the backup says is not its own.
absl::StatusOr<std::unique_ptr<WebHouse>> OpenRestored(const std::string& directory,
                                                       const BackupManifest& manifest) {
  ASSIGN_OR_RETURN(std::unique_ptr<WebHouse> house,
                   WebHouse::Open({.directory = directory + "/db", .create = false}));
  if (house->Version() >= manifest.version) return house;
  return absl::DataLossError(absl::StrCat("the restored store is at version ", house->Version(),
                                          ", the backup was taken at ", manifest.version));
}

// Nobody has read anything of the site yet.
absl::StatusOr<std::vector<Erasure>> EraseAgain(const BackupFolder& folder, WebHouse* house) {
  ASSIGN_OR_RETURN(const Privacy::Erased erased, ReadErasedList(folder.ErasedList()));
  Privacy privacy(house);
  RETURN_IF_ERROR(privacy.Resume().status());  // what was under way when the backup was made
  return privacy.EraseAgain(erased);
}

absl::Status EmptyButOwner(const std::string& directory) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename() == "OWNER") continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (failed) return ErrnoStatus("cannot remove", entry.path().string(), failed.value());
  }
  if (error) return ErrnoStatus("cannot list", directory, error.value());
  return absl::OkStatus();
}

absl::Status RenameToNothing(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return SyncFolderOf(to);
  }
  return ErrnoStatus("cannot rename to", to, errno);
}

}  // namespace

absl::StatusOr<BackupManifest> VerifyBackup(const std::string& directory, uint32_t id,
                                            const Clock& clock) {
  const int64_t start_ns = clock.SteadyNs();
  const BackupFolder folder(directory);
  ASSIGN_OR_RETURN(BackupManifest manifest, Check(folder, id));
  Note(folder, "VERIFIED", start_ns, manifest.Bytes(), clock);
  return manifest;
}

absl::StatusOr<Restored> RestoreBackup(const std::string& directory, uint32_t id,
                                       const std::string& site_directory, const Clock& clock) {
  const int64_t start_ns = clock.SteadyNs();
  fs::path target = site_directory;
  if (!target.has_filename()) target = target.parent_path();  // "data/gifts/"
  const auto taken = [&] {
    return absl::AlreadyExistsError(
        absl::StrCat(target.string(), " is there already; a backup is never put over a site"));
  };
  if (fs::exists(fs::symlink_status(target))) return taken();
  const BackupFolder folder(directory);
  ASSIGN_OR_RETURN(BackupManifest manifest, Check(folder, id));

  // No site may have such a name, so no server takes it for one.
  const std::string half = (target.parent_path() / (".restoring-" + target.filename().string()));
  ASSIGN_OR_RETURN(const OwnerLock lock, OwnerLock::Take(half));
  absl::Cleanup remove = [&half] {
    std::error_code ignored;
    fs::remove_all(half, ignored);
  };
  RETURN_IF_ERROR(EmptyButOwner(half));  // of one that died
  RETURN_IF_ERROR(RestoreTables(folder, id, half + "/db"));
  RETURN_IF_ERROR(RestoreSiteFiles(folder, manifest, half));
  Restored restored;
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<WebHouse> house, OpenRestored(half, manifest));
    ASSIGN_OR_RETURN(restored.erased, EraseAgain(folder, house.get()));
  }
  RETURN_IF_ERROR(SyncAll(half));
  if (fs::exists(fs::symlink_status(target))) return taken();
  RETURN_IF_ERROR(RenameToNothing(half, target.string()));
  std::move(remove).Cancel();
  Note(folder, "RESTORED", start_ns, manifest.Bytes(), clock);
  restored.manifest = std::move(manifest);
  return restored;
}

}  // namespace vitrine
