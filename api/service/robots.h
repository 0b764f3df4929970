// The lists of robots that a data folder uses: Debian's uap-core, and every *.json file (of the
// form that the npm package crawler-user-agents has) in its folder "robots".

#ifndef VITRINE_API_SERVICE_ROBOTS_H_
#define VITRINE_API_SERVICE_ROBOTS_H_

#include <memory>
#include <string>

#include "ingest/robots/robot_lists.h"

namespace vitrine {

// Read at the first call for the folder (a fifth of a second), and kept for the process. Never
// null. Thread-safe.
std::shared_ptr<const RobotLists> RobotListsOf(const std::string& data_directory);

// The next call reads them again; who holds the old ones keeps them.
void ForgetRobotLists(const std::string& data_directory);

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_ROBOTS_H_
