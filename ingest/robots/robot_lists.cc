#include "ingest/robots/robot_lists.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <xxhash.h>

#include "absl/strings/str_cat.h"

#include "ingest/robots/list_files.h"
#include "ingest/robots/own_rules.h"
#include "store/base/atomic_file.h"
#include "store/base/limits.h"

namespace vitrine {

static_assert(kOwnRules + 1 + limits::kRobotListsMax <= 8 * sizeof(RobotSources));

std::shared_ptr<const RobotLists> RobotLists::Load(const Options& options) {
  const std::shared_ptr<RobotLists> lists(new RobotLists());
  lists->digest_ = XXH3_64bits(&kOwnRulesVersion, sizeof(kOwnRulesVersion));
  if (!options.uap_core.empty()) lists->Add(options.uap_core, true);
  for (const std::string& path : options.crawler_lists) lists->Add(path, false);
  return lists;
}

void RobotLists::Add(const std::string& path, bool is_uap_core) {
  Info& info = infos_.emplace_back();
  std::unique_ptr<RobotList>& list = lists_.emplace_back();
  info.path = path;
  info.source =
      absl::StrCat("list:", is_uap_core ? "uap-core" : std::filesystem::path(path).stem().string());
  if (lists_.size() > limits::kRobotListsMax + 1) {
    info.problem = absl::StrCat("more than ", limits::kRobotListsMax, " lists");
    lists_.pop_back();
    return;
  }
  const absl::StatusOr<std::string> text = ReadFile(path, limits::kRobotListBytesMax);
  if (!text.ok()) {
    info.problem = std::string(text.status().message());
    if (is_uap_core) absl::StrAppend(&info.problem, " (Debian's package uap-core has it)");
    return;
  }
  auto read = is_uap_core ? ReadUapCore(*text) : ReadCrawlerList(*text);
  if (!read.ok()) {
    info.problem = std::string(read.status().message());
    return;
  }
  list = *std::move(read);
  info.patterns = list->patterns();
  info.patterns_not_taken = list->patterns_not_taken();
  const std::string name_and_text = absl::StrCat(info.source, "\n", *text);
  digest_ = XXH3_64bits_withSeed(name_and_text.data(), name_and_text.size(), digest_);
}

RobotSources RobotLists::Judge(absl::string_view user_agent, bool is_web) const {
  RobotSources sources = OwnRules(user_agent, is_web);
  for (size_t i = 0; i < lists_.size(); ++i) {
    if (lists_[i] != nullptr && lists_[i]->Knows(user_agent)) {
      sources |= RobotSources{1} << (kOwnRules + i);
    }
  }
  return sources;
}

std::vector<std::string> RobotLists::Names(RobotSources sources) const {
  std::vector<std::string> names;
  for (int bit = 0; bit < kOwnRules; ++bit) {
    if ((sources >> bit) & 1) names.emplace_back(OwnRuleName(bit));
  }
  for (size_t i = 0; i < lists_.size(); ++i) {
    if ((sources >> (kOwnRules + i)) & 1) names.push_back(infos_[i].source);
  }
  std::sort(names.begin(), names.end());
  return names;
}

RobotSources AgentJudge::Judge(absl::string_view user_agent, bool is_web) {
  auto& known = known_[is_web];
  const auto found = known.find(user_agent);
  if (found != known.end()) return found->second;
  const RobotSources sources = lists_->Judge(user_agent, is_web);
  // Dropping all of them is as good as any order, and costs less than keeping one: what is common
  // is back at once.
  if (known.size() >= limits::kUserAgentsCachedMax / 2) known.clear();
  known.emplace(user_agent, sources);
  return sources;
}

}  // namespace vitrine
