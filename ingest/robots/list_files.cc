#include "ingest/robots/list_files.h"

#include <re2/re2.h>
#include <simdjson.h>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "ingest/robots/pattern_set.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

// --- crawler-user-agents ---

class CrawlerList : public RobotList {
 public:
  absl::Status Read(const std::string& text) {
    simdjson::dom::parser parser;
    simdjson::dom::array entries;
    if (const auto error = parser.parse(text).get(entries)) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a JSON list of patterns: ", simdjson::error_message(error)));
    }
    size_t place = 0;
    for (const simdjson::dom::element entry : entries) {
      ++place;
      std::string_view pattern;
      if (entry["pattern"].get(pattern) || pattern.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("entry ", place, " has no \"pattern\""));
      }
      Count(set_.Add({pattern.data(), pattern.size()}));
    }
    set_.Compile();
    return absl::OkStatus();
  }

  bool Knows(absl::string_view user_agent) const override { return set_.Matches(user_agent); }

 private:
  PatternSet set_;
};

// --- uap-core ---

// A browser family that says what it is.
const RE2& RobotFamily() {
  static const RE2* const family = new RE2("(?i)bot|spider|crawl|archiver|indexer|scraper|pinger");
  return *family;
}

// The first entry that matches names the device. The names of robots are many words in one entry,
// of which "silk" and "yahoo" are browsers' too: those are named by entries that come before.
class UapCore : public RobotList {
 public:
  absl::Status Read(const std::string& text) {
    const YAML::Node root = YAML::Load(text);
    const auto has_list = [&root](const char* name) {
      return root.IsMap() && root[name] && root[name].IsSequence();
    };
    if (!has_list("device_parsers") || !has_list("user_agent_parsers")) {
      return absl::InvalidArgumentError(
          "not a regexes.yaml: it lacks device_parsers or user_agent_parsers");
    }
    ReadDevices(root["device_parsers"]);
    for (const YAML::Node& entry : root["user_agent_parsers"]) ReadFamily(entry);
    for (PatternSet* set : {&first_spiders_, &later_spiders_, &others_, &families_}) {
      set->Compile();
    }
    return absl::OkStatus();
  }

  bool Knows(absl::string_view user_agent) const override {
    if (first_spiders_.Matches(user_agent)) return true;
    if (later_spiders_.Matches(user_agent) && !others_.Matches(user_agent)) return true;
    return families_.Matches(user_agent) && HasRobotFamily(user_agent);
  }

 private:
  struct Family {
    std::unique_ptr<RE2> pattern;
    std::string replacement;  // empty: what the first group finds
  };

  static std::string PatternOf(const YAML::Node& entry) {
    const std::string pattern = entry["regex"].as<std::string>();
    const YAML::Node flag = entry["regex_flag"];
    return flag && flag.as<std::string>() == "i" ? absl::StrCat("(?i:", pattern, ")") : pattern;
  }

  void ReadDevices(const YAML::Node& entries) {
    size_t last_spider = 0;
    const auto is_spider = [](const YAML::Node& entry) {
      const YAML::Node device = entry["device_replacement"];
      return device && device.as<std::string>() == "Spider";
    };
    for (size_t i = 0; i < entries.size(); ++i) {
      if (is_spider(entries[i])) last_spider = i;
    }
    bool others_came = false;
    for (size_t i = 0; i <= last_spider && i < entries.size(); ++i) {
      if (is_spider(entries[i])) {
        Count((others_came ? later_spiders_ : first_spiders_).Add(PatternOf(entries[i])));
      } else {
        others_came = true;
        others_.Add(PatternOf(entries[i]));  // not a robot's pattern: not counted
      }
    }
  }

  void ReadFamily(const YAML::Node& entry) {
    const YAML::Node given = entry["family_replacement"];
    Family family;
    family.replacement = given ? given.as<std::string>() : "";
    const std::string pattern = entry["regex"].as<std::string>();
    const bool may_name_one = RE2::PartialMatch(family.replacement, RobotFamily()) ||
                              RE2::PartialMatch(pattern, RobotFamily());
    if (!may_name_one) return;
    RE2::Options options(RE2::Latin1);
    options.set_log_errors(false);
    family.pattern = std::make_unique<RE2>(ForAutomaton(pattern), options);
    const bool taken = family.pattern->ok() && families_.Add(pattern);
    Count(taken);
    if (taken) patterns_of_families_.push_back(std::move(family));
  }

  bool HasRobotFamily(absl::string_view user_agent) const {
    for (const Family& family : patterns_of_families_) {
      re2::StringPiece found[2];  // the match, and its first group
      if (!family.pattern->Match(Piece(user_agent), 0, user_agent.size(), RE2::UNANCHORED, found,
                                 family.pattern->NumberOfCapturingGroups() > 0 ? 2 : 1)) {
        continue;
      }
      const std::string first(found[1].data() == nullptr ? "" : found[1].as_string());
      const std::string name = family.replacement.empty()
                                   ? first
                                   : absl::StrReplaceAll(family.replacement, {{"$1", first}});
      if (RE2::PartialMatch(name, RobotFamily())) return true;
    }
    return false;
  }

  PatternSet first_spiders_;  // before any other device
  PatternSet later_spiders_;
  PatternSet others_;  // devices that come before the last spider
  PatternSet families_;
  std::vector<Family> patterns_of_families_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RobotList>> ReadCrawlerList(const std::string& text) {
  auto list = std::make_unique<CrawlerList>();
  RETURN_IF_ERROR(list->Read(text));
  return list;
}

absl::StatusOr<std::unique_ptr<RobotList>> ReadUapCore(const std::string& text) {
  auto list = std::make_unique<UapCore>();
  try {
    RETURN_IF_ERROR(list->Read(text));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("line ", error.mark.line + 1, ": ", error.msg));
  }
  return list;
}

}  // namespace vitrine
