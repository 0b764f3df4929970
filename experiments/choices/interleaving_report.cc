#include "experiments/choices/interleaving_report.h"

#include <string>
#include <utility>

#include "absl/algorithm/container.h"

#include "experiments/analysis/unit_outcome.h"
#include "experiments/attribution/credit.h"
#include "experiments/choices/participants.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::experiments {
namespace {

Credited CreditedFor(ExperimentMetric metric) {
  switch (metric) {
    case ExperimentMetric::CART_RATE:
      return Credited::kCart;
    case ExperimentMetric::CONVERSION:
      return Credited::kPurchase;
    default:
      return Credited::kClick;
  }
}

std::vector<Pick> PicksOf(const Exposure& shelf) {
  std::vector<Pick> picks;
  for (const ExposedProduct& product : shelf.products) {
    Pick& pick = picks.emplace_back();
    pick.item = product.product_id;
    if (product.__isset.team) pick.team = product.team == 0 ? Team::kA : Team::kB;
  }
  return picks;
}

bool WasForced(const Experiment& experiment, const Exposure& shelf) {
  const ExposedArm* const arm = ArmOn(shelf, experiment.id);
  return arm != nullptr && arm->forced;
}

// What is looked for was seen by as many as planned, or the end has come.
bool HasEnded(const Experiment& experiment, const InterleavingFindings& findings, int64_t now_ms) {
  return findings.users >= experiment.planned_units ||
         (experiment.__isset.to_ms && experiment.to_ms <= now_ms);
}

}  // namespace

std::vector<Credit> CreditsOf(const Experiment& experiment, std::span<const Exposure> shelves,
                              std::span<const Event> events) {
  const Credited as = CreditedFor(experiment.primary);
  const CountedTime time = CountedTime::Of(experiment);
  std::vector<Event> after;
  for (const Event& event : events) {
    if (time.Holds(event.time_ms) && CreditedKind(event.kind) == as) after.push_back(event);
  }
  std::vector<std::vector<size_t>> chosen(shelves.size());
  for (const vitrine::Credit& credit : CreditEvents(shelves, after, {}).credits) {
    if (credit.as == as) chosen[credit.shelf].push_back(credit.position);
  }
  std::vector<Credit> credits;
  for (size_t s = 0; s < shelves.size(); ++s) {
    if (!IsOf(experiment, shelves[s])) continue;
    credits.push_back(CreditOf(PicksOf(shelves[s]), chosen[s]));
  }
  return credits;
}

absl::StatusOr<InterleavingFindings> ReadInterleaving(
    const WebHouse& house, const Experiment& experiment,
    const std::function<void(int64_t persons)>& on_progress) {
  InterleavingFindings findings;
  PreferenceTally tally;
  const auto use = [&](const Person&, std::span<const Exposure> shelves,
                       std::span<const Event> events) -> absl::Status {
    const bool forced = absl::c_any_of(
        shelves, [&](const Exposure& shelf) { return WasForced(experiment, shelf); });
    const bool in_it =
        absl::c_any_of(shelves, [&](const Exposure& shelf) { return IsOf(experiment, shelf); });
    findings.forced += forced ? 1 : 0;
    if (!in_it || forced) return absl::OkStatus();
    const std::vector<Credit> credits = CreditsOf(experiment, shelves, events);
    ++findings.users;
    findings.lists += static_cast<int64_t>(credits.size());
    tally.AddUser(credits);
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(findings.robots, ForEachParticipant(house, experiment, on_progress, use));
  if (const auto preference = tally.Compute(experiment.alpha); preference.ok()) {
    findings.preference = *preference;
  }
  return findings;
}

Report InterleavingReport(const Experiment& experiment, const InterleavingFindings& findings,
                          int64_t now_ms) {
  Report report;
  report.summary.push_back(
      {"experiment.tested", {experiment.id, experiment.placement, experiment.hypothesis}});
  report.summary.push_back({"experiment.interleaving.progress",
                            {findings.users, experiment.planned_units, findings.lists}});
  const bool ended = HasEnded(experiment, findings, now_ms);
  if (!ended) {
    report.summary.push_back({"experiment.decision.not_ended"});
  } else if (findings.preference) {
    const Preference& found = *findings.preference;
    if (found.p >= experiment.alpha) {
      report.summary.push_back({"experiment.interleaving.undecided"});
    } else {
      report.summary.push_back(
          {"experiment.interleaving.preferred", {experiment.arms[found.delta > 0 ? 1 : 0].id}});
    }
    report.tables.push_back({"experiment_preference",
                             "",
                             {{"arm"}, {"users_prefer"}, {"preference", 4}, {"p_value", 4}},
                             {{experiment.arms[0].id, found.users_a, "", ""},
                              {experiment.arms[1].id, found.users_b,
                               Report::Estimate{found.delta, found.low, found.high}, found.p}}});
  }
  report.messages.push_back({"experiment.interleaving.note"});
  if (findings.forced > 0) {
    report.messages.push_back({"experiment.note.forced", {findings.forced}});
  }
  if (findings.robots > 0) {
    report.messages.push_back({"experiment.note.robots", {findings.robots}});
  }
  return report;
}

}  // namespace vitrine::experiments
