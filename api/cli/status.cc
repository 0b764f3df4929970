// vitrine status: every site in one screen.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/model_report.h"
#include "api/client/client.h"
#include "api/service/site.h"
#include "store/backup.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct SiteLines {
  Report::Table sites;
  Report::Table sources;
  Report::Table backups;
  std::vector<std::pair<std::string, ModelInfo>> models;
};

SiteLines EmptyLines() {
  SiteLines lines;
  lines.sites = {"sites",
                 "Sites",
                 {{"site"},
                  {"server"},
                  {"events"},
                  {"sessions"},
                  {"customers"},
                  {"products"},
                  {"rejects"},
                  {"conflicts"}},
                 {}};
  lines.sources = {"sources",
                   "Sources",
                   {{"site"},
                    {"source"},
                    {"lines"},
                    {"accepted"},
                    {"robot"},
                    {"duplicate"},
                    {"ignored"},
                    {"rejected"}},
                   {}};
  lines.backups = {"backups",
                   "Newest backups",
                   {{"site"},
                    {"age s"},
                    {"MB", 1},
                    {"seconds", 2},
                    {"verify s/GB", 2},
                    {"restore s/GB", 2},
                    {"folder"}},
                   {}};
  return lines;
}

// How much would be lost (the age of the newest backup), and how long getting it back takes: as it
// was measured when it was last done.
void AddBackupOf(const Common& common, const std::string& site, SiteLines* lines) {
  const absl::StatusOr<BackupState> state = ReadBackupState(absl::StrCat(common.data, "/", site));
  if (!state.ok()) {
    lines->backups.rows.push_back({site, std::string("never"), std::string(), std::string(),
                                   std::string(), std::string(), std::string()});
    return;
  }
  const auto speed = [](const std::optional<BackupTiming>& timing) -> Report::Cell {
    if (!timing.has_value() || timing->bytes == 0) return std::string("not done");
    return timing->seconds / (static_cast<double>(timing->bytes) * 1e-9);
  };
  lines->backups.rows.push_back({site, (Clock::System().NowMs() - state->backup.at_ms) / 1000,
                                 static_cast<double>(state->backup.bytes) * 1e-6,
                                 state->backup.seconds, speed(state->verified),
                                 speed(state->restored), state->directory});
}

void AddSource(const std::string& site, const SourceState& source, Report::Table* table) {
  int64_t accepted = 0;
  int64_t robot = 0;
  int64_t duplicate = 0;
  int64_t ignored = 0;
  int64_t rejected = 0;
  for (const auto& [outcome, n] : source.outcomes) {
    if (outcome == "accepted") {
      accepted += n;
    } else if (outcome == "robot") {
      robot += n;
    } else if (outcome.rfind("ignored:", 0) == 0) {
      ignored += n;
    } else if (outcome.rfind("rejected:", 0) == 0) {
      rejected += n;
    } else {
      duplicate += n;
    }
  }
  table->rows.push_back({site, source.name, source.earlier_lines + source.lines, accepted, robot,
                         duplicate, ignored, rejected});
}

absl::Status AddSite(const Common& common, const std::string& site, SiteLines* lines) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, site, /*create=*/false));
  SiteCounts counts;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().counts(counts, site); }));
  const std::string server = access->server().empty() ? "not running" : access->server();
  const Totals& t = counts.totals;
  lines->sites.rows.push_back(
      {site, server, t.events, t.sessions, t.customers, t.products, t.rejects, t.conflicts});
  for (const SourceState& source : counts.sources) AddSource(site, source, &lines->sources);
  AddBackupOf(common, site, lines);
  ModelInfo info;
  const absl::Status found = CatchThrift([&] { access->backoffice().model_info(info, site); });
  if (found.ok()) lines->models.emplace_back(site, info);
  return absl::IsUnavailable(found) ? absl::OkStatus() : found;
}

absl::Status Run(const Common& common) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sites, ListSites(common.data));
  SiteLines lines = EmptyLines();
  Report report;
  // One site that cannot be read must not hide the others.
  std::vector<std::string> failed;
  for (const std::string& site : sites) {
    const absl::Status status = AddSite(common, site, &lines);
    if (status.ok()) continue;
    failed.push_back(site);
    report.notes.push_back(absl::StrCat(site, ": ", status.message()));
  }
  report.tables.push_back(std::move(lines.sites));
  report.tables.push_back(std::move(lines.sources));
  report.tables.push_back(std::move(lines.backups));
  report.tables.push_back(ModelTable(lines.models));
  Print(report, common);
  if (failed.empty()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot read: ", absl::StrJoin(failed, ", ")));
}

}  // namespace

void AddStatus(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "status", "Show every site: what it holds, where it came from, which model answers.");
  AddDataOption(command, common);
  AddJsonOption(command, common);
  command->callback([=] { *action = [=] { return Run(*common); }; });
}

}  // namespace vitrine::cli
