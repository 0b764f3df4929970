#include "experiments/analysis/experiment_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "experiments/analysis/unit_counter.h"
#include "experiments/analysis/unit_outcome.h"
#include "experiments/attribution/placement_report.h"
#include "experiments/definition/definition.h"
#include "experiments/definition/metrics.h"
#include "experiments/sequential/confidence_sequence.h"
#include "experiments/sequential/sample_ratio_sequence.h"
#include "experiments/verdict/cuts.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

using Message = Report::Message;
using Table = Report::Table;

std::vector<int64_t> UnitsOf(const ExperimentCounts& counts) {
  std::vector<int64_t> units;
  for (const ArmSums& arm : counts.arms) units.push_back(arm.metrics.at(0).units);
  return units;
}

// A fixed test that was stopped before its end has not reached what was registered.
bool HasEnded(const Experiment& experiment, int64_t now_ms) {
  const bool past = experiment.__isset.to_ms && experiment.to_ms <= now_ms;
  const bool stopped = experiment.__isset.stopped_ms;
  if (experiment.sequential) return past || stopped;
  return past && (!stopped || experiment.stopped_ms >= experiment.to_ms);
}

// One of the shop's own has the name that the shop gave it.
Report::Text MetricText(const MeasuredMetric& metric, const Experiment& experiment) {
  if (metric.event != nullptr) return metric.name;
  Message message = {absl::StrCat("experiment.metric.", metric.name)};
  if (metric.IsMoney()) message.arguments = {experiment.currency};
  return message;
}

Message::Argument PlainMetric(const MeasuredMetric& metric) {
  if (metric.event != nullptr) return metric.name;
  return Report::Key{absl::StrCat("experiment.metric_plain.", metric.name)};
}

TestPlan PlanOf(const Experiment& experiment) {
  return {.sequential = experiment.sequential,
          .alpha = experiment.alpha,
          .planned_units = static_cast<double>(experiment.planned_units)};
}

absl::string_view RoleName(MetricRole role) {
  switch (role) {
    case MetricRole::kPrimary:
      return "primary";
    case MetricRole::kSecondary:
      return "secondary";
    case MetricRole::kGuardrail:
      return "guardrail";
  }
  return "";
}

class Writer {
 public:
  Writer(const Experiment& experiment, const ExperimentCounts& counts, const Verdict& verdict,
         const ExperimentReportOptions& options)
      : experiment_(experiment),
        counts_(counts),
        verdict_(verdict),
        options_(options),
        definitions_(DefinitionsOf(experiment)),
        metrics_(MetricsOf(experiment)) {}

  absl::StatusOr<Report> Write() && {
    ASSIGN_OR_RETURN(const Assigner assigner, AssignerOf(experiment_));
    shares_.assign(assigner.shares().begin(), assigner.shares().end());
    AddSummary();
    AddArms();
    if (!verdict_.comparisons.empty()) {
      AddMetrics();
      RETURN_IF_ERROR(AddSoFar());
      RETURN_IF_ERROR(AddCuts());
      AddShown();
    }
    RETURN_IF_ERROR(AddDays());
    AddNotes();
    return std::move(report_);
  }

 private:
  void AddSummary() {
    report_.summary.push_back(
        {"experiment.tested", {experiment_.id, experiment_.placement, experiment_.hypothesis}});
    int64_t units = 0;
    for (const int64_t of_arm : UnitsOf(counts_)) units += of_arm;
    report_.summary.push_back(
        {"experiment.progress",
         {units, experiment_.planned_units,
          Report::Key{
              absl::StrCat("experiment.status.", ExperimentStatusName(experiment_.status))}}});
    const std::string decision(DecisionName(verdict_.decision));
    Message told = {absl::StrCat("experiment.decision.", decision)};
    const MetricVerdict* const best = Winner();
    if (best != nullptr) {
      told.arguments = {experiment_.arms[best->arm].id, PlainMetric(metrics_[best->metric])};
    }
    report_.summary.push_back(std::move(told));
    if (best != nullptr && best->relative) {
      report_.summary.push_back({"experiment.how_much",
                                 {100 * best->effect->relative->value, 100 * best->relative->low,
                                  100 * best->relative->high, 100 * (1 - best->interval_alpha)}});
    }
    for (const Objection& objection : verdict_.validity.objections) {
      report_.summary.push_back(
          {absl::StrCat("experiment.objection.", ObjectionKindName(objection.kind)),
           {objection.text}});
    }
    report_.summary.push_back({absl::StrCat("experiment.advice.", decision)});
  }

