// vitrine robots: who is one, who says so, and an operator's word against it.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string customer, visitor;
  bool is_human = false;
  int32_t most = 100;
};

absl::StatusOr<std::unique_ptr<Access>> Open(const Common& common) {
  return Access::Open(common.data, common.site, /*create=*/false);
}

std::string Decided(const RobotVerdict& verdict) {
  if (!verdict.__isset.decided) return "";
  return verdict.decided ? "robot" : "no robot";
}

// Where the next page of robots begins.
struct Place {
  std::string customer, visitor;
};

absl::Status ListRobots(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "robots";
  table.title = "Persons found to be robots, or decided on";
  table.columns = {{"kind"}, {"id"}, {"sources"}, {"operator says"}};
  Place after;
  bool there_are_more = true;
  while (there_are_more && static_cast<int32_t>(table.rows.size()) < options.most) {
    const int32_t left = options.most - static_cast<int32_t>(table.rows.size());
    const int32_t page = std::min(left, limits::kWireContainerMax);
    std::vector<Robot> robots;
    RETURN_IF_ERROR(CatchThrift([&] {
      access->backoffice().robots(robots, common.site, after.customer, after.visitor, page);
    }));
    for (const Robot& robot : robots) {
      const bool is_customer = robot.__isset.customer_id;
      after = {robot.customer_id, robot.visitor_id};
      table.rows.push_back({std::string(is_customer ? "customer" : "visitor"),
                            is_customer ? robot.customer_id : robot.visitor_id,
                            absl::StrJoin(robot.verdict.sources, " "), Decided(robot.verdict)});
    }
    there_are_more = static_cast<int32_t>(robots.size()) == page;
  }
  if (there_are_more) {
    report.notes.push_back(
        absl::StrCat("There may be more: --limit shows more than ", options.most));
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status Decide(const Common& common, const Options& options, RobotDecision decision) {
  if (options.customer.empty() == options.visitor.empty()) {
    return absl::InvalidArgumentError("say who: either --customer or --visitor");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  return CatchThrift([&] {
    access->backoffice().decide_robot(common.site, options.customer, options.visitor, decision);
  });
}

absl::Status ShowLists(const Common& common, bool read_again) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, Open(common));
  if (read_again) {
    RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().relist_robots(common.site); }));
  }
  std::vector<RobotListInfo> lists;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().robot_lists(lists, common.site); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "lists";
  table.title = "Lists of robots";
  table.columns = {{"source"}, {"file"}, {"patterns"}, {"not taken"}, {"problem"}};
  for (const RobotListInfo& list : lists) {
    table.rows.push_back({list.source, list.path, int64_t{list.patterns},
                          int64_t{list.patterns_not_taken}, list.problem});
  }
  Print(report, common);
  return absl::OkStatus();
}

void AddWho(CLI::App* command, Options* options) {
  command->add_option("--customer", options->customer, "The customer's id");
  command->add_option("--visitor", options->visitor, "The visitor's id");
}

}  // namespace

void AddRobots(CLI::App* app, Common* common, Action* action) {
  CLI::App* robots =
      app->add_subcommand("robots",
                          "Who is a robot, and who says so. Their events are kept; their sessions "
                          "are marked, and left\n"
                          "out of customers' counts and of training. Lists: Debian's uap-core, and "
                          "every *.json in the\n"
                          "folder robots/ of the data folder (npm's crawler-user-agents is one).");
  robots->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* help) {
    CLI::App* command = robots->add_subcommand(name, help);
    AddDataOption(command, common);
    AddSiteOption(command, common);
    return command;
  };
  CLI::App* list = add("list", "Robots and the sources of each verdict");
  AddJsonOption(list, common);
  list->add_option("--limit", options->most, "How many at most")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  list->callback([=] { *action = [=] { return ListRobots(*common, *options); }; });

  CLI::App* set = add("set", "Say that somebody is a robot, or with --human that they are none");
  AddWho(set, options.get());
  set->add_flag("--human", options->is_human, "They are no robot, whatever lists and rules say");
  set->callback([=] {
    *action = [=] {
      return Decide(*common, *options,
                    options->is_human ? RobotDecision::NO_ROBOT : RobotDecision::ROBOT);
    };
  });

  CLI::App* clear = add("clear", "Take your word back: lists and rules decide again");
  AddWho(clear, options.get());
  clear->callback(
      [=] { *action = [=] { return Decide(*common, *options, RobotDecision::AUTOMATIC); }; });

  CLI::App* lists = add("lists", "The lists in use");
  AddJsonOption(lists, common);
  lists->callback([=] { *action = [=] { return ShowLists(*common, false); }; });

  CLI::App* relist = add("relist", "Read the lists again and judge everybody by them");
  AddJsonOption(relist, common);
  relist->callback([=] { *action = [=] { return ShowLists(*common, true); }; });
}

}  // namespace vitrine::cli
