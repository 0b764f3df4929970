// Whether a person is a program: what the lists say of their user agents, and what they did that no
// person does. A pure function of the person's events, the lists and an operator's word, so that
// new lists, rules or words change verdicts without reading any source again.

#ifndef VITRINE_INGEST_ROBOTS_VERDICT_H_
#define VITRINE_INGEST_ROBOTS_VERDICT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "ingest/robots/robot_lists.h"
#include "store/records_types.h"

namespace vitrine {

// Who says that the event's user agent is a robot's; 0 for an event that has none to judge. One
// that is there and empty came without.
RobotSources JudgeAgent(const Event& event, AgentJudge* judge);

// The sources of the verdict, sorted; empty: no robot. `events` are the person's, oldest first, and
// `sessions` cut them in order. O(events).
//
//   list:*, generic:*        more than half of the events that have a user agent have a robot's
//   behaviour:robots_txt     asked for /robots.txt
//   behaviour:rate           kRobotRatePagesMin pages within kRobotRateWindowMs
//   behaviour:session_pages  kRobotSessionPagesMin pages in one session
//   behaviour:no_referrer    kRobotBlindPagesMin pages, and each is known to have come without
//                            referrer (the field is there, and empty)
//   operator                 an operator said so; false: no source counts
//
// Who bought something is not convicted for behaviour: programs do not pay.
std::vector<std::string> VerdictOf(std::span<const Event> events, std::span<const Session> sessions,
                                   std::optional<bool> decided, AgentJudge* judge);

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_VERDICT_H_
