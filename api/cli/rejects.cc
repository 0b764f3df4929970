// vitrine rejects: the lines that could not be taken, to look at and to read again.

#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "api/cli/access.h"
#include "api/cli/backoffice_sink.h"
#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "api/client/client.h"
#include "api/render/render.h"
#include "ingest/mapping.h"
#include "ingest/replay.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string source, reason, after, mapping;
  int32_t limit = 20;
  bool dry_run = false;
};

std::string PlaceText(const RejectPlace& place) {
  const std::string line = absl::StrCat("line ", place.line);
  return place.generation == 0 ? line : absl::StrCat(line, ", restart ", place.generation);
}

absl::Status RunList(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<RejectSummary> summaries;
  RETURN_IF_ERROR(
      CatchThrift([&] { access->backoffice().reject_summaries(summaries, common.site); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "rejects";
  table.columns = {{"source"}, {"reason"}, {"lines"}, {"first"}, {"last"}};
  int64_t lines = 0;
  for (const RejectSummary& sum : summaries) {
    table.rows.push_back({EscapeForTerminal(sum.source), EscapeForTerminal(sum.reason), sum.lines,
                          PlaceText(sum.first), PlaceText(sum.last)});
    lines += sum.lines;
  }
  report.notes.push_back(lines == 0
                             ? "No line is rejected."
                             : absl::StrCat(WithThousands(lines),
                                            " rejected lines; vitrine rejects show shows "
                                            "them, vitrine rejects replay reads them again."));
  Print(report, common);
  return absl::OkStatus();
}

absl::StatusOr<RejectQuery> QueryOf(const Options& options) {
  RejectQuery query;
  query.source = options.source;
  query.reason = options.reason;
  query.limit = options.limit;
  if (!absl::WebSafeBase64Unescape(options.after, &query.after)) {
    return absl::InvalidArgumentError("--after: not what an earlier page ended with");
  }
  return query;
}

absl::Status RunShow(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const RejectQuery query, QueryOf(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  RejectPage page;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().rejects(page, common.site, query); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "rejects";
  table.columns = {{"source"},         {"place"}, {"byte"}, {"reason"},
                   {"what was wrong"}, {"bytes"}, {"line"}};
  for (const SourceReject& found : page.rejects) {
    const Reject& reject = found.reject;
    RejectPlace place;
    place.generation = reject.generation;
    place.line = reject.line;
    const bool cut = reject.raw_bytes > static_cast<int64_t>(reject.raw.size());
    table.rows.push_back({EscapeForTerminal(found.source), PlaceText(place), reject.byte_offset,
                          EscapeForTerminal(reject.reason), EscapeForTerminal(reject.detail),
                          reject.raw_bytes,
                          absl::StrCat(EscapeForTerminal(reject.raw), cut ? " (cut)" : "")});
  }
  if (!page.resume.empty()) {
    report.notes.push_back(
        absl::StrCat("There are more: --after ", absl::WebSafeBase64Escape(page.resume)));
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status RunReplay(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::string toml, ReadFile(options.mapping, limits::kConfigBytesMax));
  ASSIGN_OR_RETURN(const Mapping mapping, ParseMapping(toml, options.mapping));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  BackofficeSink sink(&access->backoffice(), common.site);
  const FindRejects find = [&](const RejectQuery& query) -> absl::StatusOr<RejectPage> {
    RejectPage page;
    RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().rejects(page, common.site, query); }));
    return page;
  };
  Progress progress;
  ReplayOptions replay;
  replay.source = options.source;
  replay.reason = options.reason;
  replay.dry_run = options.dry_run;
  replay.on_progress = [&](int64_t lines) {
    progress.Show("rejects", 0, 0, absl::StrCat(WithThousands(lines), " read again"));
  };
  ASSIGN_OR_RETURN(const ReplaySummary summary, ReplayRejects(mapping, find, &sink, replay));
  Print(ReplayReport(summary), common);
  return absl::OkStatus();
}

void AddFilters(CLI::App* command, Common* common, Options* options) {
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  command->add_option("--source", options->source, "Only of this source (a file's whole path)");
  command->add_option("--reason", options->reason, "Only those with this reason");
}

}  // namespace

void AddRejects(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "rejects", "Lines that could not be taken: list them, look at them, read them again.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();

  CLI::App* list = command->add_subcommand("list", "How many, by source and reason.");
  AddDataOption(list, common);
  AddSiteOption(list, common);
  AddJsonOption(list, common);
  list->callback([=] { *action = [=] { return RunList(*common); }; });

  CLI::App* show =
      command->add_subcommand("show",
                              "The lines themselves: where they stood, what was wrong, and their "
                              "bytes, of which the first\n"
                              "4096 are kept. What could harm a terminal is shown as \\xNN.");
  AddFilters(show, common, options.get());
  show->add_option("--limit", options->limit, "Lines to show")
      ->check(CLI::Range(1, limits::kRejectPageMax))
      ->capture_default_str();
  show->add_option("--after", options->after, "Go on where an earlier page ended");
  show->callback([=] { *action = [=] { return RunShow(*common, *options); }; });

  CLI::App* replay = command->add_subcommand(
      "replay",
      "Read rejects again with a mapping that was put right. Each that is none any more moves to\n"
      "what it is now, in the accounting of the file that it came from; its bytes go. Doing this\n"
      "twice, or reading a corrected file besides, counts nothing twice.");
  AddFilters(replay, common, options.get());
  replay->add_option("--mapping", options->mapping, "How lines become events, put right")
      ->required();
  replay->add_flag("--dry-run", options->dry_run, "Say what would happen; write nothing");
  replay->callback([=] { *action = [=] { return RunReplay(*common, *options); }; });
}

}  // namespace vitrine::cli
