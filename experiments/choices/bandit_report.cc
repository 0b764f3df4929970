#include "experiments/choices/bandit_report.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "experiments/bandit/weights.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

using Message = Report::Message;
using Table = Report::Table;

bool IsConversion(const Experiment& experiment) {
  return experiment.primary == ExperimentMetric::CONVERSION;
}

// Of these arms; nothing if they cannot be told from what was seen.
std::optional<std::vector<double>> WeightsOf(const Experiment& experiment,
                                             const BanditSums::Arms& arms) {
  const BanditOptions options = {.floor = experiment.bandit.floor,
                                 .units_per_arm_min = experiment.bandit.units_per_arm_min};
  std::vector<int64_t> units;
  std::vector<BetaPosterior> beta;
  std::vector<NormalPosterior> normal;
  for (const MetricSums& sums : arms) {
    units.push_back(sums.units);
    if (sums.units < options.units_per_arm_min || sums.units < 2) return std::nullopt;
    const double bought = sums.sums[0];
    beta.push_back({1 + bought, 1 + static_cast<double>(sums.units) - bought});
    const double variance = sums.Variance(0);
    if (!IsConversion(experiment) && !(variance > 0)) return std::nullopt;
    normal.push_back({sums.Mean(0), std::sqrt(variance / static_cast<double>(sums.units))});
  }
  absl::StatusOr<std::vector<double>> weights = IsConversion(experiment)
                                                    ? ThompsonWeights(beta, units, options)
                                                    : ThompsonWeights(normal, units, options);
  if (!weights.ok()) return std::nullopt;
  return *std::move(weights);
}

// One row of the log as the policy "this arm, always" is judged on it.
LoggedChoice Judged(const Choice& choice, size_t arm) {
  return {choice.reward, choice.propensity, choice.arm == arm ? 1.0 : 0.0};
}

