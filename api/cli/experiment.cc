// vitrine experiment: what is tried out, from the plan to the report.

#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/experiment_choices.h"
#include "api/cli/experiments_json.h"
#include "api/client/client.h"
#include "api/render/wording.h"
#include "experiments/definition/definition.h"
#include "experiments/definition/metrics.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string id;
  std::string arm;
  std::string file;
  std::string comment;
  int32_t hours = 24;
  double lift = 0.05;
  double power = 0.8;
  int32_t days = 28;
  int32_t evaluated_days = 7;
  bool update = false;
};

std::string ArmsText(const Experiment& experiment) {
  return absl::StrJoin(experiment.arms, ", ", [](std::string* out, const ExperimentArm& arm) {
    absl::StrAppend(out, arm.id, arm.weight == 1 ? "" : absl::StrCat(" (", arm.weight, ")"));
  });
}

absl::StatusOr<ExperimentVersion> Find(Access* access, const Common& common,
                                       const std::string& id) {
  std::vector<ExperimentVersion> versions;
  RETURN_IF_ERROR(
      CatchThrift([&] { access->backoffice().experiment_history(versions, common.site, id, 1); }));
  return versions.at(0);
}

absl::Status List(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<ExperimentVersion> versions;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().experiments(versions, common.site); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "experiments";
  table.columns = {{"experiment"}, {"status"},  {"placement"}, {"arms"},
                   {"version"},    {"changed"}, {"by"},        {"hypothesis"}};
  for (const ExperimentVersion& version : versions) {
    const Experiment& experiment = version.content;
    table.rows.push_back({experiment.id, std::string(ExperimentStatusName(experiment.status)),
                          experiment.placement, ArmsText(experiment), version.version,
                          TimeText(version.time_ms), version.who, experiment.hypothesis});
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowOne(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const ExperimentVersion version, Find(access.get(), common, options.id));
  std::cout << ExperimentToJson(version);
  return absl::OkStatus();
}

absl::Status History(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<ExperimentVersion> versions;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().experiment_history(versions, common.site, options.id,
                                            limits::kWireContainerMax);
  }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"status"}, {"coverage", 4}, {"comment"}};
  for (const ExperimentVersion& version : versions) {
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          std::string(ExperimentStatusName(version.content.status)),
                          version.content.coverage, version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

void Say(const Common& common, const ExperimentChange& change) {
  for (const std::string& warning : change.warnings) std::cerr << "warning: " << warning << "\n";
  if (common.json) {
    std::cout << ExperimentToJson(change.version);
    return;
  }
  const Experiment& experiment = change.version.content;
  std::cout << experiment.id << " is at version " << change.version.version << " now, "
            << ExperimentStatusName(experiment.status) << "\n";
}

absl::StatusOr<ExperimentDocument> Read(const std::string& file) {
  return ReadDocument<Experiment>(file, ExperimentFromJson, experiments::ValidateExperiment);
}

absl::Status Set(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const ExperimentDocument document, Read(options.file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ExperimentChange change;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().set_experiment(change, common.site, document.content,
                                        document.version.value_or(0), Who(), options.comment);
  }));
  Say(common, change);
  return absl::OkStatus();
}

absl::Status Move(const Common& common, const Options& options, ExperimentStatus to) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ExperimentChange change;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().move_experiment(change, common.site, options.id, to, Who(),
                                         options.comment);
  }));
  Say(common, change);
  return absl::OkStatus();
}

absl::Status Preview(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::string token;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().force_arm(token, common.site, options.id, options.arm, options.hours);
  }));
  std::cout << token << "\n";
  return absl::OkStatus();
}

// A file that is not set yet, or the id of one that is.
absl::StatusOr<Experiment> FileOrId(Access* access, const Common& common, const std::string& text) {
  if (std::ifstream(text).good()) {
    ASSIGN_OR_RETURN(ExperimentDocument document, Read(text));
    return std::move(document.content);
  }
  ASSIGN_OR_RETURN(ExperimentVersion version, Find(access, common, text));
  return std::move(version.content);
}

