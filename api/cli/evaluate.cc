// vitrine evaluate: how well a site's next events would have been ranked.

#include "recommender/evaluate.h"

#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

absl::Status Run(const Common& common, const EvaluateOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(copy->house(), options));
  return Show(EvaluationReport(evaluation), absl::StrCat("evaluate ", common.site), common);
}

}  // namespace

void AddEvaluate(CLI::App* app, Common* common, Action* action) {
  using Protocol = EvaluateOptions::Protocol;
  static const std::map<std::string, Protocol> kProtocols = {
      {"leave-last-out", Protocol::kLeaveLastOut}, {"sessions", Protocol::kSessions}};
  CLI::App* command = app->add_subcommand(
      "evaluate",
      "Hold out what people did last, train on the rest, and see who ranks it best.\n"
      "The whole catalogue is ranked; popularity and item-kNN stand beside the factorization as\n"
      "controls. leave-last-out suits sites with returning customers, sessions those without.");
  auto options = std::make_shared<EvaluateOptions>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddPageOptions(command, common);
  command->add_option("--protocol", options->protocol, "leave-last-out (default) or sessions")
      ->transform(CLI::CheckedTransformer(kProtocols, CLI::ignore_case))
      ->option_text("NAME");
  command->add_option("-k,--k", options->k, "Length of the list that is judged")
      ->check(CLI::Range(size_t{1}, size_t{limits::kSuggestionsMax}))
      ->capture_default_str();
  command
      ->add_option("--holdout", options->holdout_fraction,
                   "Share of the sessions held out (protocol sessions)")
      ->check(CLI::Range(0.001, 0.9))
      ->capture_default_str();
  command->add_option("--factors", options->als.factors, "Length of the vectors")
      ->check(CLI::Range(uint32_t{1}, limits::kFactorsMax))
      ->capture_default_str();
  command->add_option("--epochs", options->als.epochs, "Sweeps over both sides")
      ->capture_default_str();
  command->callback([=] { *action = [=] { return Run(*common, *options); }; });
}

}  // namespace vitrine::cli
