// vitrine ingest: files into a site.

#include <algorithm>
#include <cstdio>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

#include "api/cli/access.h"
#include "api/cli/backoffice_sink.h"
#include "api/cli/command.h"
#include "api/cli/follow_signals.h"
#include "api/cli/import.h"
#include "api/cli/progress.h"
#include "api/render/render.h"
#include "api/service/robots.h"
#include "ingest/explain.h"
#include "ingest/importer.h"
#include "ingest/mapping.h"
#include "store/base/atomic_file.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string mapping;
  std::vector<std::string> files;
  size_t batch_events = 8192;
  bool follow = false;
  std::string explain;
};

absl::StatusOr<ImportSummary> ImportOne(const std::string& file, const Mapping& mapping,
                                        BatchSink* sink, const RobotLists* robots,
                                        const Options& options, FollowWaiter* waiter) {
  Progress progress;
  const int64_t start_ns = Clock::System().SteadyNs();
  int64_t first_line = -1;
  ImportOptions import_options;
  import_options.batch_events = options.batch_events;
  import_options.robots = robots;
  import_options.on_progress = [&](const ImportProgress& p) {
    if (first_line < 0) first_line = p.lines_done;
    const double seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) / 1e9;
    const double rate = static_cast<double>(p.lines_done - first_line) / std::max(seconds, 1e-9);
    progress.Show(file, p.bytes_done, p.bytes_total,
                  absl::StrFormat("%s lines, %.0f/s", WithThousands(p.lines_done), rate));
  };
  if (waiter != nullptr) return FollowFile(file, mapping, sink, import_options, waiter);
  return ImportFile(file, mapping, sink, import_options);
}

absl::Status Run(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::string toml, ReadFile(options.mapping, limits::kConfigBytesMax));
  ASSIGN_OR_RETURN(const Mapping mapping, ParseMapping(toml, options.mapping));
  if (!options.explain.empty()) {
    ASSIGN_OR_RETURN(const Report explanation, ExplainRequest(mapping, options.explain));
    Print(explanation, common);
    return absl::OkStatus();
  }
  // Before the store's threads, which would else take its signals.
  std::optional<FollowSignals> signals;
  if (options.follow) signals.emplace();
  // A tenth of a second each, side by side.
  auto lists = std::async(std::launch::async, [&] { return RobotListsOf(common.data); });
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/true));
  BackofficeSink sink(&access->backoffice(), common.site, access->local_backoffice());
  const std::shared_ptr<const RobotLists> robots = lists.get();
  for (const RobotLists::Info& list : robots->lists()) {
    if (list.problem.empty()) continue;
    std::fprintf(stderr, "vitrine: robots are told without %s: %s\n", list.path.c_str(),
                 list.problem.c_str());
  }
  for (const std::string& file : options.files) {
    const bool follow = options.follow && &file == &options.files.back();
    ASSIGN_OR_RETURN(const ImportSummary summary, ImportOne(file, mapping, &sink, robots.get(),
                                                            options, follow ? &*signals : nullptr));
    Print(AccountingReport(summary), common);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ImportSummary> ImportThrough(BackofficeIf* backoffice, const std::string& site,
                                            const std::string& file, const Mapping& mapping,
                                            size_t batch_events) {
  BackofficeSink sink(backoffice, site);
  Options options;
  options.batch_events = batch_events;
  return ImportOne(file, mapping, &sink, /*robots=*/nullptr, options, /*waiter=*/nullptr);
}

void AddIngest(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "ingest",
      "Read files of events into a site and build its sessions.\n"
      "Every line ends in one outcome, and the table at the end adds up. An import that was\n"
      "interrupted goes on where it stopped when the same command is given again; a file that was\n"
      "read before has nothing new. Files packed by gzip or zstd are read as they are; \"-\" is\n"
      "standard input.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  command->add_option("--site", common->site, "The virtual store, for example gifts");
  AddJsonOption(command, common);
  command
      ->add_option("--mapping", options->mapping, "How the files become events (examples/*.toml)")
      ->required();
  command->add_option("--batch", options->batch_events, "Events in one write to the store")
      ->check(CLI::Range(size_t{1}, limits::kBatchEventsMax))
      ->capture_default_str();
  command->add_flag(
      "--follow", options->follow,
      "Go on with what the last file grows by, across its rotation, until SIGTERM or\n"
      "SIGINT");
  command->add_option("--explain", options->explain,
                      "Only say what the mapping of an access log makes of a request: URL,\n"
                      "\"METHOD URL\" or \"METHOD URL STATUS\"");
  command->add_option("FILE", options->files, "Files to read, in this order");
  command->callback([=] {
    if (options->explain.empty() && common->site.empty()) throw CLI::RequiredError("--site");
    if (options->explain.empty() && options->files.empty()) throw CLI::RequiredError("FILE");
    *action = [=] { return Run(*common, *options); };
  });
}

}  // namespace vitrine::cli
