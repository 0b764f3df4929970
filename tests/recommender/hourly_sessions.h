// A log of sessions as a store would have them: an hour apart.

#ifndef VITRINE_TESTS_RECOMMENDER_HOURLY_SESSIONS_H_
#define VITRINE_TESTS_RECOMMENDER_HOURLY_SESSIONS_H_

#include <cstdint>
#include <span>

#include "recommender/learn/newest_sessions.h"
#include "recommender/offline/session_log.h"

namespace vitrine::testing {

// Session s ends at hour s; the gap is half an hour.
inline NewestSessions HourlySessions(const SessionLog& log) {
  constexpr int64_t kHourMs = 3'600'000;
  NewestSessions sessions(kHourMs / 2, {});
  for (size_t s = 0; s < log.size(); ++s) {
    const std::span<const uint32_t> clicks = log[s];
    for (size_t i = clicks.size(); i-- > 0;) {
      sessions.Add(static_cast<int64_t>(s) * kHourMs + static_cast<int64_t>(i), VIEW_ITEM,
                   clicks[i]);
    }
    sessions.EndPerson();
  }
  sessions.Finish();
  return sessions;
}

}  // namespace vitrine::testing

#endif  // VITRINE_TESTS_RECOMMENDER_HOURLY_SESSIONS_H_
