#include "experiments/choices/participants.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "experiments/analysis/unit_outcome.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine::experiments {
namespace {

constexpr int64_t kProgressPersons = 1 << 12;

}  // namespace

absl::StatusOr<int64_t> ForEachParticipant(const WebHouse& house, const Experiment& experiment,
                                           const std::function<void(int64_t persons)>& on_progress,
                                           UseParticipant use) {
  if (!experiment.__isset.started_ms) {
    return absl::FailedPreconditionError(
        absl::StrCat("the experiment ", experiment.id, " has not begun"));
  }
  int64_t persons = 0, robots_met = 0;
  RobotScan robots(house.Robots());
  std::vector<Exposure> shelves;
  std::vector<Event> events;
  const auto read_person = [&](const Person& person) -> absl::Status {
    if (++persons % kProgressPersons == 0 && on_progress) on_progress(persons);
    if (robots.IsRobot(keys::PersonPrefix(person))) {
      ++robots_met;
      return absl::OkStatus();
    }
    shelves.clear();
    bool shown = false;
    RETURN_IF_ERROR(house.ForEachExposureOf(person, experiment.started_ms, SIZE_MAX,
                                            [&](const Exposure& shelf) {
                                              shown = shown || ArmOn(shelf, experiment.id);
                                              shelves.push_back(shelf);
                                            }));
    if (!shown) return absl::OkStatus();
    events.clear();
    RETURN_IF_ERROR(house.ForEachOf(person, limits::kCreditedEventsMax,
                                    [&](const Event& event) { events.push_back(event); }));
    return use(person, shelves, events);
  };
  const absl::Status status = house.ForEachPerson(read_person);
  const absl::Status robots_read = robots.Finish();
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(robots_read);
  return robots_met;
}

}  // namespace vitrine::experiments