  // What the primary metric says of the arm that won; null where none did.
  const MetricVerdict* Winner() const {
    if (verdict_.decision != Decision::kTreatmentWins) return nullptr;
    for (const MetricVerdict& one : verdict_.comparisons) {
      const bool primary = definitions_[one.metric].role == MetricRole::kPrimary;
      if (primary && one.arm == verdict_.winner) return &one;
    }
    return nullptr;
  }

  void AddArms() {
    Table table = {"experiment_arms",
                   "",
                   {{"arm"},
                    {"units"},
                    {"share", 2, Report::Unit::kShare},
                    {"share_expected", 2, Report::Unit::kShare}},
                   {}};
    const std::vector<int64_t> units = UnitsOf(counts_);
    double all = 0, weights = 0;
    for (size_t a = 0; a < units.size(); ++a) {
      all += static_cast<double>(units[a]);
      weights += experiment_.arms[a].weight;
    }
    for (size_t a = 0; a < units.size(); ++a) {
      table.rows.push_back({counts_.arms[a].name, units[a],
                            all > 0 ? static_cast<double>(units[a]) / all : 0,
                            experiment_.arms[a].weight / weights});
    }
    report_.tables.push_back(std::move(table));
  }

  double Scale(size_t metric) const {
    return metrics_[metric].IsMoney() ? std::pow(10, -options_.minor_digits) : 1;
  }

  // Control, treatment, and the difference between them.
  void AddValues(const MetricVerdict& one, std::vector<Report::Cell>* row) const {
    const double scale = Scale(one.metric);
    row->emplace_back(one.effect->control.observed * scale);
    row->emplace_back(one.effect->treatment.observed * scale);
    if (one.relative) {
      row->emplace_back(
          Report::Estimate{one.effect->relative->value, one.relative->low, one.relative->high});
    } else {
      row->emplace_back("");
    }
  }

  void AddMetrics() {
    Table table = {"experiment_metrics",
                   "",
                   {{"comparison"},
                    {"role"},
                    {"control_value", 4},
                    {"treatment_value", 4},
                    {"relative_difference", 2, Report::Unit::kShare},
                    {"p_value", 4},
                    {"chance_to_win", 1, Report::Unit::kShare},
                    {"finding"}},
                   {}};
    for (const MetricVerdict& one : verdict_.comparisons) {
      const MetricDefinition& definition = definitions_[one.metric];
      Report::Parts name;
      name.parts = {MetricText(metrics_[one.metric], experiment_), counts_.arms[one.arm].name};
      std::vector<Report::Cell>& row = table.rows.emplace_back();
      row = {name, Message{absl::StrCat("experiment.role.", RoleName(definition.role))}};
      if (!one.effect.has_value()) {
        row.insert(row.end(), {"", "", "", "", "", Message{"experiment.finding.nothing"}});
        continue;
      }
      AddValues(one, &row);
      row.emplace_back(one.p_adjusted);
      row.emplace_back(one.bayesian.chance_to_win);
      row.emplace_back(Message{FindingOf(one, definition)});
    }
    report_.tables.push_back(std::move(table));
    report_.plots.push_back(
        {Report::Plot::Kind::kDots, "experiment_metrics", {"comparison", "relative_difference"}});
  }

