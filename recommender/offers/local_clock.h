// What a clock on a customer's wall shows, and when it will show something else.

#ifndef VITRINE_RECOMMENDER_OFFERS_LOCAL_CLOCK_H_
#define VITRINE_RECOMMENDER_OFFERS_LOCAL_CLOCK_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace vitrine {

class LocalClock {
 public:
  explicit LocalClock(absl::TimeZone zone) : zone_(zone) {}

  absl::CivilSecond At(int64_t time_ms) const { return zone_.At(absl::FromUnixMillis(time_ms)).cs; }

  // The first instant after `time_ms` at which the clock reaches `target` or is put forward or
  // back. Until then it runs as any other. REQUIRES: target > At(time_ms).
  int64_t Reaches(int64_t time_ms, absl::CivilSecond target) const {
    const absl::Time time = absl::FromUnixMillis(time_ms);
    const absl::TimeZone::CivilInfo here = zone_.At(time);
    absl::TimeZone::CivilTransition put;
    if (zone_.NextTransition(time, &put)) target = std::min(target, put.from);
    return time_ms - absl::ToInt64Milliseconds(here.subsecond) + 1000 * (target - here.cs);
  }

 private:
  absl::TimeZone zone_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_OFFERS_LOCAL_CLOCK_H_
