// vitrine report: what was shown, and what came of it.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/progress.h"
#include "api/render/render.h"
#include "api/render/wording.h"
#include "experiments/attribution/placement_report.h"
#include "ingest/money.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  PlacementReportOptions report;
  std::string from;
  std::string to;
  std::string zone = "UTC";
  double window_days = 7;
  double click_minutes = 30;
};

// The moment at which a day begins, or (`after`) ends; `otherwise` if none is named.
absl::StatusOr<int64_t> DayMs(absl::string_view option, const std::string& text, bool after,
                              absl::TimeZone zone, int64_t otherwise) {
  if (text.empty()) return otherwise;
  absl::CivilDay day;
  if (!absl::ParseCivilTime(text, &day)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", text, " is no date like 2024-01-31"));
  }
  return absl::ToUnixMillis(absl::FromCivil(after ? day + 1 : day, zone));
}

absl::Status RunPlacements(const Common& common, Options options) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(options.zone, &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--time-zone: ", options.zone, " is no zone like Asia/Tehran"));
  }
  PlacementReportOptions& report = options.report;
  ShownPeriod& period = report.period;
  ASSIGN_OR_RETURN(period.from_ms, DayMs("--from", options.from, false, zone, period.from_ms));
  ASSIGN_OR_RETURN(period.to_ms, DayMs("--to", options.to, true, zone, period.to_ms));
  if (period.from_ms >= period.to_ms) return absl::InvalidArgumentError("--from lies after --to");
  report.windows.order_ms = absl::ToInt64Milliseconds(absl::Hours(24 * options.window_days));
  report.windows.click_ms = absl::ToInt64Milliseconds(absl::Minutes(options.click_minutes));
  report.minor_digits = MinorDigits;
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  Progress progress;
  report.on_progress = [&](int64_t persons) {
    progress.Show("reading", persons, 0, absl::StrCat(WithThousands(persons), " persons"));
  };
  ASSIGN_OR_RETURN(const Report made, PlacementReport(copy->house(), report));
  return Show(made, FormatMessage(common.language, {"placements.title", {common.site}}), common);
}

void AddPlacementReport(CLI::App* report, Common* common, Action* action) {
  CLI::App* command = report->add_subcommand(
      "placements",
      "Say what was shown and what came of it: clicks, what went into the cart, orders and revenue\n"
      "by placement and source, or by rule, arm or position. What is done is credited to the shelf\n"
      "that it names, or to the newest one that showed the product within the window. Reads a copy\n"
      "that the site's owner makes, while a server goes on.");
  auto options = std::make_shared<Options>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddPageOptions(command, common);
  command->add_option("--from", options->from, "First day on which it was shown, like 2024-01-31")
      ->option_text("DAY");
  command->add_option("--to", options->to, "Last day, included")->option_text("DAY");
  command->add_option("--time-zone", options->zone, "Of the shop's days, like Asia/Tehran")
      ->capture_default_str();
  command
      ->add_option("--window-days", options->window_days,
                   "An order is credited so long after a product was shown")
      ->check(CLI::Range(0.0, 365.0))
      ->capture_default_str();
  command
      ->add_option("--click-minutes", options->click_minutes,
                   "So are clicks, and what is put into the cart")
      ->check(CLI::Range(0.0, 1440.0))
      ->capture_default_str();
  static const std::map<std::string, PlacementKey> kKeys = {{"placement", PlacementKey::kPlacement},
                                                            {"source", PlacementKey::kSource},
                                                            {"rule", PlacementKey::kRule},
                                                            {"arm", PlacementKey::kArm},
                                                            {"position", PlacementKey::kPosition}};
  command
      ->add_option("--by", options->report.by,
                   "What the rows are, one or more, separated by commas: placement, source, rule,\n"
                   "arm, position (default placement,source)")
      ->transform(CLI::CheckedTransformer(kKeys))
      ->delimiter(',')
      ->option_text("KEY,...");
  command->callback([=] { *action = [=] { return RunPlacements(*common, *options); }; });
}

}  // namespace

void AddReport(CLI::App* app, Common* common, Action* action) {
  CLI::App* report = app->add_subcommand("report", "What was shown, and what came of it.");
  report->require_subcommand(1);
  AddPlacementReport(report, common, action);
}

}  // namespace vitrine::cli
