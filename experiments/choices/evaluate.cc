#include "experiments/choices/evaluate.h"

#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "experiments/off_policy/cross_fit.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

constexpr double kSumTolerance = 1e-6;

std::string CellOf(const std::string& segment, size_t arm) {
  return absl::StrCat(segment, "\n", arm);
}

// By arm of the experiment.
std::vector<double> WeightsFor(const Experiment& experiment, const TargetPolicy& target,
                               const std::string& segment) {
  const auto own = target.weights.find(segment);
  const std::map<std::string, double>& by_name =
      own != target.weights.end() ? own->second : target.weights.at("");
  std::vector<double> weights;
  for (const ExperimentArm& arm : experiment.arms) {
    const auto found = by_name.find(arm.id);
    weights.push_back(found == by_name.end() ? 0 : found->second);
  }
  return weights;
}

}  // namespace

absl::Status CheckTarget(const Experiment& experiment, const TargetPolicy& target) {
  if (!target.weights.contains("")) {
    return absl::InvalidArgumentError(
        "weights: the segment \"\", of all that have none of their own, is wanted");
  }
  for (const auto& [segment, weights] : target.weights) {
    const std::string where = absl::StrCat("weights[", segment, "]");
    double sum = 0;
    for (const auto& [name, weight] : weights) {
      const bool known = absl::c_any_of(
          experiment.arms, [&name = name](const ExperimentArm& arm) { return arm.id == name; });
      if (!known) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ".", name, ": the experiment ", experiment.id,
                         " has no such arm, and its log says nothing of it"));
      }
      if (!(weight >= 0)) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ".", name, ": ", weight, " is below 0"));
      }
      sum += weight;
    }
    if (std::abs(sum - 1) > kSumTolerance) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": the sum is ", sum, ", not 1"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Evaluation> EvaluatePolicy(const WebHouse& house, const Experiment& experiment,
                                          const TargetPolicy& target,
                                          const ChoicesOptions& options) {
  RETURN_IF_ERROR(CheckTarget(experiment, target));
  CrossFitMeans means;
  const auto learn = [&](absl::string_view unit, std::span<const Choice> choices) {
    for (const Choice& choice : choices) {
      means.Add(unit, CellOf(choice.segment, choice.arm), choice.reward);
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ReadChoices(house, experiment, options, learn).status());
  OffPolicyEvaluator evaluator({.alpha = experiment.alpha});
  std::vector<LoggedChoice> rows;
  const auto judge = [&](absl::string_view unit, std::span<const Choice> choices) {
    rows.clear();
    for (const Choice& choice : choices) {
      const std::vector<double> weights = WeightsFor(experiment, target, choice.segment);
      LoggedChoice& row = rows.emplace_back();
      row = {choice.reward, choice.propensity, weights[choice.arm]};
      for (size_t arm = 0; arm < weights.size(); ++arm) {
        const double predicted = means.Predict(unit, CellOf(choice.segment, arm));
        row.predicted_target += weights[arm] * predicted;
        if (arm == choice.arm) row.predicted = predicted;
      }
    }
    return evaluator.AddUser(rows);
  };
  Evaluation evaluation;
  ASSIGN_OR_RETURN(evaluation.read, ReadChoices(house, experiment, options, judge));
  ASSIGN_OR_RETURN(evaluation.report, evaluator.Report());
  return evaluation;
}

Report EvaluationReport(const Experiment& experiment, const Evaluation& evaluation,
                        int minor_digits) {
  const double scale =
      experiment.primary == ExperimentMetric::REVENUE ? std::pow(10, -minor_digits) : 1;
  const OffPolicyReport& found = evaluation.report;
  Report report;
  report.summary.push_back({"experiment.evaluate.read",
                            {evaluation.read.choices, evaluation.read.units, experiment.id}});
  for (const std::string& objection : found.objections) {
    report.summary.push_back({"experiment.evaluate.objection", {objection}});
  }
  if (found.objections.empty()) {
    Report::Table table = {
        "experiment_evaluation", "", {{"estimator"}, {"value", 4}, {"improvement", 4}}, {}};
    const auto add = [&](const char* name, const PolicyValue& value) {
      table.rows.push_back(
          {name, Report::Estimate{value.value.value * scale, value.low * scale, value.high * scale},
           Report::Estimate{value.improvement.value * scale, value.improvement_low * scale,
                            value.improvement_high * scale}});
    };
    add("IPS", found.ips);
    add("SNIPS", found.snips);
    add("DR", found.dr);
    report.tables.push_back(std::move(table));
  }
  report.tables.push_back(
      {"experiment_weight_of_log",
       "",
       {{"logged_value", 4}, {"effective_size", 0}, {"mean_weight", 4}, {"max_weight", 2}},
       {{found.logged_value * scale, found.effective_size, found.mean_weight, found.max_weight}}});
  report.messages.push_back({"experiment.evaluate.note"});
  return report;
}

}  // namespace vitrine::experiments
