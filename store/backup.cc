#include "store/backup.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "store/backup_files.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/erased_list.h"
#include "store/model_store.h"
#include "store/owner_lock.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kStateFile = "BACKUP";
constexpr size_t kStateBytesMax = 8192;
constexpr int kPublishedMeanwhileMax = 3;

using Engine = std::unique_ptr<rocksdb::BackupEngine>;

absl::StatusOr<Engine> OpenEngine(const BackupFolder& folder, int64_t bytes_per_second) {
  rocksdb::BackupEngineOptions options(folder.Tables());
  options.share_table_files = true;
  options.share_files_with_checksum = true;  // files of one name and other content stay apart
  options.sync = true;                       // what is called a backup survives loss of power
  options.backup_rate_limit = static_cast<uint64_t>(bytes_per_second);
  rocksdb::BackupEngine* raw = nullptr;
  RETURN_IF_ERROR(FromRocks(rocksdb::BackupEngine::Open(options, rocksdb::Env::Default(), &raw),
                            absl::StrCat("opening the backups in ", folder.path())));
  return Engine(raw);
}

absl::Status Remove(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return ErrnoStatus("cannot remove", path, error.value());
  return absl::OkStatus();
}

// Removes a backup: first its manifest, so that it is none before anything of it is gone.
absl::Status Drop(const BackupFolder& folder, rocksdb::BackupEngine* engine, uint32_t id) {
  RETURN_IF_ERROR(Remove(folder.ManifestPath(id)));
  const rocksdb::Status dropped = engine->DeleteBackup(id);
  if (!dropped.IsNotFound()) {
    RETURN_IF_ERROR(FromRocks(dropped, absl::StrCat("removing backup ", id)));
  }
  return Remove(folder.SiteFiles(id));
}

// What a backup that was interrupted has left behind.
absl::Status DropUnfinished(const BackupFolder& folder, rocksdb::BackupEngine* engine,
                            const std::vector<uint32_t>& finished) {
  const auto is_finished = [&](uint32_t id) {
    return std::binary_search(finished.begin(), finished.end(), id);
  };
  std::vector<rocksdb::BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  for (const rocksdb::BackupInfo& info : infos) {
    if (!is_finished(info.backup_id)) RETURN_IF_ERROR(Drop(folder, engine, info.backup_id));
  }
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.path() + "/site", error)) {
    uint32_t id;
    const bool named = absl::SimpleAtoi(entry.path().filename().string(), &id);
    if (!named || !is_finished(id)) RETURN_IF_ERROR(Remove(entry.path()));
  }
  return absl::OkStatus();
}

// The names, within the site's folder, of the files that go into a backup beside the tables.
absl::StatusOr<std::vector<std::string>> SiteFileNames(const std::string& site_directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(site_directory, error)) {
    const std::string name = entry.path().filename().string();
    const bool of_process = name == "OWNER" || name == kStateFile || absl::EndsWith(name, ".tmp");
    if (entry.is_regular_file() && !of_process) names.push_back(name);
  }
  if (error) return ErrnoStatus("cannot list", site_directory, error.value());
  const absl::StatusOr<std::string> model = ModelStore(site_directory).Current();
  if (absl::IsNotFound(model.status())) return names;
  RETURN_IF_ERROR(model.status());
  names.push_back(absl::StrCat("models/", *model, ".model"));
  names.push_back("models/CURRENT");
  return names;
}

absl::StatusOr<uint32_t> ModeOf(const std::string& path) {
  struct stat facts;
  if (::stat(path.c_str(), &facts) != 0) return ErrnoStatus("cannot look at", path, errno);
  return static_cast<uint32_t>(facts.st_mode & 0777);
}

// Copies the site's own files to `to`. NotFound if a training removed one of them meanwhile.
absl::StatusOr<std::vector<BackupFile>> CopySiteFiles(const std::string& site_directory,
                                                      const std::string& to) {
  RETURN_IF_ERROR(Remove(to));
  RETURN_IF_ERROR(MakePrivateFolder(to + "/models"));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, SiteFileNames(site_directory));
  std::vector<BackupFile> files;
  for (const std::string& name : names) {
    const std::string from = absl::StrCat(site_directory, "/", name);
    ASSIGN_OR_RETURN(const uint32_t mode, ModeOf(from));
    // Keys are among them: a backup's copy is for its owner alone, a restored one as it was.
    ASSIGN_OR_RETURN(BackupFile file, CopyFileDurably(from, absl::StrCat(to, "/", name), 0600));
    file.mode = mode;
    file.path = name;
    files.push_back(std::move(file));
  }
  RETURN_IF_ERROR(SyncFolder(to + "/models"));
  RETURN_IF_ERROR(SyncFolder(to));
  return files;
}

