// The `vitrine` command line. Exit codes: 0 done, 1 it failed (the reason is on stderr), 2 wrong
// usage.

#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/status.h"

#include "api/cli/command.h"

namespace vitrine::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int Main(int argc, char** argv) {
  CLI::App app(
      "Vitrine turns a shop's raw traffic into one-to-one product suggestions.\n\n"
      "A first run:\n"
      "  vitrine ingest --site gifts --mapping examples/gifts.toml data/online_retail.csv\n"
      "  vitrine train --site gifts\n"
      "  vitrine recommend --site gifts --customer 17850\n"
      "  vitrine serve\n",
      "vitrine");
  app.require_subcommand(1);
  app.set_version_flag("--version", "vitrine 0.1.0");
  app.failure_message(CLI::FailureMessage::help);
  Common common;
  Action action;
  AddIngest(&app, &common, &action);
  AddTrain(&app, &common, &action);
  AddTune(&app, &common, &action);
  AddEvaluate(&app, &common, &action);
  AddServe(&app, &common, &action);
  AddRecommend(&app, &common, &action);
  AddSimilar(&app, &common, &action);
  AddTrack(&app, &common, &action);
  AddPlacements(&app, &common, &action);
  AddOffers(&app, &common, &action);
  AddExperiment(&app, &common, &action);
  AddRobots(&app, &common, &action);
  AddModels(&app, &common, &action);
  AddSettings(&app, &common, &action);
  AddMine(&app, &common, &action);
  AddReport(&app, &common, &action);
  AddKeys(&app, &common, &action);
  AddStatus(&app, &common, &action);
  AddCustomer(&app, &common, &action);
  AddRetention(&app, &common, &action);
  AddVerify(&app, &common, &action);
  AddBackup(&app, &common, &action);
  AddRestore(&app, &common, &action);
  AddRejects(&app, &common, &action);
  AddCatalogue(&app, &common, &action);
  AddSegment(&app, &common, &action);
  AddSimulate(&app, &common, &action);
  AddCampaign(&app, &common, &action);
  AddContact(&app, &common, &action);
  AddTrigger(&app, &common, &action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kWrongUsage;
  }
  const absl::Status status = action();
  if (status.ok()) return 0;
  std::fprintf(stderr, "vitrine: %s\n", std::string(status.message()).c_str());
  return kFailed;
}

}  // namespace
}  // namespace vitrine::cli

int main(int argc, char** argv) {
  try {
    return vitrine::cli::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vitrine: %s\n", e.what());
    return 1;
  }
}
