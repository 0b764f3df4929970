// vitrine status: what is wrong, and every site in one screen.

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/model_report.h"
#include "api/client/client.h"
#include "api/render/render.h"
#include "api/service/site.h"
#include "store/backup.h"
#include "store/base/clock.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

// Two clocks of one shop should not be further apart.
constexpr int64_t kSkewMsMax = 2000;

struct SiteLines {
  Report::Table problems;
  Report::Table now;
  Report::Table sites;
  Report::Table sources;
  Report::Table backups;
  std::vector<std::pair<std::string, ModelInfo>> models;
};

SiteLines EmptyLines() {
  SiteLines lines;
  lines.problems = {"problems", "Problems", {{"site"}, {"problem"}, {"what"}, {"advice"}}, {}};
  lines.now = {"now",
               "Now",
               {{"site"},
                {"up s"},
                {"events/h"},
                {"robots/h"},
                {"rejected/h"},
                {"requests"},
                {"refused"},
                {"model age h", 1},
                {"last training"},
                {"every h"},
                {"keys"},
                {"store MB", 1},
                {"disk free GB", 1},
                {"memory MB"}},
               {}};
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

void AddProblem(const std::string& site, const std::string& kind, const std::string& what,
                const std::string& advice, SiteLines* lines) {
  lines->problems.rows.push_back({site, kind, what, advice});
}

void AddHealth(const std::string& site, const SiteHealth& health, SiteLines* lines) {
  for (const HealthProblem& problem : health.problems) {
    AddProblem(site, problem.kind, problem.what, problem.advice, lines);
  }
  const Report::Cell age = health.__isset.model_age_seconds
                               ? Report::Cell(static_cast<double>(health.model_age_seconds) / 3600)
                               : Report::Cell(std::string("no model"));
  const std::string last = health.last_training.empty() ? "none" : health.last_training;
  lines->now.rows.push_back(
      {site, health.up_seconds, health.accepted, health.robot, health.rejected, health.requests,
       health.refused, age, last, int64_t{health.train_every_hours}, int64_t{health.keys},
       static_cast<double>(health.table_bytes) * 1e-6,
       static_cast<double>(health.disk_free_bytes) * 1e-9, health.memory_bytes / 1'000'000});
}

// `before_ms` and `after_ms`: by our clock, when the server said what its own shows.
void CompareClocks(const std::string& site, int64_t before_ms, int64_t server_ms, int64_t after_ms,
                   SiteLines* lines) {
  if (server_ms >= before_ms - kSkewMsMax && server_ms <= after_ms + kSkewMsMax) return;
  AddProblem(site, "clock_skew",
             absl::StrCat("the server's clock is ", (server_ms - before_ms) / 1000,
                          " s from this machine's"),
             "set the clocks: timedatectl on both", lines);
}

absl::Status AddSite(const Common& common, const std::string& site, SiteLines* lines) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, site, /*create=*/false));
  SiteCounts counts;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().counts(counts, site); }));
  const std::string server = access->server().empty() ? "not running" : access->server();
  SiteHealth health;
  const int64_t before_ms = Clock::System().NowMs();
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().health(health, site); }));
  CompareClocks(site, before_ms, health.now_ms, Clock::System().NowMs(), lines);
  AddHealth(site, health, lines);
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

// Problems first, each with what to do under it.
void PrintProblems(const Report::Table& problems) {
  const auto text = [](const Report::Cell& cell) {
    return EscapeForTerminal(std::get<std::string>(cell));
  };
  if (problems.rows.empty()) std::printf("all is well\n");
  for (const auto& row : problems.rows) {
    std::printf("! %s: %s\n    -> %s\n", text(row[0]).c_str(), text(row[2]).c_str(),
                text(row[3]).c_str());
  }
  std::printf("\n");
}

absl::Status Run(const Common& common, bool with_sources) {
  ASSIGN_OR_RETURN(const std::vector<std::string> sites, ListSites(common.data));
  SiteLines lines = EmptyLines();
  // One site that cannot be read must not hide the others.
  for (const std::string& site : sites) {
    const absl::Status status = AddSite(common, site, &lines);
    if (status.ok()) continue;
    AddProblem(site, "unreadable", std::string(status.message()),
               absl::IsDataLoss(status) ? "restore it from a backup: vitrine restore --help"
                                        : "put that right, and ask again",
               &lines);
  }
  if (sites.empty()) {
    AddProblem(common.data, "no_site", "there is no site here", "vitrine ingest --help", &lines);
  }
  const size_t problems = lines.problems.rows.size();
  Report report;
  if (common.json) {
    report.tables.push_back(std::move(lines.problems));
  } else {
    PrintProblems(lines.problems);
  }
  report.tables.push_back(std::move(lines.now));
  report.tables.push_back(std::move(lines.sites));
  if (common.json || with_sources) report.tables.push_back(std::move(lines.sources));
  report.tables.push_back(std::move(lines.backups));
  report.tables.push_back(ModelTable(lines.models));
  Print(report, common);
  if (problems == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(problems, problems == 1 ? " problem" : " problems"));
}

}  // namespace

void AddStatus(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "status",
      "Say what is wrong and what to do about it, then show every site: what came lately, what it\n"
      "holds, which model answers. Exit code 1 if anything is wrong. OPERATING.md names the\n"
      "problems.");
  auto with_sources = std::make_shared<bool>(false);
  AddDataOption(command, common);
  AddJsonOption(command, common);
  command->add_flag("--sources", *with_sources, "Show what each source brought (JSON always does)");
  command->callback([=] { *action = [=] { return Run(*common, *with_sources); }; });
}

}  // namespace vitrine::cli
