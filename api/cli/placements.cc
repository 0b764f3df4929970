// vitrine placements: what the storefront shows by, looked at and changed.

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/placements_json.h"
#include "api/client/client.h"
#include "recommender/placements/reasons.h"
#include "recommender/placements/validate.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string file;
  std::string comment;
  int64_t version = -1;
  int32_t most = 20;
};

std::string RecipeText(const std::vector<RecipeSource>& recipe) {
  return absl::StrJoin(recipe, " + ", [](std::string* out, const RecipeSource& source) {
    if (source.weight == 0) {
      absl::StrAppend(out, "(", SourceName(source.source), ")");
    } else if (source.weight == 1) {
      absl::StrAppend(out, SourceName(source.source));
    } else {
      absl::StrAppend(out, source.weight, " ", SourceName(source.source));
    }
    if (source.__isset.days) absl::StrAppend(out, " of ", source.days, " days");
  });
}

std::string RulesText(const std::vector<Rule>& rules) {
  return absl::StrJoin(rules, ", ", [](std::string* out, const Rule& rule) { *out += rule.id; });
}

absl::Status ShowPlacements(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  PlacementVersion version;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().placements(version, common.site); }));
  if (common.json) {
    std::cout << PlacementsToJson(version);
    return absl::OkStatus();
  }
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "placements";
  table.columns = {{"placement"}, {"title"}, {"recipe"}, {"rules"}};
  for (const Placement& placement : version.content.placements) {
    table.rows.push_back({placement.id, TitleText(placement, "en"), RecipeText(placement.recipe),
                          RulesText(placement.rules)});
  }
  report.notes.push_back(absl::StrCat(
      "version ", version.version,
      version.version == 0 ? ", what a new site has" : absl::StrCat(", by ", version.who),
      "; sources in (...) only fill up; rules of every placement: ",
      version.content.rules.empty() ? "none" : RulesText(version.content.rules)));
  Print(report, common);
  return absl::OkStatus();
}

absl::StatusOr<PlacementDocument> Read(const std::string& file) {
  return ReadDocument<PlacementSet>(file, PlacementsFromJson, ValidatePlacements);
}

absl::Status CheckFile(const Options& options) {
  ASSIGN_OR_RETURN(const PlacementDocument document, Read(options.file));
  std::cout << options.file << ": " << document.content.placements.size()
            << " placements, nothing wrong\n";
  return absl::OkStatus();
}

void Say(const Common& common, const PlacementVersion& version) {
  if (common.json) {
    std::cout << PlacementsToJson(version);
  } else {
    std::cout << "the storefront shows by version " << version.version << " now\n";
  }
}

absl::Status SetPlacements(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const PlacementDocument document, Read(options.file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  PlacementVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    if (!document.version) access->backoffice().placements(version, common.site);
    const int64_t based_on = document.version.value_or(version.version);
    access->backoffice().set_placements(version, common.site, document.content, based_on, Who(),
                                        options.comment);
  }));
  Say(common, version);
  return absl::OkStatus();
}

absl::Status ShowHistory(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<PlacementVersion> versions;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().placement_history(versions, common.site, options.most); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"placements"}, {"rules"}, {"comment"}};
  for (const PlacementVersion& version : versions) {
    size_t rules = version.content.rules.size();
    for (const Placement& placement : version.content.placements) rules += placement.rules.size();
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          static_cast<int64_t>(version.content.placements.size()),
                          static_cast<int64_t>(rules), version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status RollBack(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  PlacementVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().roll_back_placements(version, common.site, options.version, Who());
  }));
  Say(common, version);
  return absl::OkStatus();
}

}  // namespace

void AddPlacements(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "placements",
      "What the storefront shows by: the places that show products, what each is made of, and the\n"
      "rules it keeps. Edit it as a file:\n"
      "  vitrine placements show --site S --json > placements.json\n"
      "  vitrine placements set --site S placements.json --comment \"no knives on the home page\"\n"
      "A change holds for the next request; every version is kept.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto with_site = [&](CLI::App* sub) {
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
  };

  CLI::App* const show =
      command->add_subcommand("show", "The placements as a table, or (--json) as a file to edit");
  with_site(show);
  show->callback([=] { *action = [=] { return ShowPlacements(*common); }; });

  CLI::App* const check =
      command->add_subcommand("check", "Whether a file makes sense; changes nothing");
  check->add_option("file", options->file, "JSON, as show --json prints it")->required();
  check->callback([=] { *action = [=] { return CheckFile(*options); }; });

  CLI::App* const set = command->add_subcommand(
      "set", "Takes a file; refused if somebody changed them since it was shown");
  with_site(set);
  set->add_option("file", options->file, "JSON, as show --json prints it")->required();
  set->add_option("--comment", options->comment, "Why, for the history");
  set->callback([=] { *action = [=] { return SetPlacements(*common, *options); }; });

  CLI::App* const history =
      command->add_subcommand("history", "Who changed them when, the newest first");
  with_site(history);
  history->add_option("--limit", options->most, "Versions to show")
      ->check(CLI::Range(1, limits::kWireContainerMax))
      ->capture_default_str();
  history->callback([=] { *action = [=] { return ShowHistory(*common, *options); }; });

  CLI::App* const back = command->add_subcommand("rollback", "Makes an old version the newest one");
  with_site(back);
  back->add_option("version", options->version, "As history shows it")->required();
  back->callback([=] { *action = [=] { return RollBack(*common, *options); }; });
}

}  // namespace vitrine::cli
