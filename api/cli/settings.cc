// vitrine settings show|set: what a site does otherwise than the defaults.

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

std::string Text(bool value) { return value ? "true" : "false"; }

absl::Status Wrong(absl::string_view what, absl::string_view value) {
  return absl::InvalidArgumentError(absl::StrCat("'", value, "' is not ", what));
}

template <typename Int>
absl::StatusOr<Int> ParseInt(absl::string_view text) {
  Int value;
  if (absl::SimpleAtoi(text, &value)) return value;
  return Wrong("a whole number", text);
}

absl::StatusOr<double> ParseDouble(absl::string_view text) {
  double value;
  if (absl::SimpleAtod(text, &value)) return value;
  return Wrong("a number", text);
}

absl::StatusOr<bool> ParseBool(absl::string_view text) {
  bool value;
  if (absl::SimpleAtob(text, &value)) return value;
  return Wrong("true or false", text);
}

// "page_view:30,search:90".
absl::StatusOr<std::map<EventKind, int32_t>> ParseRetention(absl::string_view text) {
  std::map<EventKind, int32_t> days;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair = absl::StrSplit(part, ':');
    const auto kind = ParseEventKind(pair.first);
    if (!kind) return Wrong(absl::StrCat("one of ", EventKindNames()), pair.first);
    ASSIGN_OR_RETURN(days[*kind], ParseInt<int32_t>(pair.second));
  }
  return days;
}

std::string RetentionText(const SiteSettings& settings) {
  return absl::StrJoin(settings.retention_days, ",", [](std::string* out, const auto& pair) {
    absl::StrAppend(out, EventKindName(pair.first), ":", pair.second);
  });
}

struct Setting {
  const char* name;
  const char* help;
  std::string (*get)(const SiteSettings&);
  absl::Status (*set)(absl::string_view, SiteSettingsPatch*);
};

// A setting that is one value of the patch: how it is parsed.
#define VITRINE_SETTING(field, parse)                    \
  [](absl::string_view text, SiteSettingsPatch* patch) { \
    ASSIGN_OR_RETURN(auto value, parse(text));           \
    patch->__set_##field(std::move(value));              \
    return absl::OkStatus();                             \
  }

absl::StatusOr<std::vector<std::string>> ParseHosts(absl::string_view text) {
  return std::vector<std::string>(absl::StrSplit(text, ',', absl::SkipEmpty()));
}

// In the order of SiteSettings in records.thrift.
const Setting kSettings[] = {
    {"session_gap_ms", "A pause longer than this starts a new session",
     [](const SiteSettings& s) { return absl::StrCat(s.session_gap_ms); },
     VITRINE_SETTING(session_gap_ms, ParseInt<int64_t>)},
    {"exclude_bought", "true: recommend leaves out what the customer already bought",
     [](const SiteSettings& s) { return Text(s.exclude_bought); },
     VITRINE_SETTING(exclude_bought, ParseBool)},
    {"session_max_ms", "A visit longer than this is cut: only programs stay on for days",
     [](const SiteSettings& s) { return absl::StrCat(s.session_max_ms); },
     VITRINE_SETTING(session_max_ms, ParseInt<int64_t>)},
    {"cut_at_campaign", "true: a new campaign starts a new session",
     [](const SiteSettings& s) { return Text(s.cut_at_campaign); },
     VITRINE_SETTING(cut_at_campaign, ParseBool)},
    {"retention_days",
     "Days after which events of a kind are dropped, as in page_view:30,search:90; a kind that is\n"
     "not named is kept; empty: all are",
     RetentionText, VITRINE_SETTING(retention_days, ParseRetention)},
    {"customers_per_visitor_max",
     "A device that more customers than this logged in on is shared: what happens there between\n"
     "logins is nobody's",
     [](const SiteSettings& s) { return absl::StrCat(s.customers_per_visitor_max); },
     VITRINE_SETTING(customers_per_visitor_max, ParseInt<int32_t>)},
    {"hosts", "The shop's own hosts, with commas between them: no referrer there is a way in",
     [](const SiteSettings& s) { return absl::StrJoin(s.hosts, ","); },
     VITRINE_SETTING(hosts, ParseHosts)},
    {"train_every_hours",
     "A running server trains a model so often, if there is anything new; 0: only when asked",
     [](const SiteSettings& s) { return absl::StrCat(s.train_every_hours); },
     VITRINE_SETTING(train_every_hours, ParseInt<int32_t>)},
    {"experiment_holdout",
     "The part of all units that no experiment gets, 0 to 1: all of them together are measured\n"
     "against it",
     [](const SiteSettings& s) { return absl::StrCat(s.experiment_holdout); },
     VITRINE_SETTING(experiment_holdout, ParseDouble)},
    {"models_kept", "Models that stay on disk, with the one that is served: 1 to 100",
     [](const SiteSettings& s) { return absl::StrCat(s.models_kept); },
     VITRINE_SETTING(models_kept, ParseInt<int32_t>)},
};