  static std::string FindingOf(const MetricVerdict& one, const MetricDefinition& definition) {
    switch (one.direction) {
      case Direction::kBetter:
        return "experiment.finding.better";
      case Direction::kWorse:
        return "experiment.finding.worse";
      case Direction::kUndecided:
        break;
    }
    if (definition.role == MetricRole::kGuardrail && one.safe) return "experiment.finding.safe";
    return "experiment.finding.undecided";
  }

  // The metric that decides as the verdict would have had it at the end of each day: a confidence
  // sequence holds for all of them together.
  absl::Status AddSoFar() {
    if (!experiment_.sequential) return absl::OkStatus();
    Table table = {"experiment_so_far", "", {{"day", 0, Report::Unit::kDay}, {"units"}}, {}};
    Report::Plot plot = {Report::Plot::Kind::kCurves, "experiment_so_far", {"day"}};
    for (size_t arm = 1; arm < counts_.arms.size(); ++arm) {
      table.columns.push_back({counts_.arms[arm].name, 2, Report::Unit::kShare});
      plot.columns.push_back(counts_.arms[arm].name);
    }
    for (const auto& [day, sums] : counts_.so_far) {
      int64_t units = 0;
      for (const MetricSums& arm : sums) units += arm.units;
      std::vector<Report::Cell> row = {DayText(day), units};
      ASSIGN_OR_RETURN(const std::vector<Report::Estimate> lifts, LiftsOf(sums));
      row.insert(row.end(), lifts.begin(), lifts.end());
      // Before there is anything to say of each arm, there is nothing.
      if (row.size() == table.columns.size()) table.rows.push_back(std::move(row));
    }
    const size_t most = limits::kExperimentDaysMax;
    if (table.rows.size() > most) table.rows.erase(table.rows.begin(), table.rows.end() - most);
    if (table.rows.empty()) return absl::OkStatus();
    report_.tables.push_back(std::move(table));
    report_.plots.push_back(std::move(plot));
    return absl::OkStatus();
  }

  // Of each treatment; fewer where something cannot be said yet.
  absl::StatusOr<std::vector<Report::Estimate>> LiftsOf(const std::vector<MetricSums>& sums) const {
    std::vector<Report::Estimate> lifts;
    const bool few = absl::c_any_of(
        sums, [](const MetricSums& arm) { return arm.units < kSequentialUnitsPerArmMin; });
    if (few) return lifts;
    const MetricDefinition& metric = definitions_.front();
    const Cuped cuped = metric.cuped ? PoolCuped(sums, metric.kind) : Cuped();
    for (size_t arm = 1; arm < sums.size(); ++arm) {
      const auto effect = EstimateEffect(sums[0], sums[arm], {.kind = metric.kind, .cuped = cuped});
      if (!effect.ok() || !effect->relative) continue;
      ASSIGN_OR_RETURN(
          const ConfidenceSequence sequence,
          ConfidenceSequence::Create(experiment_.alpha / static_cast<double>(sums.size() - 1),
                                     PlannedUnits(arm)));
      const SequentialLook look = sequence.Look(*effect->relative, sums[0].units + sums[arm].units);
      lifts.push_back({effect->relative->value, look.low, look.high});
    }
    return lifts;
  }

  // N* of two arms is their part of all arms'.
  double PlannedUnits(size_t arm) const {
    const double all = std::accumulate(shares_.begin(), shares_.end(), 0.0);
    return std::max(1.0, PlanOf(experiment_).planned_units * (shares_[0] + shares_[arm]) / all);
  }

  // What was found in any of all dimensions is corrected for all of them.
  absl::Status AddCuts() {
    if (counts_.dimensions.empty()) return absl::OkStatus();
    Table table = {"experiment_cuts",
                   "",
                   {{"cut"},
                    {"arm"},
                    {"units"},
                    {"control_value", 4},
                    {"treatment_value", 4},
                    {"relative_difference", 2, Report::Unit::kShare},
                    {"p_value", 4},
                    {"finding"}},
                   {}};
    TestPlan plan = PlanOf(experiment_);
    plan.alpha /= static_cast<double>(counts_.dimensions.size());
    for (const Dimension& dimension : counts_.dimensions) {
      ASSIGN_OR_RETURN(const std::vector<CutVerdict> verdicts,
                       JudgeCuts(plan, definitions_.front(), shares_, dimension.cuts));
      for (size_t c = 0; c < verdicts.size(); ++c) {
        AddCut(dimension, dimension.cuts[c], verdicts[c], &table);
      }
    }
    report_.tables.push_back(std::move(table));
    return absl::OkStatus();
  }

