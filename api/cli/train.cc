// vitrine train: a model from what a site holds.

#include <memory>
#include <string>

#include "absl/strings/str_format.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/model_report.h"
#include "api/cli/progress.h"
#include "api/client/client.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

absl::Status Run(const Common& common, TrainRequest request) {
  Progress progress;
  const auto show = [&progress](const TrainProgress& p) {
    progress.Show("training", p.epoch, p.epochs,
                  absl::StrFormat("epoch %d of %d", p.epoch, p.epochs));
  };
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false, show));
  request.site = common.site;
  ModelInfo info;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().train(info, request); }));
  Report report;
  report.tables.push_back(ModelTable({{common.site, info}}));
  Print(report, common);
  return absl::OkStatus();
}

// Adds an option for an optional field of the request: absent means the shop default.
template <typename Value, typename Set>
void AddSetting(CLI::App* command, const std::string& name, const std::string& help, Set set) {
  command->add_option_function<Value>(name, set, help);
}

}  // namespace

void AddTrain(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "train",
      "Train matrix factorization (iALS) on a site's events and publish the model.\n"
      "A running server swaps it in without failing a request. Settings that are not given have\n"
      "the shop defaults that recommender/README.md lists.");
  auto request = std::make_shared<TrainRequest>();
  TrainRequest* r = request.get();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddSetting<int32_t>(command, "--factors", "Length of the vectors (1 to 1024)",
                      [r](int32_t v) { r->__set_factors(v); });
  AddSetting<int32_t>(command, "--epochs", "Sweeps over both sides",
                      [r](int32_t v) { r->__set_epochs(v); });
  AddSetting<double>(command, "--unobserved-weight", "Weight of what nobody touched",
                     [r](double v) { r->__set_unobserved_weight(v); });
  AddSetting<double>(command, "--regularization", "Strength of the L2 term",
                     [r](double v) { r->__set_regularization(v); });
  AddSetting<double>(command, "--regularization-exponent",
                     "How the L2 term grows with a row's degree (0 to 2)",
                     [r](double v) { r->__set_regularization_exponent(v); });
  AddSetting<int64_t>(command, "--seed", "Same seed, same model",
                      [r](int64_t v) { r->__set_seed(v); });
  command->callback([=] { *action = [=] { return Run(*common, *request); }; });
}

}  // namespace vitrine::cli