Report::Message::Argument DecidingMetric(const Experiment& experiment) {
  const experiments::MeasuredMetric metric = experiments::MetricsOf(experiment).front();
  if (metric.event != nullptr) return metric.name;
  return Report::Key{absl::StrCat("experiment.metric_plain.", metric.name)};
}

absl::Status Plan(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const Experiment experiment, FileOrId(access.get(), common, options.file));
  ExperimentSize plan;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().experiment_plan(plan, common.site, experiment, options.lift, options.power,
                                         options.days);
  }));
  Report report;
  report.summary.push_back({"experiment.plan",
                            {100 * options.lift, DecidingMetric(experiment), 100 * options.power,
                             plan.planned_units, plan.days}});
  report.tables.push_back({"experiment_plan",
                           "",
                           {{"units_a_day", 1},
                            {"mean", 4},
                            {"variance", 4},
                            {"units_per_arm", 0},
                            {"planned_units"},
                            {"days", 1}},
                           {{plan.units_a_day, plan.mean, plan.variance, plan.units_per_arm,
                             plan.planned_units, plan.days}}});
  report.messages.push_back(
      {"experiment.plan.history", {int64_t{options.days}, plan.history_units}});
  if (plan.of_visitors) report.messages.push_back({"experiment.plan.of_visitors"});
  if (experiment.sequential) report.messages.push_back({"experiment.plan.sequential"});
  return Show(report, FormatMessage(common.language, {"experiment.plan.title", {experiment.id}}),
              common);
}

absl::Status ReportOne(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::string report;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().experiment_report(report, common.site, options.id, WantedFormat(common),
                                           common.language == Language::kPersian ? "fa" : "en");
  }));
  return ShowRendered(report, common);
}

absl::Status Weights(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ExperimentVersion version;
  if (options.update) {
    ExperimentChange change;
    RETURN_IF_ERROR(CatchThrift(
        [&] { access->backoffice().update_weights(change, common.site, options.id, Who()); }));
    version = std::move(change.version);
  } else {
    ASSIGN_OR_RETURN(version, Find(access.get(), common, options.id));
  }
  const Experiment& experiment = version.content;
  if (!experiment.__isset.batch) {
    return absl::FailedPreconditionError(
        absl::StrCat(experiment.id, " is no bandit that has begun"));
  }
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "experiment_weights";
  table.columns = {{"segment"}};
  for (const ExperimentArm& arm : experiment.arms) table.columns.push_back({arm.id, 4});
  for (const auto& [segment, weights] : experiment.batch.weights) {
    table.rows.push_back({segment});
    for (const double weight : weights) table.rows.back().emplace_back(weight);
  }
  report.notes.push_back(absl::StrCat("batch ", experiment.batch.number, ", since ",
                                      TimeText(experiment.batch.from_ms)));
  Print(report, common);
  return absl::OkStatus();
}

absl::Status Evaluate(const Common& common, const Options& options) {
  std::ifstream file(options.file);
  if (!file.good()) {
    return absl::NotFoundError(absl::StrCat("there is no file ", options.file));
  }
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  ASSIGN_OR_RETURN(const experiments::TargetPolicy target, TargetFromJson(text));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const ExperimentVersion version, Find(access.get(), common, target.experiment));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  return ShowEvaluation(copy->house(), version.content, target, options.evaluated_days,
                        Clock::System().NowMs(), common);
}

}  // namespace

