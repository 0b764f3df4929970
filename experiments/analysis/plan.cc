#include "experiments/analysis/plan.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/analysis/unit_outcome.h"
#include "experiments/sequential/planning.h"
#include "experiments/statistics/power.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kProgressPersons = 1 << 12;
constexpr int64_t kDayMs = 86'400'000;

// The history read as if everybody had been in the first arm.
class History {
 public:
  History(const WebHouse& house, const Experiment& experiment, const PlanOptions& options)
      : house_(house), options_(options), as_if_(experiment), robots_(house.Robots()) {
    as_if_.__set_started_ms(options.now_ms - options.days * kDayMs);
    as_if_.__isset.to_ms = false;
    as_if_.__set_stopped_ms(options.now_ms);
    as_if_.days_before = 0;
  }

  absl::Status Read() {
    const absl::Status status = house_.ForEachPerson([this](const Person& person) {
      if (++read_ % kProgressPersons == 0 && options_.on_progress) options_.on_progress(read_);
      return ReadPerson(person);
    });
    const absl::Status robots = robots_.Finish();
    RETURN_IF_ERROR(status);
    RETURN_IF_ERROR(robots);
    return products_.status();
  }

  // Of the primary metric: those who were shown the placement, and those who did anything.
  const MetricSums& shown() const { return shown_; }
  const MetricSums& active() const { return active_; }
  // How long ago the first of all that was, in whole days from one to those asked for.
  double days() const {
    const double days = static_cast<double>(options_.now_ms - first_ms_) / kDayMs;
    return std::clamp<double>(std::ceil(days), 1, options_.days);
  }

 private:
  absl::Status ReadPerson(const Person& person) {
    if (robots_.IsRobot(keys::PersonPrefix(person))) return absl::OkStatus();
    if (as_if_.unit == ExperimentUnit::CUSTOMER && person.kind != Person::Kind::kCustomer) {
      return absl::OkStatus();
    }
    std::vector<Exposure> shelves;
    RETURN_IF_ERROR(
        house_.ForEachExposureOf(person, as_if_.started_ms, SIZE_MAX, [&](const Exposure& shelf) {
          if (shelf.placement != as_if_.placement) return;
          shelves.push_back(AsIf(shelf));
          first_ms_ = std::min(first_ms_, shelf.time_ms);
        }));
    std::vector<Event> events;
    int64_t first_ms = as_if_.stopped_ms;
    RETURN_IF_ERROR(house_.ForEachOf(person, limits::kCreditedEventsMax, [&](const Event& event) {
      if (event.time_ms < as_if_.started_ms || event.time_ms >= as_if_.stopped_ms) return;
      first_ms = std::min(first_ms, event.time_ms);
      events.push_back(event);
    }));
    Add(shelves, events, &shown_);
    if (events.empty()) return absl::OkStatus();
    first_ms_ = std::min(first_ms_, first_ms);
    Exposure came;
    came.id = "came";
    came.time_ms = first_ms;
    Add({AsIf(came)}, events, &active_);
    return absl::OkStatus();
  }

  Exposure AsIf(Exposure shelf) const {
    ExposedArm arm;
    arm.experiment = as_if_.id;
    arm.arm = as_if_.arms.front().id;
    shelf.arms = {arm};
    return shelf;
  }

  void Add(const std::vector<Exposure>& shelves, const std::vector<Event>& events,
           MetricSums* sums) {
    const auto product = [this](const std::string& id) -> const KnownProduct& {
      return products_.Of(house_, as_if_, id);
    };
    const UnitOutcome outcome = OutcomeOf(as_if_, shelves, events, product);
    if (outcome.kind == UnitOutcome::Kind::kIn) sums->Add(outcome.values.front());
  }

  const WebHouse& house_;
  const PlanOptions& options_;
  Experiment as_if_;
  RobotScan robots_;
  ProductBook products_;
  int64_t read_ = 0;
  int64_t first_ms_ = options_.now_ms;
  MetricSums shown_, active_;
};

bool SaysSomething(const MetricSums& sums, MetricKind kind) {
  return sums.units >= 2 && sums.sums[kValue] > 0 &&
         (kind != MetricKind::kRatio || sums.sums[kDenominator] > 0);
}

// Mean and variance of a unit; a ratio's by the delta method.
void Describe(const MetricSums& sums, MetricKind kind, ExperimentPlan* plan) {
  plan->units = sums.units;
  plan->mean = sums.Mean(kValue);
  plan->variance = sums.Variance(kValue);
  if (kind != MetricKind::kRatio) return;
  const double denominator = sums.Mean(kDenominator);
  plan->mean /= denominator;
  plan->variance = sums.Variance(Gradient{1 / denominator, -plan->mean / denominator, 0, 0});
}

}  // namespace

absl::StatusOr<ExperimentPlan> PlanExperiment(const WebHouse& house, const Experiment& experiment,
                                              const PlanOptions& options) {
  const MetricDefinition primary = DefinitionsOf(experiment).front();
  History history(house, experiment, options);
  RETURN_IF_ERROR(history.Read());
  ExperimentPlan plan;
  const bool of_shelves = primary.name == "click_rate" || primary.name == "cart_rate";
  plan.of_visitors = !of_shelves && !SaysSomething(history.shown(), primary.kind);
  const MetricSums& sums = plan.of_visitors ? history.active() : history.shown();
  if (SaysSomething(sums, primary.kind)) Describe(sums, primary.kind, &plan);
  if (!(plan.variance > 0)) {
    return absl::FailedPreconditionError(absl::StrCat("the last ", options.days,
                                                      " days say nothing of ", primary.name,
                                                      ": nobody was there, or all did the same"));
  }
  const MetricPlan metric = {.mean = plan.mean,
                             .variance = plan.variance,
                             .alpha = experiment.alpha,
                             .power = options.power};
  ASSIGN_OR_RETURN(plan.units_per_arm, experiment.sequential
                                           ? SequentialUnitsForLift(metric, options.lift)
                                           : UnitsForLift(metric, options.lift));
  const auto arms = static_cast<double>(experiment.arms.size());
  plan.planned_units = static_cast<int64_t>(std::ceil(plan.units_per_arm * arms));
  const double slice = experiment.__isset.layer ? experiment.layer.high - experiment.layer.low : 1;
  plan.units_a_day = static_cast<double>(plan.units) / history.days() * experiment.coverage * slice;
  plan.days = static_cast<double>(plan.planned_units) / plan.units_a_day;
  return plan;
}

}  // namespace vitrine::experiments
