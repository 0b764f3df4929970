// vitrine tune: better settings for a site's factorization.

#include "recommender/offline/tune.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "recommender/offline/visits.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

// The command that trains with them.
std::string TrainCommand(const Common& common, const FactorizationSettings& settings) {
  return absl::StrFormat(
      "vitrine train --data %s --site %s --factors %d --epochs %d --unobserved-weight %.5g "
      "--regularization %.5g --regularization-exponent %.1f --half-life-days %.0f --view-weight "
      "%.1f",
      common.data, common.site, settings.als.factors, settings.als.epochs,
      settings.als.unobserved_weight, settings.als.regularization,
      settings.als.regularization_exponent, settings.weights.half_life_days,
      settings.weights.view_item);
}

absl::Status Run(const Common& common, TuneFactorizationOptions options) {
  Progress progress;
  options.on_trial = [&progress](uint32_t done, uint32_t of) {
    progress.Show("tuning", done, of, absl::StrFormat("trial %d of %d of this round", done, of));
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  ASSIGN_OR_RETURN(const Visits visits, LoadVisits(copy->house(), options.start.weights));
  ASSIGN_OR_RETURN(const FactorizationTuning tuning, TuneFactorization(visits, options));
  Report report = TuningReport(tuning);
  report.notes.push_back(
      absl::StrFormat("the first against the defaults, NDCG@20 on %d lists: %+.4f (%+.4f to %+.4f)",
                      tuning.cases, tuning.gain.value, tuning.gain.low, tuning.gain.high));
  if (tuning.out_of_budget) {
    report.notes.push_back("the budget ran out before all trials were done; --budget gives more");
  }
  report.notes.push_back(
      tuning.better_than_start
          ? absl::StrCat("to train with it: ", TrainCommand(common, tuning.chosen))
          : "nothing is better than the defaults beyond chance: keep them");
  Print(report, common);
  return absl::OkStatus();
}

}  // namespace

void AddTune(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "tune",
      "Look for settings of the factorization that rank a site's newest visits better than the\n"
      "defaults. Many are tried for a few epochs, the better third goes on; the table shows all of\n"
      "them, and the last line the command that trains with the best.");
  auto options = std::make_shared<TuneFactorizationOptions>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  command->add_option("--factors", options->start.als.factors, "Length of the vectors")
      ->check(CLI::Range(uint32_t{1}, limits::kFactorsMax))
      ->capture_default_str();
  command->add_option("--trials", options->trials, "Settings to try")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--budget", options->budget_seconds, "Seconds to spend at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Same seed, same trials")->capture_default_str();
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