void AddExperiment(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "experiment",
      "Try something out on a part of the customers, and see whether it earns more:\n"
      "  vitrine experiment set --site S examples/experiment.json\n"
      "  vitrine experiment plan --site S popular-first --lift 0.05\n"
      "  vitrine experiment start --site S popular-first\n"
      "  vitrine experiment report --site S popular-first --html report.html\n"
      "It holds from the next request on; every version is kept.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help) {
    CLI::App* const sub = command->add_subcommand(name, help);
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
    return sub;
  };
  const auto with_id = [options](CLI::App* sub) {
    sub->add_option("id", options->id, "Of the experiment, as list shows it")->required();
  };
  const auto with_comment = [options](CLI::App* sub) {
    sub->add_option("--comment", options->comment, "Why, for the history");
  };

  add("list", "All experiments of the site")->callback([=] {
    *action = [=] { return List(*common); };
  });

  CLI::App* const show = add("show", "One as a file to edit");
  with_id(show);
  show->callback([=] { *action = [=] { return ShowOne(*common, *options); }; });

  CLI::App* const history = add("history", "Who changed it when, the newest first");
  with_id(history);
  history->callback([=] { *action = [=] { return History(*common, *options); }; });

  CLI::App* const set =
      add("set", "Takes a file as a draft, or as a change; refused if somebody changed it since");
  set->add_option("file", options->file, "JSON, as show prints it")->required();
  with_comment(set);
  set->callback([=] { *action = [=] { return Set(*common, *options); }; });

  static const struct {
    const char* name;
    ExperimentStatus to;
    const char* help;
  } kMoves[] = {
      {"start", ExperimentStatus::RUNNING, "Begins it, or goes on with one that was paused"},
      {"pause", ExperimentStatus::PAUSED, "Shows everybody what there is without it, for a while"},
      {"stop", ExperimentStatus::STOPPED, "Ends it for good"},
      {"archive", ExperimentStatus::ARCHIVED, "Puts one away that has ended, or never began"}};
  for (const auto& move : kMoves) {
    CLI::App* const sub = add(move.name, move.help);
    with_id(sub);
    with_comment(sub);
    const ExperimentStatus to = move.to;
    sub->callback([=] { *action = [=] { return Move(*common, *options, to); }; });
  }

  CLI::App* const preview = add(
      "preview", "Prints what a request's forced_arms takes, so that somebody can look at an arm");
  with_id(preview);
  preview->add_option("arm", options->arm, "The arm")->required();
  preview->add_option("--hours", options->hours, "How long it is good")
      ->check(CLI::Range(1, limits::kForcedHoursMax))
      ->capture_default_str();
  preview->callback([=] { *action = [=] { return Preview(*common, *options); }; });

  CLI::App* const plan =
      add("plan",
          "Says how many units, and days, it takes to find a difference, from the site's\n"
          "own history");
  AddPageOptions(plan, common);
  plan->add_option("experiment", options->file, "Its id, or a file")->required();
  plan->add_option("--lift", options->lift, "The least difference worth finding: 0.05 is 5 %")
      ->capture_default_str();
  plan->add_option("--power", options->power, "The chance to find it if it is there")
      ->check(CLI::Range(0.01, 0.999))
      ->capture_default_str();
  plan->add_option("--days", options->days, "Of history to go by")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  plan->callback([=] { *action = [=] { return Plan(*common, *options); }; });

  CLI::App* const report =
      add("report",
          "What was tested, whether it is valid, what happened, how sure that is, and\n"
          "what to do. A server counts only what is new since the report before.");
  AddPageOptions(report, common);
  with_id(report);
  report->callback([=] { *action = [=] { return ReportOne(*common, *options); }; });

  CLI::App* const weights = add("weights", "What a bandit weighs by now");
  with_id(weights);
  weights->add_flag("--update", options->update,
                    "Begin the next batch first, from what came of those before");
  weights->callback([=] { *action = [=] { return Weights(*common, *options); }; });

  CLI::App* const evaluate =
      add("evaluate",
          "What another share of an experiment's arms would have earned, from its log alone:\n"
          "  {\"experiment\": \"x\", \"weights\": {\"\": {\"old\": 0.2, \"new\": 0.8}}}\n"
          "Segments may have weights of their own; an arm alone (1) is a recipe tried before\n"
          "everybody gets it. Shows no numbers where the log cannot carry them.");
  AddPageOptions(evaluate, common);
  evaluate->add_option("file", options->file, "JSON")->required();
  evaluate->add_option("--days", options->evaluated_days, "Of the log, up to now")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  evaluate->callback([=] { *action = [=] { return Evaluate(*common, *options); }; });
}

}  // namespace vitrine::cli