  void AddCut(const Dimension& dimension, const Cut& cut, const CutVerdict& verdict,
              Table* table) const {
    Report::Parts name;
    name.parts = {Message{absl::StrCat("column.", dimension.name)}, CutText(dimension, cut.value)};
    int64_t units = 0;
    for (const MetricSums& arm : cut.arms) units += arm.units;
    if (verdict.comparisons.empty()) {
      table->rows.push_back({name, "", units, "", "", "", "",
                             Message{verdict.invalid ? "experiment.finding.mismatch"
                                                     : "experiment.finding.too_few"}});
      return;
    }
    for (const MetricVerdict& one : verdict.comparisons) {
      std::vector<Report::Cell>& row = table->rows.emplace_back();
      row = {name, counts_.arms[one.arm].name, units};
      if (!one.effect.has_value()) {
        row.insert(row.end(), {"", "", "", "", Message{"experiment.finding.nothing"}});
        continue;
      }
      AddValues(one, &row);
      row.emplace_back(one.p_adjusted);
      row.emplace_back(Message{FindingOf(one, definitions_.front())});
    }
  }

  static Report::Text CutText(const Dimension& dimension, const std::string& value) {
    if (value.empty()) return Message{"unknown"};
    if (dimension.name != "country") return Message{absl::StrCat(dimension.name, ".", value)};
    return value == "other" ? Report::Text(Message{"channel.other"}) : Report::Text(value);
  }

  void AddShown() {
    Table table = {"experiment_shown",
                   "",
                   {{"arm"},
                    {"products_shown"},
                    {"coverage", 1, Report::Unit::kShare},
                    {"novelty", 2},
                    {"diversity", 2, Report::Unit::kShare}},
                   {}};
    const auto share = [](double part, int64_t of) -> Report::Cell {
      if (of == 0) return "";
      return part / static_cast<double>(of);
    };
    for (size_t arm = 0; arm < counts_.shown.size(); ++arm) {
      const ShownByArm& shown = counts_.shown[arm];
      const int64_t catalogue = std::max(counts_.catalogue, shown.products);
      table.rows.push_back({counts_.arms[arm].name, shown.products,
                            share(static_cast<double>(shown.products), catalogue),
                            share(shown.bits, shown.showings),
                            share(static_cast<double>(shown.pairs_apart), shown.pairs)});
    }
    report_.tables.push_back(std::move(table));
    report_.messages.push_back({"experiment.note.shown"});
  }

  // Who came in on each day, and whether all until then came in the shares that they were to have.
  absl::Status AddDays() {
    if (counts_.days.empty()) return absl::OkStatus();
    Table table = {"experiment_days", "", {{"day", 0, Report::Unit::kDay}}, {}};
    for (const ArmSums& arm : counts_.arms) table.columns.push_back({arm.name});
    table.columns.push_back({"control_share", 2, Report::Unit::kShare});
    table.columns.push_back({"control_share_off", 2, Report::Unit::kShare});
    table.columns.push_back({"sample_ratio_p", 4});
    const double expected = shares_[0] / std::accumulate(shares_.begin(), shares_.end(), 0.0);
    std::vector<int64_t> so_far(counts_.arms.size());
    RunningP running;
    for (const auto& [day, units] : counts_.days) {
      std::vector<Report::Cell>& row = table.rows.emplace_back();
      row.emplace_back(DayText(day));
      int64_t all = 0;
      for (size_t arm = 0; arm < units.size(); ++arm) {
        row.emplace_back(units[arm]);
        all += units[arm];
        so_far[arm] += units[arm];
      }
      const Report::Estimate share = WilsonShare(units.front(), all);
      row.emplace_back(share.value);
      row.emplace_back(
          Report::Estimate{share.value - expected, share.low - expected, share.high - expected});
      ASSIGN_OR_RETURN(const double p, SampleRatioSequentialP(
                                           so_far, shares_,
                                           std::max<double>(1, PlanOf(experiment_).planned_units)));
      row.emplace_back(running.Update(p));
    }
    const size_t most = limits::kExperimentDaysMax;
    if (table.rows.size() > most) table.rows.erase(table.rows.begin(), table.rows.end() - most);
    report_.tables.push_back(std::move(table));
    report_.plots.push_back(
        {Report::Plot::Kind::kCurves, "experiment_days", {"day", "control_share_off"}});
    return absl::OkStatus();
  }