std::string WeightsText(const Experiment& experiment, const std::vector<double>& weights) {
  std::vector<std::string> parts;
  for (size_t a = 0; a < weights.size(); ++a) {
    parts.push_back(absl::StrCat(experiment.arms[a].id, " ", std::round(weights[a] * 1000) / 1000));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace

void AddChoice(const Experiment& experiment, const Choice& choice, BanditSums* sums) {
  for (BanditSums::Arms* arms : {&sums->segments[choice.segment], &sums->batches[choice.batch]}) {
    arms->resize(experiment.arms.size());
    (*arms)[choice.arm].Add({.value = choice.reward});
  }
}

BanditBatch NextBatch(const Experiment& experiment, const BanditSums& sums, int64_t now_ms) {
  BanditBatch next;
  next.number = experiment.batch.number + 1;
  next.from_ms = now_ms;
  BanditSums::Arms all(experiment.arms.size());
  for (const auto& [segment, arms] : sums.segments) {
    for (size_t a = 0; a < arms.size(); ++a) all[a].Merge(arms[a]);
    if (segment.empty()) continue;
    if (auto weights = WeightsOf(experiment, arms)) next.weights[segment] = *std::move(weights);
  }
  const auto count = static_cast<double>(experiment.arms.size());
  next.weights[""] =
      WeightsOf(experiment, all).value_or(std::vector<double>(experiment.arms.size(), 1 / count));
  return next;
}

absl::StatusOr<BanditFindings> ReadBandit(const WebHouse& house, const Experiment& experiment,
                                          const ChoicesOptions& options) {
  BanditFindings findings;
  std::vector<OffPolicyEvaluator> evaluators(experiment.arms.size(),
                                             OffPolicyEvaluator({.alpha = experiment.alpha}));
  std::vector<LoggedChoice> rows;
  ASSIGN_OR_RETURN(
      findings.read,
      ReadChoices(house, experiment, options,
                  [&](absl::string_view, std::span<const Choice> choices) -> absl::Status {
                    for (const Choice& choice : choices) {
                      AddChoice(experiment, choice, &findings.sums);
                    }
                    for (size_t arm = 0; arm < evaluators.size(); ++arm) {
                      rows.clear();
                      for (const Choice& choice : choices) rows.push_back(Judged(choice, arm));
                      RETURN_IF_ERROR(evaluators[arm].AddUser(rows));
                    }
                    return absl::OkStatus();
                  }));
  std::vector<std::vector<MetricSums>> batches;
  for (const auto& [number, arms] : findings.sums.batches) batches.push_back(arms);
  for (size_t arm = 0; arm < experiment.arms.size(); ++arm) {
    ArmFinding& value = findings.arms.emplace_back();
    if (absl::StatusOr<OffPolicyReport> report = evaluators[arm].Report(); report.ok()) {
      value.value = *std::move(report);
    }
    if (arm == 0) continue;
    const MetricKind kind = IsConversion(experiment) ? MetricKind::kProportion : MetricKind::kMean;
    const absl::StatusOr<BatchedEffect> effect = EstimateBatched(batches, 0, arm, kind);
    if (effect.ok()) value.effect = *effect;
  }
  return findings;
}

Report BanditReport(const Experiment& experiment, const BanditFindings& findings,
                    int minor_digits) {
  const double scale = IsConversion(experiment) ? 1 : std::pow(10, -minor_digits);
  Report report;
  report.summary.push_back(
      {"experiment.tested", {experiment.id, experiment.placement, experiment.hypothesis}});
  report.summary.push_back({"experiment.bandit.progress",
                            {findings.read.units, findings.read.choices, experiment.batch.number}});
  Table arms = {"experiment_bandit",
                "",
                {{"arm"},
                 {"choices"},
                 {"value", 4},
                 {"effective_size", 0},
                 {"batched_difference", 4},
                 {"p_value", 4},
                 {"finding"}},
                {}};
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    int64_t choices = 0;
    for (const auto& [number, of_batch] : findings.sums.batches) choices += of_batch[a].units;
    std::vector<Report::Cell>& row = arms.rows.emplace_back();
    row = {experiment.arms[a].id, choices};
    const ArmFinding& value = findings.arms[a];
    const bool readable = value.value && value.value->objections.empty();
    if (readable) {
      const PolicyValue& snips = value.value->snips;
      row.emplace_back(
          Report::Estimate{snips.value.value * scale, snips.low * scale, snips.high * scale});
    } else {
      row.emplace_back("");
    }
    row.emplace_back(value.value ? value.value->effective_size : 0.0);
    if (value.effect && readable) {
      row.emplace_back(value.effect->difference * scale);
      row.emplace_back(value.effect->p);
    } else {
      row.insert(row.end(), {"", ""});
    }
    if (!value.value) {
      row.emplace_back(Message{"experiment.finding.too_few"});
    } else if (!readable) {
      row.emplace_back(
          Message{"experiment.bandit.too_little", {absl::StrJoin(value.value->objections, "; ")}});
    } else if (value.effect && value.effect->p < experiment.alpha) {
      row.emplace_back(
          Message{value.effect->z > 0 ? "experiment.finding.better" : "experiment.finding.worse"});
    } else {
      row.emplace_back(Message{"experiment.finding.undecided"});
    }
  }
  report.tables.push_back(std::move(arms));
  Table weights = {"experiment_weights", "", {{"segment"}, {"choices"}, {"weights"}}, {}};
  for (const auto& [segment, shares] : experiment.batch.weights) {
    int64_t choices = 0;
    for (const auto& [name, of_arms] : findings.sums.segments) {
      if (!segment.empty() && name != segment) continue;
      for (const MetricSums& sums : of_arms) choices += sums.units;
    }
    weights.rows.push_back({segment, choices, WeightsText(experiment, shares)});
  }
  report.tables.push_back(std::move(weights));
  report.messages.push_back({"experiment.bandit.note"});
  const auto count = [&report](const char* key, int64_t number) {
    if (number > 0) report.messages.push_back({key, {number}});
  };
  count("experiment.bandit.mixed", findings.read.mixed);
  count("experiment.note.forced", findings.read.forced);
  count("experiment.note.robots", findings.read.robots);
  return report;
}

}  // namespace vitrine::experiments
