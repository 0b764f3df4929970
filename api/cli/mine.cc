// vitrine mine: what the clickstream of a site says.

#include "recommender/mining/mine.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "api/render/render.h"
#include "api/render/wording.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  MineOptions mine;
  std::string from;
  std::string to;
  std::string zone = "UTC";
  bool exact_pages = false;
};

absl::Status ReadDay(absl::string_view option, const std::string& text,
                     std::optional<absl::CivilDay>* day) {
  if (text.empty()) return absl::OkStatus();
  absl::CivilDay read;
  if (!absl::ParseCivilTime(text, &read)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", text, " is no date like 2024-01-31"));
  }
  *day = read;
  return absl::OkStatus();
}

absl::Status Run(const Common& common, Options options) {
  MineOptions& mine = options.mine;
  RETURN_IF_ERROR(ReadDay("--from", options.from, &mine.from));
  RETURN_IF_ERROR(ReadDay("--to", options.to, &mine.to));
  if (!absl::LoadTimeZone(options.zone, &mine.time_zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--time-zone: ", options.zone, " is no zone like Asia/Tehran"));
  }
  mine.group_pages = !options.exact_pages;
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  Progress progress;
  const int64_t total = copy->house().GetTotals().events;
  mine.on_progress = [&](int64_t events) {
    progress.Show("mining", events, total, absl::StrCat(WithThousands(events), " events"));
  };
  ASSIGN_OR_RETURN(const Mining mining, Mine(copy->house(), mine));
  ASSIGN_OR_RETURN(const Report report, MiningReport(copy->house(), mining));
  return Show(report, FormatMessage(common.language, {"mine.title", {common.site}}), common);
}

}  // namespace

void AddMine(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "mine",
      "Say what the clickstream says: funnel, sessions by day, channel and device, where visits\n"
      "enter and leave, paths and what comes next, searches in vain, products bought together or\n"
      "one after the other. Reads a copy that the site's owner makes, while a server goes on.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddPageOptions(command, common);
  command->add_option("--from", options->from, "First day, like 2024-01-31")->option_text("DAY");
  command->add_option("--to", options->to, "Last day, included")->option_text("DAY");
  command->add_option("--time-zone", options->zone, "Of the shop's days, like Asia/Tehran")
      ->capture_default_str();
  command->add_option("--top", options->mine.top, "Rows of a table")
      ->check(CLI::Range(size_t{1}, limits::kMinedRowsMax))
      ->capture_default_str();
  command
      ->add_option("--min-support", options->mine.min_support,
                   "Share of orders, visits or customers that a pattern must occur in")
      ->check(CLI::Range(1e-6, 1.0))
      ->capture_default_str();
  command->add_flag("--exact-pages", options->exact_pages,
                    "In paths and the graph, keep every product's page apart");
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
