#include "recommender/learn/people.h"

#include <optional>

#include "store/base/status_macros.h"

namespace vitrine {

absl::Status ForEachEventOfPeople(const WebHouse& house,
                                  absl::FunctionRef<void(const Person&, const Event&)> use) {
  RobotScan robots(house.Robots());
  std::optional<Person> current;
  bool is_robot = false;
  const absl::Status read = house.ForEachResolved([&](const Person& person, const Event& event) {
    if (person != current) {
      is_robot = robots.IsRobot(keys::PersonPrefix(person));
      current = person;
    }
    if (!is_robot) use(person, event);
  });
  const absl::Status robots_read = robots.Finish();
  RETURN_IF_ERROR(read);
  return robots_read;
}

}  // namespace vitrine
