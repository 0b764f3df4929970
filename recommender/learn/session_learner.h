// The session index of what a shop has: sized to its sessions or to what memory allows.

#ifndef VITRINE_RECOMMENDER_LEARN_SESSION_LEARNER_H_
#define VITRINE_RECOMMENDER_LEARN_SESSION_LEARNER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "absl/status/statusor.h"

#include "recommender/model/session_index.h"

namespace vitrine {

// Calls its argument with the clicks of every session, oldest first, in the order in which the
// sessions ended, and stops when it fails.
using SessionSource =
    std::function<absl::Status(const std::function<absl::Status(std::span<const uint32_t>)>&)>;

// An index of the newest of `sessions` sessions with `clicks` clicks in all, with room for a
// quarter more to come in, and never more than `max` says. O(clicks).
absl::StatusOr<std::unique_ptr<SessionIndex>> LearnSessions(const SessionSource& source,
                                                            size_t sessions, size_t clicks,
                                                            const SessionIndexSettings& max);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_LEARN_SESSION_LEARNER_H_
