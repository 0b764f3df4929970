// Which user agents are robots', by the lists that others keep and a few rules of our own.
//
//   const auto lists = RobotLists::Load({});             // Debian's uap-core, as installed
//   AgentJudge judge(lists.get());
//   if (judge.Judge(user_agent, true) != 0) ...          // ~20 ns for an agent seen before
//
// Lists are read when the program runs and never part of it:
//   uap-core (Debian package): what it takes for a device of the kind "Spider", or for a browser
//     family that names itself a bot, spider or crawler.
//   crawler-user-agents (npm package, MIT) and any file of its form: [{"pattern": "..."}, ...].
// A list that is missing or damaged is said to be (problem) and the others are used.

#ifndef VITRINE_INGEST_ROBOTS_ROBOT_LISTS_H_
#define VITRINE_INGEST_ROBOTS_ROBOT_LISTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace vitrine {

// Bit i: source i says so. 0: nobody does.
using RobotSources = uint32_t;

// A list that was read: the user agents that it knows.
class RobotList {
 public:
  virtual ~RobotList() = default;
  virtual bool Knows(absl::string_view user_agent) const = 0;
  // Patterns in use, and those that RE2 cannot take.
  int patterns() const { return patterns_; }
  int patterns_not_taken() const { return patterns_not_taken_; }

 protected:
  void Count(bool taken) { ++(taken ? patterns_ : patterns_not_taken_); }

 private:
  int patterns_ = 0;
  int patterns_not_taken_ = 0;
};

// Immutable and thread-safe.
class RobotLists {
 public:
  struct Options {
    // Empty: not used.
    std::string uap_core = "/usr/share/uap-core/regexes.yaml";
    // At most limits::kRobotListsMax; a file's name without ".json" is the name of the list.
    std::vector<std::string> crawler_lists = {};
  };
  struct Info {
    std::string path;
    std::string source;  // "list:crawler-user-agents"
    int patterns = 0;
    int patterns_not_taken = 0;
    std::string problem;  // why the list is not used; empty if it is
  };

  // Reads and compiles: about a quarter of a second. Never null.
  static std::shared_ptr<const RobotLists> Load(const Options& options);

  // Who says that this user agent is a robot's. `is_web` as OwnRules takes it. Some microseconds;
  // AgentJudge remembers.
  RobotSources Judge(absl::string_view user_agent, bool is_web) const;

  // Sorted: "generic:<rule>", "list:<name>".
  std::vector<std::string> Names(RobotSources sources) const;

  // Of all that Judge depends on: another digest, other verdicts.
  uint64_t digest() const { return digest_; }
  const std::vector<Info>& lists() const { return infos_; }

 private:
  RobotLists() = default;
  void Add(const std::string& path, bool is_uap_core);

  std::vector<Info> infos_;
  std::vector<std::unique_ptr<RobotList>> lists_;  // by place in infos_; null where there is none
  uint64_t digest_ = 0;
};

// Judges one user agent after the other and remembers verdicts, at most
// limits::kUserAgentsCachedMax. One thread at a time; `lists` must outlive it.
class AgentJudge {
 public:
  explicit AgentJudge(const RobotLists* lists) : lists_(lists) {}

  RobotSources Judge(absl::string_view user_agent, bool is_web);
  const RobotLists& lists() const { return *lists_; }

 private:
  const RobotLists* lists_;
  absl::flat_hash_map<std::string, RobotSources> known_[2];  // by is_web
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_ROBOTS_ROBOT_LISTS_H_
