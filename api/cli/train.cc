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

// What the gate found (recommender/offline/gate.h).
std::string GateNote(const GateReport& gate) {
  std::string note = absl::StrFormat(
      "NDCG@20 %.4f on the last visits of %d people, which were kept from the training", gate.ndcg,
      gate.visits);
  if (gate.served_ndcg > 0) {
    absl::StrAppendFormat(&note, "; the model served before: %.4f (difference %+.4f to %+.4f)",
                          gate.served_ndcg, gate.difference_low, gate.difference_high);
  }
  return note;
}

std::string LearnedNote(const LearnedReport& learned) {
  const bool session = learned.what == "session";
  const char* const what = session ? "session settings" : "the mix of lists";
  if (learned.cases == 0) return absl::StrFormat("%s: too little to learn from", what);
  return absl::StrFormat(
      "%s: %s %.4f with the defaults, %.4f as learned, on %d %s that were kept from it: %s", what,
      session ? "HR@20 + MRR@20" : "Recall@20 + NDCG@20", learned.before, learned.after,
      learned.cases, session ? "clicks" : "visits",
      learned.used ? "used" : "not better by more than chance, the defaults stay");
}

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
  if (info.__isset.gate) report.notes.push_back(GateNote(info.gate));
  for (const LearnedReport& learned : info.learned) report.notes.push_back(LearnedNote(learned));
  Print(report, common);
  if (info.published) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the new model ranks worse than the one that is served, and was not published; --force "
      "publishes one all the same");
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
      "A running server swaps it in without failing a request. The last visits of some people are\n"
      "kept from the training: a model that ranks them worse than the one that is served is not\n"
      "published. Settings that are not given have the shop defaults that recommender/README.md\n"
      "lists; vitrine tune looks for better ones.");
  auto request = std::make_shared<TrainRequest>();
  TrainRequest* r = request.get();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddSetting<int32_t>(command, "--factors", "Length of the vectors (1 to 1024)",
                      [r](int32_t v) { r->__set_factors(v); });
  AddSetting<int32_t>(command, "--epochs", "Sweeps over both sides",
                      [r](int32_t v) { r->__set_epochs(v); });
  AddSetting<double>(command, "--unobserved-weight",
                     "Weight of what nobody touched; by default what suits the catalogue's size",
                     [r](double v) { r->__set_unobserved_weight(v); });
  AddSetting<double>(command, "--regularization", "Strength of the L2 term",
                     [r](double v) { r->__set_regularization(v); });
  AddSetting<double>(command, "--regularization-exponent",
                     "How the L2 term grows with a row's degree (0 to 2)",
                     [r](double v) { r->__set_regularization_exponent(v); });
  AddSetting<double>(command, "--half-life-days", "Days after which an event counts half",
                     [r](double v) { r->__set_half_life_days(v); });
  AddSetting<double>(command, "--view-weight", "Weight of a view, where a purchase has 3",
                     [r](double v) { r->__set_view_weight(v); });
  AddSetting<std::string>(command, "--solver",
                          "exact (default), cg (conjugate gradients) or ials++ (blocks)",
                          [r](const std::string& v) { r->__set_solver(v); });
  AddSetting<int64_t>(command, "--seed", "Same seed, same model",
                      [r](int64_t v) { r->__set_seed(v); });
  command->add_flag("--warm", r->warm, "Begin from the model that is served");
  command->add_flag("--early-stop", r->early_stop,
                    "Stop when more epochs do not rank held-out visits better");
  command->add_flag("--learn-lists", r->learn_lists,
                    "Learn session settings and the mix of lists too, and use what is better than\n"
                    "the defaults; scheduled trainings go on so (a minute or two more)");
  command->add_flag("--force", r->force,
                    "Publish the model even if it ranks worse than the one that is served");
  command->callback([=] { *action = [=] { return Run(*common, *request); }; });
}

}  // namespace vitrine::cli