// The site's files come first: a watermark or a model that is older than the tables is in order,
// one that is newer is not.
absl::StatusOr<std::vector<BackupFile>> CopySiteFilesInPeace(const std::string& site_directory,
                                                             const std::string& to) {
  absl::StatusOr<std::vector<BackupFile>> files;
  for (int i = 0; i < kPublishedMeanwhileMax; ++i) {
    files = CopySiteFiles(site_directory, to);
    if (!absl::IsNotFound(files.status())) break;
  }
  return files;
}

// Names and checksums of RocksDB's files of backup `id`. A shared file that `before` knows is not
// read again: its name says what is in it. The sizes of the others are added to `*new_bytes`.
absl::Status AddTableFiles(const BackupFolder& folder, const rocksdb::BackupEngine& engine,
                           uint32_t id, const BackupManifest& before, BackupManifest* manifest) {
  rocksdb::BackupInfo info;
  RETURN_IF_ERROR(FromRocks(engine.GetBackupInfo(id, &info, /*include_file_details=*/true),
                            absl::StrCat("listing backup ", id)));
  absl::flat_hash_map<std::string, const BackupFile*> known;
  for (const BackupFile& file : before.files) known[file.path] = &file;
  std::vector<std::string> names = {absl::StrCat("meta/", id)};
  for (const rocksdb::BackupFileInfo& file : info.file_details) {
    names.push_back(file.relative_filename);
  }
  for (const std::string& name : names) {
    const std::string path = absl::StrCat("db/", name);
    const auto it = known.find(path);
    if (it != known.end() && absl::StartsWith(name, "shared_checksum/")) {
      manifest->files.push_back(*it->second);
      continue;
    }
    ASSIGN_OR_RETURN(BackupFile file, Checksum(absl::StrCat(folder.path(), "/", path)));
    file.path = path;
    manifest->new_bytes += file.bytes;
    manifest->files.push_back(std::move(file));
  }
  return absl::OkStatus();
}

// The site's files under the number that RocksDB has given.
absl::Status NameSiteFiles(const BackupFolder& folder, const std::string& pending,
                           std::vector<BackupFile> files, BackupManifest* manifest) {
  const std::string to = folder.SiteFiles(manifest->id);
  RETURN_IF_ERROR(Remove(to));
  if (::rename(pending.c_str(), to.c_str()) != 0) return ErrnoStatus("cannot rename to", to, errno);
  RETURN_IF_ERROR(SyncFolder(folder.path() + "/site"));
  for (BackupFile& file : files) {
    file.path = absl::StrCat("site/", manifest->id, "/", file.path);
    manifest->new_bytes += file.bytes;
    manifest->files.push_back(std::move(file));
  }
  return absl::OkStatus();
}

// The newest backup before this one that can be read, or none: damage to old ones must not stop new
// ones. A folder of another site is refused.
absl::StatusOr<BackupManifest> Newest(const BackupFolder& folder, const std::vector<uint32_t>& ids,
                                      const std::string& site) {
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    absl::StatusOr<BackupManifest> newest = folder.ReadManifest(*id);
    if (!newest.ok()) continue;
    if (newest->site == site) return newest;
    return absl::FailedPreconditionError(
        absl::StrCat(folder.path(), " holds backups of site ", newest->site, ", not of ", site));
  }
  return BackupManifest();
}

std::vector<uint32_t> AllButNewest(std::vector<uint32_t> ids, int32_t keep) {
  const auto stay = std::min(ids.size(), static_cast<size_t>(keep));
  ids.resize(keep <= 0 ? 0 : ids.size() - stay);
  return ids;
}

absl::Status WriteState(const std::string& site_directory, const std::string& directory,
                        const BackupManifest& made) {
  return WriteFileAtomically(
      absl::StrCat(site_directory, "/", kStateFile),
      absl::StrCat(made.taken_at_ms, " ", made.seconds, " ", made.Bytes(), "\n", directory, "\n"));
}

absl::StatusOr<BackupTiming> ParseTiming(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  BackupTiming timing;
  if (words.size() == 3 && absl::SimpleAtoi(words[0], &timing.at_ms) &&
      absl::SimpleAtod(words[1], &timing.seconds) && absl::SimpleAtoi(words[2], &timing.bytes)) {
    return timing;
  }
  return absl::DataLossError("not the record of a backup");
}

std::optional<BackupTiming> ReadTiming(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path, kStateBytesMax);
  if (!text.ok()) return std::nullopt;
  const absl::StatusOr<BackupTiming> timing = ParseTiming(text->substr(0, text->find('\n')));
  return timing.ok() ? std::optional(*timing) : std::nullopt;
}

}  // namespace

