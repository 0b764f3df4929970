#include "experiments/choices/choices.h"

#include <algorithm>
#include <map>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "experiments/analysis/unit_outcome.h"
#include "experiments/choices/participants.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"
#include "store/key_format.h"

namespace vitrine::experiments {
namespace {

// What one batch showed the unit.
struct Batch {
  Choice choice;
  std::vector<Exposure> shelves;
  bool mixed = false;
};

std::map<int64_t, Batch> BatchesOf(const Experiment& experiment, std::span<const Exposure> shelves,
                                   bool* forced) {
  std::map<int64_t, Batch> batches;
  for (const Exposure& shelf : shelves) {
    if (!IsOf(experiment, shelf)) continue;
    const ExposedArm& shown = *ArmOn(shelf, experiment.id);
    *forced = *forced || shown.forced;
    const auto arm = absl::c_find_if(
        experiment.arms, [&](const ExperimentArm& candidate) { return candidate.id == shown.arm; });
    if (arm == experiment.arms.end()) continue;
    const auto index = static_cast<size_t>(arm - experiment.arms.begin());
    Batch& batch = batches[shown.batch];
    Choice& choice = batch.choice;
    if (batch.shelves.empty()) {
      choice = {shelf.time_ms, shown.batch, shown.segment, index, shown.propensity};
    }
    batch.mixed = batch.mixed || index != choice.arm || shown.segment != choice.segment;
    choice.time_ms = std::min(choice.time_ms, shelf.time_ms);
    batch.shelves.push_back(shelf);
  }
  return batches;
}

// Conversion and revenue do not ask what a product is.
const KnownProduct& AnyProduct(const std::string& /*id*/) {
  static const KnownProduct any;
  return any;
}

// The same experiment as if it had no other metric, and had ended then.
Experiment Until(const Experiment& experiment, int64_t to_ms) {
  Experiment until = experiment;
  until.secondary.clear();
  until.guardrails.clear();
  until.events.clear();
  until.days_before = 0;
  until.__set_to_ms(std::min(to_ms, CountedTime::Of(experiment).to_ms));
  return until;
}

}  // namespace

UnitChoices ChoicesOf(const Experiment& experiment, std::span<const Exposure> shelves,
                      std::span<const Event> events) {
  UnitChoices unit;
  std::map<int64_t, Batch> batches = BatchesOf(experiment, shelves, &unit.forced);
  if (unit.forced) return unit;
  int64_t end_ms = std::numeric_limits<int64_t>::max();
  for (auto it = batches.rbegin(); it != batches.rend(); ++it) {  // the last one first
    Batch& batch = it->second;
    if (batch.mixed) {
      ++unit.mixed;
    } else {
      const UnitOutcome outcome =
          OutcomeOf(Until(experiment, end_ms), batch.shelves, events, AnyProduct);
      if (outcome.kind == UnitOutcome::Kind::kIn) {
        batch.choice.reward = outcome.values.front().value;
        unit.choices.push_back(batch.choice);
      }
    }
    end_ms = std::min(end_ms, batch.choice.time_ms);
  }
  std::reverse(unit.choices.begin(), unit.choices.end());
  return unit;
}

absl::StatusOr<ChoicesRead> ReadChoices(
    const WebHouse& house, const Experiment& experiment, const ChoicesOptions& options,
    absl::FunctionRef<absl::Status(absl::string_view unit, std::span<const Choice>)> take) {
  // Of one that has not begun, that is said first.
  if (experiment.__isset.started_ms && experiment.primary != ExperimentMetric::CONVERSION &&
      experiment.primary != ExperimentMetric::REVENUE) {
    return absl::InvalidArgumentError(
        absl::StrCat(ExperimentMetricName(experiment.primary),
                     " is no metric of which each choice has one: conversion and revenue are"));
  }
  ChoicesRead read;
  const auto use = [&](const Person& person, std::span<const Exposure> shelves,
                       std::span<const Event> events) -> absl::Status {
    UnitChoices unit = ChoicesOf(experiment, shelves, events);
    read.mixed += unit.mixed;
    read.forced += unit.forced ? 1 : 0;
    std::erase_if(unit.choices, [&](const Choice& choice) {
      return choice.time_ms < options.from_ms || choice.time_ms >= options.to_ms;
    });
    if (unit.choices.empty()) return absl::OkStatus();
    ++read.units;
    read.choices += static_cast<int64_t>(unit.choices.size());
    return take(keys::PersonPrefix(person), unit.choices);
  };
  ASSIGN_OR_RETURN(read.robots, ForEachParticipant(house, experiment, options.on_progress, use));
  return read;
}

}  // namespace vitrine::experiments
