// vitrine models list|rollback: the models of a site that are on disk.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/model_report.h"
#include "api/client/client.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

absl::Status List(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<ModelInfo> models;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().models(models, common.site); }));
  std::vector<std::pair<std::string, ModelInfo>> rows;
  for (ModelInfo& model : models) rows.emplace_back(common.site, std::move(model));
  Report report;
  report.tables.push_back(ModelTable(rows));
  Print(report, common);
  return absl::OkStatus();
}

absl::Status RollBack(const Common& common, const std::string& model) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ModelInfo info;
  RETURN_IF_ERROR(
      CatchThrift([&] { access->backoffice().roll_back_model(info, common.site, model); }));
  Report report;
  report.tables.push_back(ModelTable({{common.site, info}}));
  Print(report, common);
  return absl::OkStatus();
}

}  // namespace

void AddModels(CLI::App* app, Common* common, Action* action) {
  CLI::App* models = app->add_subcommand(
      "models",
      "The models of a site that are on disk, and back to an earlier one. How many stay is a\n"
      "setting: vitrine settings set models_kept=5.");
  models->require_subcommand(1);
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = models->add_subcommand(name, help);
    AddDataOption(command, common);
    AddSiteOption(command, common);
    AddJsonOption(command, common);
    return command;
  };
  CLI::App* list = add("list", "The newest first; every byte of each is checked");
  list->callback([=] { *action = [=] { return List(*common); }; });

  auto model = std::make_shared<std::string>();
  CLI::App* rollback =
      add("rollback",
          "Serve an earlier model again, without failing a request. It is read and checked first,\n"
          "and stays the one after a restart; the next scheduled training begins from it.");
  rollback->add_option("--model", *model,
                       "Which one (vitrine models list); without it, the one made before the one "
                       "that is served");
  rollback->callback([=] { *action = [=] { return RollBack(*common, *model); }; });
}

}  // namespace vitrine::cli