absl::StatusOr<BackupManifest> MakeBackup(const WebHouse& house, const std::string& site,
                                          const std::string& site_directory,
                                          const BackupOptions& options, const Clock& clock) {
  const int64_t start_ns = clock.SteadyNs();
  const BackupFolder folder(options.directory);
  RETURN_IF_ERROR(MakePrivateFolder(folder.path()));
  ASSIGN_OR_RETURN(const OwnerLock lock, OwnerLock::Take(folder.path()));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> ids, folder.Ids());
  ASSIGN_OR_RETURN(const BackupManifest before, Newest(folder, ids, site));
  ASSIGN_OR_RETURN(const Engine engine, OpenEngine(folder, options.bytes_per_second));
  RETURN_IF_ERROR(DropUnfinished(folder, engine.get(), ids));

  BackupManifest manifest;
  manifest.site = site;
  manifest.taken_at_ms = clock.NowMs();
  manifest.version = house.Version();
  const std::string pending = folder.path() + "/site/pending";
  ASSIGN_OR_RETURN(std::vector<BackupFile> files, CopySiteFilesInPeace(site_directory, pending));
  ASSIGN_OR_RETURN(manifest.id, house.BackUpTables(engine.get()));
  RETURN_IF_ERROR(AddTableFiles(folder, *engine, manifest.id, before, &manifest));
  RETURN_IF_ERROR(NameSiteFiles(folder, pending, std::move(files), &manifest));
  manifest.seconds = static_cast<double>(clock.SteadyNs() - start_ns) * 1e-9;
  RETURN_IF_ERROR(AddToErasedList(folder.ErasedList(), house.ErasedPersons()));
  RETURN_IF_ERROR(folder.WriteManifest(manifest));

  std::vector<uint32_t> all = ids;
  all.push_back(manifest.id);
  for (const uint32_t old : AllButNewest(all, options.keep)) {
    RETURN_IF_ERROR(Drop(folder, engine.get(), old));
  }
  RETURN_IF_ERROR(WriteState(site_directory, options.directory, manifest));
  return manifest;
}

absl::Status TellErased(const WebHouse& house, const std::string& site_directory) {
  const absl::StatusOr<BackupState> state = ReadBackupState(site_directory);
  if (absl::IsNotFound(state.status())) return absl::OkStatus();
  RETURN_IF_ERROR(state.status());
  return AddToErasedList(BackupFolder(state->directory).ErasedList(), house.ErasedPersons());
}

absl::StatusOr<uint32_t> WebHouse::BackUpTables(rocksdb::BackupEngine* engine) const {
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = true;  // tables are shared by backups, a log is copied each time
  uint32_t id = 0;
  RETURN_IF_ERROR(FromRocks(engine->CreateNewBackup(options, impl_->db->raw(), &id), "backing up"));
  return id;
}

absl::StatusOr<BackupList> ListBackups(const std::string& directory) {
  const BackupFolder folder(directory);
  ASSIGN_OR_RETURN(const std::vector<uint32_t> ids, folder.Ids());
  BackupList list;
  for (const uint32_t id : ids) {
    absl::StatusOr<BackupManifest> manifest = folder.ReadManifest(id);
    if (manifest.ok()) {
      list.backups.push_back(*std::move(manifest));
    } else {
      list.damaged.push_back(manifest.status());
    }
  }
  return list;
}

absl::StatusOr<std::vector<uint32_t>> PurgeBackups(const std::string& directory, int64_t before_ms,
                                                   int32_t keep) {
  const BackupFolder folder(directory);
  ASSIGN_OR_RETURN(const std::vector<uint32_t> ids, folder.Ids());
  if (ids.empty()) return absl::NotFoundError(absl::StrCat("there is no backup in ", directory));
  ASSIGN_OR_RETURN(const OwnerLock lock, OwnerLock::Take(folder.path()));
  std::vector<uint32_t> doomed = AllButNewest(ids, keep);
  for (const uint32_t id : ids) {
    const absl::StatusOr<BackupManifest> manifest = folder.ReadManifest(id);
    // Of one whose manifest is damaged nobody knows how old it is: only `keep` lets it go.
    const bool is_old = manifest.ok() && manifest->taken_at_ms < before_ms;
    if (is_old && std::find(doomed.begin(), doomed.end(), id) == doomed.end()) doomed.push_back(id);
  }
  ASSIGN_OR_RETURN(const Engine engine, OpenEngine(folder, 0));
  for (const uint32_t id : doomed) RETURN_IF_ERROR(Drop(folder, engine.get(), id));
  RETURN_IF_ERROR(FromRocks(engine->GarbageCollect(), "removing what no backup holds"));
  return doomed;
}

absl::StatusOr<BackupState> ReadBackupState(const std::string& site_directory) {
  const std::string path = absl::StrCat(site_directory, "/", kStateFile);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kStateBytesMax));
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (lines.size() < 2) return absl::DataLossError(absl::StrCat(path, " is cut"));
  BackupState state;
  ASSIGN_OR_RETURN(state.backup, ParseTiming(lines[0]));
  state.directory = lines[1];
  state.verified = ReadTiming(state.directory + "/VERIFIED");
  state.restored = ReadTiming(state.directory + "/RESTORED");
  return state;
}

}  // namespace vitrine
