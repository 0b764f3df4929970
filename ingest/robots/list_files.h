// The two forms of files that list robots, read. Internal to robots.

#ifndef VITRINE_INGEST_ROBOTS_LIST_FILES_H_
#define VITRINE_INGEST_ROBOTS_LIST_FILES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "ingest/robots/robot_lists.h"

namespace vitrine {

// `text` of a regexes.yaml. InvalidArgument, with the line, if it is none.
absl::StatusOr<std::unique_ptr<RobotList>> ReadUapCore(const std::string& text);

// `text` of a crawler-user-agents.json. InvalidArgument if it is none.
absl::StatusOr<std::unique_ptr<RobotList>> ReadCrawlerList(const std::string& text);

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_LIST_FILES_H_
