// vitrine backup, restore: copies of a site, and back.

#include "store/backup.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "api/render/render.h"
#include "api/service/site.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMegabyte = 1'000'000;

struct Options {
  std::string directory, to, older_than;
  int32_t keep = 0;
  int64_t megabytes_per_second = 0;
  uint32_t id = 0;
};

double Megabytes(int64_t bytes) { return static_cast<double>(bytes) / kMegabyte; }

std::string TimeText(int64_t ms) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

Report::Table BackupsTable() {
  Report::Table table;
  table.name = "backups";
  table.columns = {{"backup"}, {"site"},      {"taken"},      {"version"},
                   {"MB", 1},  {"new MB", 1}, {"seconds", 2}, {"state"}};
  return table;
}

void AddRow(const BackupManifest& made, const std::string& state, Report::Table* table) {
  table->rows.push_back({static_cast<int64_t>(made.id), EscapeForTerminal(made.site),
                         TimeText(made.taken_at_ms), static_cast<int64_t>(made.version),
                         Megabytes(made.Bytes()), Megabytes(made.new_bytes), made.seconds, state});
}

absl::Status RunMake(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  BackupRequest request;
  request.site = common.site;
  request.directory = fs::absolute(options.directory).lexically_normal().string();
  request.keep = options.keep;
  request.bytes_per_second = options.megabytes_per_second * kMegabyte;
  BackupReply made;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().backup(made, request); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "backup";
  table.columns = {{"backup"}, {"taken"}, {"MB", 1}, {"new MB", 1}, {"seconds", 2}};
  table.rows.push_back({static_cast<int64_t>(made.id), TimeText(made.taken_at_ms),
                        Megabytes(made.bytes), Megabytes(made.new_bytes), made.seconds});
  report.notes.push_back(
      absl::StrCat("Kept in ", request.directory, "; vitrine backup verify reads it through."));
  Print(report, common);
  return absl::OkStatus();
}

// Damage is told in the table, and by the exit code.
absl::Status RunList(const Common& common, const Options& options, bool verify) {
  ASSIGN_OR_RETURN(const BackupList list, ListBackups(options.directory));
  Report report;
  Report::Table table = BackupsTable();
  size_t damaged = list.damaged.size();
  for (const absl::Status& status : list.damaged) {
    report.notes.push_back(std::string(status.message()));
  }
  for (const BackupManifest& made : list.backups) {
    if (options.id != 0 && made.id != options.id) continue;
    if (!verify) {
      AddRow(made, "not read", &table);
      continue;
    }
    const absl::Status status = VerifyBackup(options.directory, made.id, Clock::System()).status();
    AddRow(made, status.ok() ? "sound" : "DAMAGED", &table);
    if (status.ok()) continue;
    ++damaged;
    report.notes.push_back(absl::StrCat("backup ", made.id, ": ", status.message()));
  }
  const bool none = table.rows.empty() && damaged == 0;
  report.tables.push_back(std::move(table));
  if (none)
    return absl::NotFoundError(absl::StrCat("there is no such backup in ", options.directory));
  Print(report, common);
  if (damaged == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(damaged, " backups are damaged"));
}

// absl's units end at hours.
absl::StatusOr<absl::Duration> ParseAge(absl::string_view text) {
  int64_t days;
  if (absl::ConsumeSuffix(&text, "d") && absl::SimpleAtoi(text, &days))
    return absl::Hours(24 * days);
  absl::Duration age;
  if (absl::ParseDuration(text, &age)) return age;
  return absl::InvalidArgumentError("--older-than: an age such as 90m, 36h or 30d");
}

absl::Status RunPurge(const Common& common, const Options& options) {
  int64_t before_ms = 0;
  if (!options.older_than.empty()) {
    ASSIGN_OR_RETURN(const absl::Duration age, ParseAge(options.older_than));
    before_ms = Clock::System().NowMs() - absl::ToInt64Milliseconds(age);
  }
  if (options.keep == 0 && before_ms == 0) {
    return absl::InvalidArgumentError("give --keep or --older-than: which backups shall go");
  }
  ASSIGN_OR_RETURN(const std::vector<uint32_t> gone,
                   PurgeBackups(options.directory, before_ms, options.keep));
  Report report;
  report.notes.push_back(gone.empty() ? "No backup was purged."
                                      : absl::StrCat("Purged: ", absl::StrJoin(gone, ", ")));
  Print(report, common);
  return absl::OkStatus();
}