  static std::string DayText(int64_t day) {
    return absl::FormatCivilTime(absl::CivilDay(1970, 1, 1) + day);
  }

  void AddNotes() {
    report_.messages.push_back({"experiment.note.counted"});
    report_.messages.push_back(
        {experiment_.sequential ? "experiment.note.sequential" : "experiment.note.fixed",
         {experiment_.planned_units, experiment_.alpha}});
    if (!verdict_.comparisons.empty()) {
      report_.messages.push_back({"experiment.note.chance"});
      AddCaps();
      if (!counts_.dimensions.empty()) report_.messages.push_back({"experiment.note.cuts"});
    }
    const auto count = [this](const char* key, int64_t number) {
      if (number > 0) report_.messages.push_back({key, {number}});
    };
    count("experiment.note.mixed", counts_.mixed);
    count("experiment.note.forced", counts_.forced);
    count("experiment.note.robots", counts_.robots);
    for (const std::string& warning : verdict_.warnings) report_.notes.push_back(warning);
  }

  void AddCaps() {
    for (size_t m = 0; m < metrics_.size(); ++m) {
      const double cap = counts_.caps[m].high;
      if (!std::isfinite(cap)) continue;
      report_.messages.push_back({"experiment.note.capped",
                                  {PlainMetric(metrics_[m]), cap * Scale(m), experiment_.currency,
                                   100 * experiment_.cap_quantile}});
    }
  }

  const Experiment& experiment_;
  const ExperimentCounts& counts_;
  const Verdict& verdict_;
  const ExperimentReportOptions& options_;
  const std::vector<MetricDefinition> definitions_;
  const std::vector<MeasuredMetric> metrics_;
  std::vector<double> shares_;  // of the arms
  Report report_;
};

}  // namespace

absl::StatusOr<ExperimentCounts> CountExperiment(const WebHouse& house,
                                                 const Experiment& experiment,
                                                 const ExperimentReportOptions& options) {
  if (!experiment.__isset.started_ms) {
    return absl::FailedPreconditionError(
        absl::StrCat("the experiment ", experiment.id, " has not begun"));
  }
  UnitCounter units(experiment);
  RETURN_IF_ERROR(units.CountAll(house, options.on_progress));
  return units.Counts();
}

absl::StatusOr<Verdict> JudgeExperiment(const Experiment& experiment,
                                        const ExperimentCounts& counts, int64_t now_ms) {
  ASSIGN_OR_RETURN(const Assigner assigner, AssignerOf(experiment));
  Health health;
  health.exposed = {{UnitsOf(counts), assigner.shares()}};
  health.units_mixed = counts.mixed;
  health.replies = counts.replies;
  health.replies_unexposed = counts.replies_unexposed;
  return Judge(PlanOf(experiment), DefinitionsOf(experiment), counts.arms, health,
               HasEnded(experiment, now_ms));
}

absl::StatusOr<Report> ReportOf(const Experiment& experiment, const ExperimentCounts& counts,
                                const Verdict& verdict, const ExperimentReportOptions& options) {
  return Writer(experiment, counts, verdict, options).Write();
}

}  // namespace vitrine::experiments
