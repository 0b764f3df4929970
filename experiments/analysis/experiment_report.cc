#include "experiments/analysis/experiment_report.h"

#include <cmath>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "experiments/analysis/unit_outcome.h"
#include "experiments/attribution/placement_report.h"
#include "experiments/definition/definition.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

using Message = Report::Message;
using Table = Report::Table;
constexpr int64_t kProgressPersons = 1 << 12;
constexpr int64_t kDayMs = 86'400'000;

// Reads the store person by person.
class Reader {
 public:
  Reader(const WebHouse& house, const Experiment& experiment,
         const ExperimentReportOptions& options)
      : house_(house),
        experiment_(experiment),
        options_(options),
        time_(CountedTime::Of(experiment)),
        robots_(house.Robots()) {
    const size_t metrics = DefinitionsOf(experiment).size();
    for (const ExperimentArm& arm : experiment.arms) {
      counts_.arms.push_back({arm.id, std::vector<MetricSums>(metrics)});
    }
  }

  absl::Status Read() {
    const absl::Status status = house_.ForEachPerson([this](const Person& person) {
      if (++read_ % kProgressPersons == 0 && options_.on_progress) options_.on_progress(read_);
      return ReadPerson(person);
    });
    const absl::Status robots = robots_.Finish();
    RETURN_IF_ERROR(status);
    return robots;
  }

  ExperimentCounts Take() && { return std::move(counts_); }

 private:
  absl::Status ReadPerson(const Person& person) {
    if (robots_.IsRobot(keys::PersonPrefix(person))) {
      ++counts_.robots;
      return absl::OkStatus();
    }
    shelves_.clear();
    bool in_it = false;
    RETURN_IF_ERROR(
        house_.ForEachExposureOf(person, time_.from_ms, SIZE_MAX, [&](const Exposure& shelf) {
          in_it = in_it || IsOf(experiment_, shelf);
          shelves_.push_back(shelf);
        }));
    if (!in_it) return absl::OkStatus();
    events_.clear();
    RETURN_IF_ERROR(house_.ForEachOf(person, limits::kCreditedEventsMax,
                                     [this](const Event& event) { events_.push_back(event); }));
    return AddUnit(OutcomeOf(experiment_, shelves_, events_));
  }

  absl::Status AddUnit(const UnitOutcome& outcome) {
    switch (outcome.kind) {
      case UnitOutcome::Kind::kNotIn:
        return absl::OkStatus();
      case UnitOutcome::Kind::kMixed:
        ++counts_.mixed;
        return absl::OkStatus();
      case UnitOutcome::Kind::kForced:
        ++counts_.forced;
        return absl::OkStatus();
      case UnitOutcome::Kind::kIn:
        break;
    }
    std::vector<MetricSums>& sums = counts_.arms[outcome.arm].metrics;
    for (size_t m = 0; m < sums.size(); ++m) sums[m].Add(outcome.values[m]);
    std::vector<int64_t>& day = counts_.days[outcome.first_ms / kDayMs];
    day.resize(counts_.arms.size());
    ++day[outcome.arm];
    return CountReplies(outcome.first_ms);
  }

  // A reply that somebody acted on, and that left nothing, was lost on its way to the disk.
  absl::Status CountReplies(int64_t first_ms) {
    absl::flat_hash_map<absl::string_view, bool> known;
    for (const Exposure& shelf : shelves_) known.emplace(shelf.id, true);
    absl::flat_hash_map<absl::string_view, bool> named;
    for (const Event& event : events_) {
      if (!event.__isset.recommendation_id || event.time_ms < first_ms) continue;
      if (!time_.Holds(event.time_ms)) continue;
      const std::string& id = event.recommendation_id;
      if (!named.emplace(id, true).second) continue;
      ++counts_.replies;
      if (known.contains(id)) continue;
      const absl::Status status = house_.GetExposure(id).status();
      if (absl::IsNotFound(status)) {
        ++counts_.replies_unexposed;
      } else {
        RETURN_IF_ERROR(status);
      }
    }
    return absl::OkStatus();
  }

  const WebHouse& house_;
  const Experiment& experiment_;
  const ExperimentReportOptions& options_;
  const CountedTime time_;
  RobotScan robots_;
  int64_t read_ = 0;
  ExperimentCounts counts_;
  // Of the person at hand.
  std::vector<Exposure> shelves_;
  std::vector<Event> events_;
};

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

