#include "experiments/analysis/unit_counter.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_set.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kProgressPersons = 1 << 12;

}  // namespace

// Coverage moves nobody who is in it already, and its life but for its end is not counted.
bool UnitCounter::CountsAlike(const Experiment& other) const {
  Experiment alike = other;
  alike.coverage = experiment_.coverage;
  alike.status = experiment_.status;
  return alike == experiment_;
}

absl::Status UnitCounter::CountAll(const WebHouse& house,
                                   const std::function<void(int64_t persons)>& on_progress) {
  int64_t read = 0;
  RobotScan robots(house.Robots());
  const absl::Status status = house.ForEachPerson([&](const Person& person) {
    if (++read % kProgressPersons == 0 && on_progress) on_progress(read);
    return Count(house, person, &robots);
  });
  RETURN_IF_ERROR(robots.Finish());
  RETURN_IF_ERROR(status);
  catalogue_ = house.GetTotals().products;
  return products_.status();
}

absl::Status UnitCounter::CountAgain(const WebHouse& house, std::vector<Person> persons) {
  if (persons.empty()) return absl::OkStatus();
  absl::c_sort(persons, [](const Person& a, const Person& b) {
    return keys::PersonPrefix(a) < keys::PersonPrefix(b);
  });
  RobotScan robots(house.Robots(keys::PersonPrefix(persons.front())));
  absl::Status status;
  for (const Person& person : persons) {
    status = Count(house, person, &robots);
    if (!status.ok()) break;
  }
  RETURN_IF_ERROR(robots.Finish());
  RETURN_IF_ERROR(status);
  catalogue_ = house.GetTotals().products;
  return products_.status();
}

ExperimentCounts UnitCounter::Counts() const {
  ExperimentCounts counts = CountUp(experiment_, units_);
  counts.catalogue = catalogue_;
  return counts;
}

absl::Status UnitCounter::Count(const WebHouse& house, const Person& person, RobotScan* robots) {
  const std::string unit = keys::PersonPrefix(person);
  shelves_.clear();
  events_.clear();
  bool in_it = false;
  RETURN_IF_ERROR(
      house.ForEachExposureOf(person, experiment_.started_ms, SIZE_MAX, [&](const Exposure& shelf) {
        in_it = in_it || IsOf(experiment_, shelf);
        shelves_.push_back(shelf);
      }));
  UnitOutcome outcome;
  if (in_it && robots->IsRobot(unit)) {
    outcome.kind = UnitOutcome::Kind::kRobot;
  } else if (in_it) {
    RETURN_IF_ERROR(house.ForEachOf(person, limits::kCreditedEventsMax,
                                    [this](const Event& event) { events_.push_back(event); }));
    const auto product = [&](const std::string& id) -> const KnownProduct& {
      return products_.Of(house, experiment_, id);
    };
    outcome = OutcomeOf(experiment_, shelves_, events_, product);
    RETURN_IF_ERROR(CountReplies(house, &outcome));
  }
  units_.Put(unit, outcome);
  return absl::OkStatus();
}

// A reply that somebody acted on, and that left nothing, was lost on its way to the disk.
absl::Status UnitCounter::CountReplies(const WebHouse& house, UnitOutcome* outcome) const {
  if (outcome->kind != UnitOutcome::Kind::kIn) return absl::OkStatus();
  const CountedTime time = {outcome->first_ms, CountedTime::Of(experiment_).to_ms};
  absl::flat_hash_set<absl::string_view> known, named;
  for (const Event& event : events_) {
    if (!event.__isset.recommendation_id || !time.Holds(event.time_ms)) continue;
    const std::string& id = event.recommendation_id;
    if (!named.insert(id).second) continue;
    if (known.empty()) {
      for (const Exposure& shelf : shelves_) known.insert(shelf.id);
    }
    ++outcome->replies;
    if (known.contains(id)) continue;
    const absl::Status status = house.GetExposure(id).status();
    if (absl::IsNotFound(status)) {
      ++outcome->replies_unexposed;
    } else {
      RETURN_IF_ERROR(status);
    }
  }
  return absl::OkStatus();
}

}  // namespace vitrine::experiments
