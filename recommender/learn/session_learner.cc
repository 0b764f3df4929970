#include "recommender/learn/session_learner.h"

#include <algorithm>
#include <utility>

#include "store/base/status_macros.h"

namespace vitrine {

absl::StatusOr<std::unique_ptr<SessionIndex>> LearnSessions(const SessionSource& source,
                                                            size_t sessions, size_t clicks,
                                                            const SessionIndexSettings& max) {
  SessionIndexSettings settings = max;
  settings.sessions = std::clamp<size_t>(sessions + sessions / 4, 1, max.sessions);
  settings.clicks = std::clamp<size_t>(clicks + clicks / 4, 1, max.clicks);
  ASSIGN_OR_RETURN(std::unique_ptr<SessionIndex> index, SessionIndex::Make(settings));
  RETURN_IF_ERROR(
      source([&](std::span<const uint32_t> session) { return index->Add(session).status(); }));
  return index;
}

}  // namespace vitrine
