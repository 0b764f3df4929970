// vitrine trigger: what a site says by itself when something happens.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/outreach_json.h"
#include "api/client/client.h"
#include "api/service/site.h"
#include "recommender/outreach/trigger_engine.h"
#include "recommender/outreach/triggers.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string file;
  std::string comment;
  int32_t most = 20;
};

absl::StatusOr<std::unique_ptr<Access>> OpenSite(const Common& common) {
  return Access::Open(common.data, common.site, /*create=*/false);
}

std::string ChannelsText(const std::vector<Channel>& channels) {
  return absl::StrJoin(channels, ", ", [](std::string* out, const Channel& channel) {
    absl::StrAppend(out, ChannelName(channel));
  });
}

absl::Status ShowTriggers(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  TriggerSetVersion version;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().triggers(version, common.site); }));
  if (common.json) {
    std::cout << TriggersToJson(version);
    return absl::OkStatus();
  }
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "triggers";
  table.columns = {{"trigger"}, {"when"}, {"on"}, {"channels"}, {"purpose"}, {"valid hours"}};
  for (const Trigger& trigger : version.content.triggers) {
    table.rows.push_back(
        {trigger.id, std::string(NameOf(trigger.kind)), std::string(trigger.enabled ? "yes" : "no"),
         ChannelsText(trigger.channels), trigger.purpose, int64_t{trigger.valid_hours}});
  }
  report.notes.push_back(absl::StrCat(
      "version ", version.version,
      version.version == 0 ? ", what a new site has" : absl::StrCat(", by ", version.who)));
  Print(report, common);
  return absl::OkStatus();
}

absl::Status SetTriggers(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const Document<TriggerSet> document,
                   ReadDocument<TriggerSet>(options.file, TriggersFromJson, ValidateTriggers));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  TriggerSetVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    if (!document.version) access->backoffice().triggers(version, common.site);
    const int64_t based_on = document.version.value_or(version.version);
    access->backoffice().set_triggers(version, common.site, document.content, based_on, Who(),
                                      options.comment);
  }));
  if (common.json) {
    std::cout << TriggersToJson(version);
  } else {
    std::cout << "the site speaks by version " << version.version << " now\n";
  }
  return absl::OkStatus();
}

absl::Status ShowHistory(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  std::vector<TriggerSetVersion> versions;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().trigger_history(versions, common.site, options.most); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"triggers"}, {"comment"}};
  for (const TriggerSetVersion& version : versions) {
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          static_cast<int64_t>(version.content.triggers.size()), version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

// Once: what has come to its time, and then no more. A server does so by itself.
absl::Status RunTriggers(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Sites> sites,
                   Sites::OpenOne(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(Site * site, sites->Find(common.site));
  RETURN_IF_ERROR(site->Derive());
  const std::string folder = absl::StrCat(site->directory(), "/outreach");
  ASSIGN_OR_RETURN(const std::unique_ptr<TriggerEngine> engine,
                   TriggerEngine::Open(&site->house(), folder, &Clock::System()));
  ASSIGN_OR_RETURN(const TriggerEngine::Outcome outcome, engine->Run());
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "triggers";
  table.columns = {{"what"}, {"number"}};
  table.rows = {{std::string("customers looked at"), outcome.looked},
                {std::string("new causes, due within a day"), outcome.waiting},
                {std::string("sent"), outcome.sent},
                {std::string("held"), outcome.held},
                {std::string("dropped, their cause was gone"), outcome.dropped}};
  for (const auto& [rule, count] : outcome.refused) {
    table.rows.push_back({absl::StrCat("refused: ", rule), count});
  }
  report.notes.push_back(absl::StrCat("messages to send: ", folder, "/outbox.jsonl"));
  Print(report, common);
  return absl::OkStatus();
}

}  // namespace

void AddTrigger(CLI::App* app, Common* common, Action* action) {
  CLI::App* const command = app->add_subcommand(
      "trigger",
      "What the site says by itself: about a cart that was left, a price that fell, a birthday.\n"
      "  vitrine trigger show --site S --json > triggers.json\n"
      "  vitrine trigger set --site S triggers.json\n"
      "A server runs them every two seconds; messages go to outreach/outbox.jsonl in the site's\n"
      "folder, for adapters to send (examples/outreach). Where no server runs:\n"
      "  vitrine trigger run --site S");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto with_site = [&](CLI::App* sub) {
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
  };
  CLI::App* const show =
      command->add_subcommand("show", "The triggers as a table, or (--json) as a file to edit");
  with_site(show);
  show->callback([=] { *action = [=] { return ShowTriggers(*common); }; });

  CLI::App* const set = command->add_subcommand(
      "set", "Takes a file; refused if somebody changed them since it was shown");
  with_site(set);
  set->add_option("file", options->file, "JSON, as show --json prints it")->required();
  set->add_option("--comment", options->comment, "Why, for the history");
  set->callback([=] { *action = [=] { return SetTriggers(*common, *options); }; });

  CLI::App* const history =
      command->add_subcommand("history", "Who changed them when, the newest first");
  with_site(history);
  history->add_option("--limit", options->most, "Versions to show")
      ->check(CLI::Range(1, limits::kWireContainerMax))
      ->capture_default_str();
  history->callback([=] { *action = [=] { return ShowHistory(*common, *options); }; });

  CLI::App* const run = command->add_subcommand(
      "run", "Says what has come to its time, once; only where no server has the site");
  with_site(run);
  run->callback([=] { *action = [=] { return RunTriggers(*common); }; });
}

}  // namespace vitrine::cli