absl::Status RunRestore(const Common& common, const Options& options) {
  const std::string name = fs::path(options.to).lexically_normal().filename().string();
  RETURN_IF_ERROR(Annotate(ValidSiteName(name), options.to));
  uint32_t id = options.id;
  if (id == 0) {
    ASSIGN_OR_RETURN(const BackupList list, ListBackups(options.directory));
    // A newest backup that is damaged is not passed over in silence.
    if (!list.damaged.empty()) return list.damaged.back();
    if (list.backups.empty()) {
      return absl::NotFoundError(absl::StrCat("there is no backup in ", options.directory));
    }
    id = list.backups.back().id;
  }
  const int64_t start_ns = Clock::System().SteadyNs();
  ASSIGN_OR_RETURN(const Restored restored,
                   RestoreBackup(options.directory, id, options.to, Clock::System()));
  const double seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
  Report report;
  Report::Table table = BackupsTable();
  AddRow(restored.manifest, "restored", &table);
  report.tables.push_back(std::move(table));
  report.notes.push_back(
      absl::StrFormat("Verified and restored to %s in %.2f s.", options.to, seconds));
  if (!restored.erased.empty()) {
    report.notes.push_back(absl::StrCat("Erased again, as they were after this backup was made: ",
                                        restored.erased.size(), " persons."));
  }
  report.notes.push_back("A server that runs on this folder serves it after its next start.");
  Print(report, common);
  return absl::OkStatus();
}

void AddFrom(CLI::App* command, Common* common, Options* options) {
  AddJsonOption(command, common);
  command->add_option("--from", options->directory, "Folder with the backups of one site")
      ->required();
}

}  // namespace

void AddBackup(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "backup",
      "Copy a site to another folder while it serves, check such copies, drop old ones.\n"
      "  vitrine backup --site gifts --to /backups/gifts --keep 14\n"
      "Only what is new since the last backup in that folder is copied. A server makes them in\n"
      "folders under its --backup-root only. Backups hold personal data and the key of the audit\n"
      "chain: keep the folder private. An erased person is in the backups that were taken before\n"
      "(a restore erases them again): after an erase take a new one and purge the older ones.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  AddJsonOption(command, common);
  command->add_option("--site", common->site, "The virtual store, for example gifts");
  command->add_option("--to", options->directory, "Folder for the backups of this site");
  command->add_option("--keep", options->keep, "Backups that stay, the newest; 0: all")
      ->check(CLI::Range(0, 1'000'000));
  command
      ->add_option("--mb-per-second", options->megabytes_per_second, "Copy no faster; 0: no bound")
      ->check(CLI::Range(0, 1'000'000));
  command->require_subcommand(0, 1);
  command->callback([=] {
    if (!command->get_subcommands().empty()) return;
    if (common->site.empty()) throw CLI::RequiredError("--site");
    if (options->directory.empty()) throw CLI::RequiredError("--to");
    *action = [=] { return RunMake(*common, *options); };
  });

  CLI::App* list = command->add_subcommand("list", "Show the backups in a folder.");
  AddFrom(list, common, options.get());
  list->callback([=] { *action = [=] { return RunList(*common, *options, false); }; });

  CLI::App* verify = command->add_subcommand(
      "verify",
      "Read every byte of the backups in a folder and name the first file of each that is\n"
      "missing, cut or changed. The exit code is 1 if there is one.");
  AddFrom(verify, common, options.get());
  verify->add_option("--backup", options->id, "Only this one");
  verify->callback([=] { *action = [=] { return RunList(*common, *options, true); }; });

  CLI::App* purge = command->add_subcommand("purge", "Drop old backups and what only they hold.");
  AddFrom(purge, common, options.get());
  purge->add_option("--older-than", options->older_than,
                    "Drop those older than this: 90m, 36h, 30d");
  purge->add_option("--keep", options->keep, "Drop all but the newest N")
      ->check(CLI::Range(1, 1'000'000));
  purge->callback([=] { *action = [=] { return RunPurge(*common, *options); }; });
}

void AddRestore(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "restore",
      "Put a backup back: verified first, never over a site that is there, all of it or nothing.\n"
      "  vitrine restore --from /backups/gifts --to vitrine-data/gifts\n"
      "Who was erased after the backup was taken is erased from it again: the folder was told.");
  auto options = std::make_shared<Options>();
  AddFrom(command, common, options.get());
  command->add_option("--to", options->to, "The site's new folder; its name is the site's")
      ->required();
  command->add_option("--backup", options->id, "Which; the newest unless given");
  command->callback([=] { *action = [=] { return RunRestore(*common, *options); }; });
}

}  // namespace vitrine::cli