#undef VITRINE_SETTING

absl::Status ShowSettings(const Common& common, Access* access) {
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access, common.site));
  const SiteSettings now = copy->house().GetSettings();
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "settings";
  table.title = "Settings";
  table.columns = {{"setting"}, {"value"}, {"default"}};
  for (const Setting& setting : kSettings) {
    table.rows.push_back({std::string(setting.name), setting.get(now), setting.get({})});
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::StatusOr<SiteSettingsPatch> ParsePatch(const std::vector<std::string>& changes) {
  SiteSettingsPatch patch;
  for (const std::string& change : changes) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(change, absl::MaxSplits('=', 1));
    const auto setting =
        std::find_if(std::begin(kSettings), std::end(kSettings),
                     [&](const Setting& known) { return known.name == pair.first; });
    if (setting == std::end(kSettings)) {
      return absl::InvalidArgumentError(
          absl::StrCat("there is no setting ", pair.first, "; vitrine settings set --help"));
    }
    RETURN_IF_ERROR(Annotate(setting->set(pair.second, &patch), setting->name));
  }
  return patch;
}

absl::Status Run(const Common& common, const std::vector<std::string>& changes) {
  ASSIGN_OR_RETURN(const SiteSettingsPatch patch, ParsePatch(changes));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  if (!changes.empty()) {
    // What follows from a change (sessions, retention) has followed when this returns.
    RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().import_done(common.site, patch); }));
  }
  return ShowSettings(common, access.get());
}

}  // namespace

void AddSettings(CLI::App* app, Common* common, Action* action) {
  CLI::App* settings = app->add_subcommand("settings", "What a site does, and how to change it.");
  settings->require_subcommand(1);
  const auto add = [&](const char* name, const std::string& help) {
    CLI::App* command = settings->add_subcommand(name, help);
    AddDataOption(command, common);
    AddSiteOption(command, common);
    AddJsonOption(command, common);
    return command;
  };
  auto changes = std::make_shared<std::vector<std::string>>();
  CLI::App* show = add("show", "Every setting, with its default");
  show->callback([=] { *action = [=] { return Run(*common, {}); }; });

  std::string help =
      "Change settings, all of them or none; what follows from that (sessions, retention) has\n"
      "followed when it returns.\n"
      "  vitrine settings set --site gifts train_every_hours=24 models_kept=7\n";
  for (const Setting& setting : kSettings) {
    const std::vector<std::string> lines = absl::StrSplit(setting.help, '\n');
    absl::StrAppend(&help, "\n", setting.name, "\n    ", absl::StrJoin(lines, "\n    "));
  }
  CLI::App* set = add("set", help);
  set->add_option("changes", *changes, "Settings to change")
      ->option_text("NAME=VALUE ...")
      ->required();
  set->callback([=] { *action = [=] { return Run(*common, *changes); }; });
}

}  // namespace vitrine::cli
