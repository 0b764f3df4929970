// vitrine simulate: a shop with known truth, as the files a real shop would have.

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "api/render/render.h"
#include "experiments/simulation/write_shop.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  ShopOptions shop;
  std::string first_day = "2024-01-01";
  std::string out;
  bool force = false;
  bool events_only = false;
};

absl::Status Run(const Common& common, Options options) {
  if (!absl::ParseCivilTime(options.first_day, &options.shop.first_day)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--first-day: ", options.first_day, " is no date like 2024-01-31"));
  }
  Progress progress;
  WriteShopOptions write;
  write.overwrite = options.force;
  write.events_only = options.events_only;
  write.on_progress = [&](const SimulationProgress& p) {
    progress.Show("simulating", p.days_done, p.days_total,
                  absl::StrFormat("%s events", WithThousands(p.events)));
  };
  ASSIGN_OR_RETURN(const SimulationSummary summary, WriteShop(options.shop, options.out, write));
  Print(SimulationReport(summary), common);
  return absl::OkStatus();
}

}  // namespace

void AddSimulate(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "simulate",
      "Write the files of a shop that does not exist: events.jsonl, access.log, catalogue.csv,\n"
      "and truth.csv, which says what everybody really likes. One seed, the same bytes anywhere.");
  auto options = std::make_shared<Options>();
  AddJsonOption(command, common);
  command->add_option("--out", options->out, "Folder to write to")->required();
  command->add_flag("--force", options->force, "Write into a folder that is not empty");
  command->add_flag("--events-only", options->events_only,
                    "Write neither access.log nor truth.csv, which take longest of a large shop");
  ShopOptions& shop = options->shop;
  command->add_option("--seed", shop.seed, "Another seed is another shop")->capture_default_str();
  command->add_option("--customers", shop.customers, "People")->capture_default_str();
  command->add_option("--products", shop.products, "Products")->capture_default_str();
  command->add_option("--categories", shop.categories, "Categories")->capture_default_str();
  command->add_option("--days", shop.days, "Length of the history")->capture_default_str();
  command->add_option("--first-day", options->first_day, "Its first day (UTC)")
      ->capture_default_str();
  command->add_option("--visits-per-day", shop.visits_per_day, "Of an average customer")
      ->capture_default_str();
  command->add_option("--robots", shop.robot_share, "Share of visits that are robots'")
      ->capture_default_str();
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
