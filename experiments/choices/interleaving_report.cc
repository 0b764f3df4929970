#include "experiments/choices/interleaving_report.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "experiments/analysis/unit_outcome.h"
#include "experiments/attribution/credit.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"
#include "store/key_format.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kProgressPersons = 1 << 12;

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
  if (!experiment.__isset.started_ms) {
    return absl::FailedPreconditionError(
        absl::StrCat("the experiment ", experiment.id, " has not begun"));
  }
  InterleavingFindings findings;
  PreferenceTally tally;
  RobotScan robots(house.Robots());
  int64_t persons = 0;
  std::vector<Exposure> shelves;
  std::vector<Event> events;
  const absl::Status status = house.ForEachPerson([&](const Person& person) -> absl::Status {
    if (++persons % kProgressPersons == 0 && on_progress) on_progress(persons);
    if (robots.IsRobot(keys::PersonPrefix(person))) {
      ++findings.robots;
      return absl::OkStatus();
    }
    shelves.clear();
    bool in_it = false, forced = false;
    RETURN_IF_ERROR(house.ForEachExposureOf(person, experiment.started_ms, SIZE_MAX,
                                            [&](const Exposure& shelf) {
                                              in_it = in_it || IsOf(experiment, shelf);
                                              forced = forced || WasForced(experiment, shelf);
                                              shelves.push_back(shelf);
                                            }));
    findings.forced += forced ? 1 : 0;
    if (!in_it || forced) return absl::OkStatus();
    events.clear();
    RETURN_IF_ERROR(house.ForEachOf(person, limits::kCreditedEventsMax,
                                    [&](const Event& event) { events.push_back(event); }));
    const std::vector<Credit> credits = CreditsOf(experiment, shelves, events);
    ++findings.users;
    findings.lists += static_cast<int64_t>(credits.size());
    tally.AddUser(credits);
    return absl::OkStatus();
  });
  const absl::Status robots_read = robots.Finish();
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(robots_read);
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