Message MetricMessage(const std::string& name, const Experiment& experiment) {
  const bool money = name == "revenue" || name == "order_value";
  if (!money) return {absl::StrCat("experiment.metric.", name)};
  return {absl::StrCat("experiment.metric.", name), {experiment.currency}};
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
        definitions_(DefinitionsOf(experiment)) {}

  Report Write() && {
    AddSummary();
    AddArms();
    if (!verdict_.comparisons.empty()) AddMetrics();
    AddDays();
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
      told.arguments = {
          experiment_.arms[best->arm].id,
          Report::Key{absl::StrCat("experiment.metric_plain.", definitions_[best->metric].name)}};
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

  double Scale(const std::string& metric) const {
    const bool money = metric == "revenue" || metric == "order_value";
    return money ? std::pow(10, -options_.minor_digits) : 1;
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
      name.parts = {MetricMessage(definition.name, experiment_), counts_.arms[one.arm].name};
      std::vector<Report::Cell>& row = table.rows.emplace_back();
      row = {name, Message{absl::StrCat("experiment.role.", RoleName(definition.role))}};
      if (!one.effect.has_value()) {
        row.insert(row.end(), {"", "", "", "", "", Message{"experiment.finding.nothing"}});
        continue;
      }
      const double scale = Scale(definition.name);
      row.emplace_back(one.effect->control.observed * scale);
      row.emplace_back(one.effect->treatment.observed * scale);
      if (one.relative) {
        row.emplace_back(
            Report::Estimate{one.effect->relative->value, one.relative->low, one.relative->high});
      } else {
        row.emplace_back("");
      }
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

  void AddDays() {
    if (counts_.days.empty()) return;
    Table table = {"experiment_days", "", {{"day", 0, Report::Unit::kDay}}, {}};
    for (const ArmSums& arm : counts_.arms) table.columns.push_back({arm.name});
    table.columns.push_back({"control_share", 2, Report::Unit::kShare});
    for (const auto& [number, units] : counts_.days) {
      const absl::CivilDay day = absl::CivilDay(1970, 1, 1) + number;
      std::vector<Report::Cell>& row = table.rows.emplace_back();
      row.emplace_back(absl::FormatCivilTime(day));
      int64_t all = 0;
      for (const int64_t of_arm : units) {
        row.emplace_back(of_arm);
        all += of_arm;
      }
      row.emplace_back(WilsonShare(units.front(), all));
    }
    report_.tables.push_back(std::move(table));
    report_.plots.push_back(
        {Report::Plot::Kind::kCurves, "experiment_days", {"day", "control_share"}});
  }

  void AddNotes() {
    report_.messages.push_back({"experiment.note.counted"});
    report_.messages.push_back(
        {experiment_.sequential ? "experiment.note.sequential" : "experiment.note.fixed",
         {experiment_.planned_units, experiment_.alpha}});
    if (!verdict_.comparisons.empty()) report_.messages.push_back({"experiment.note.chance"});
    const auto count = [this](const char* key, int64_t number) {
      if (number > 0) report_.messages.push_back({key, {number}});
    };
    count("experiment.note.mixed", counts_.mixed);
    count("experiment.note.forced", counts_.forced);
    count("experiment.note.robots", counts_.robots);
    for (const std::string& warning : verdict_.warnings) report_.notes.push_back(warning);
  }

  const Experiment& experiment_;
  const ExperimentCounts& counts_;
  const Verdict& verdict_;
  const ExperimentReportOptions& options_;
  const std::vector<MetricDefinition> definitions_;
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
  Reader reader(house, experiment, options);
  RETURN_IF_ERROR(reader.Read());
  return std::move(reader).Take();
}

absl::StatusOr<Verdict> JudgeExperiment(const Experiment& experiment,
                                        const ExperimentCounts& counts, int64_t now_ms) {
  ASSIGN_OR_RETURN(const Assigner assigner, AssignerOf(experiment));
  const TestPlan plan = {.sequential = experiment.sequential,
                         .alpha = experiment.alpha,
                         .planned_units = static_cast<double>(experiment.planned_units)};
  Health health;
  health.exposed = {{UnitsOf(counts), assigner.shares()}};
  health.units_mixed = counts.mixed;
  health.replies = counts.replies;
  health.replies_unexposed = counts.replies_unexposed;
  return Judge(plan, DefinitionsOf(experiment), counts.arms, health, HasEnded(experiment, now_ms));
}

Report ReportOf(const Experiment& experiment, const ExperimentCounts& counts,
                const Verdict& verdict, const ExperimentReportOptions& options) {
  return Writer(experiment, counts, verdict, options).Write();
}

}  // namespace vitrine::experiments
