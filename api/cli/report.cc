// vitrine report: what was shown and what came of it; what customers are worth.

#include <map>
#include <memory>
#include <optional>
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
#include "recommender/customer_base/customer_report.h"
#include "store/base/limits.h"
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

// None if no day is named.
absl::StatusOr<std::optional<absl::CivilDay>> ParseDay(absl::string_view option,
                                                       const std::string& text) {
  if (text.empty()) return std::nullopt;
  absl::CivilDay day;
  if (absl::ParseCivilTime(text, &day)) return day;
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": ", text, " is no date like 2024-01-31"));
}

// The moment at which a day begins, or (`after`) ends; `otherwise` if none is named.
absl::StatusOr<int64_t> DayMs(absl::string_view option, const std::string& text, bool after,
                              absl::TimeZone zone, int64_t otherwise) {
  ASSIGN_OR_RETURN(const std::optional<absl::CivilDay> day, ParseDay(option, text));
  if (!day) return otherwise;
  return absl::ToUnixMillis(absl::FromCivil(after ? *day + 1 : *day, zone));
}

absl::StatusOr<absl::TimeZone> LoadZone(const std::string& name) {
  absl::TimeZone zone;
  if (absl::LoadTimeZone(name, &zone)) return zone;
  return absl::InvalidArgumentError(
      absl::StrCat("--time-zone: ", name, " is no zone like Asia/Tehran"));
}

absl::Status RunPlacements(const Common& common, Options options) {
  ASSIGN_OR_RETURN(const absl::TimeZone zone, LoadZone(options.zone));
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

struct CustomerOptions {
  CustomerReportOptions report;
  std::string as_of;
  std::string since;
  std::string zone = "UTC";
};

absl::Status RunCustomers(const Common& common, CustomerOptions options) {
  CustomerReportOptions& report = options.report;
  ASSIGN_OR_RETURN(report.base.time_zone, LoadZone(options.zone));
  ASSIGN_OR_RETURN(report.as_of, ParseDay("--as-of", options.as_of));
  ASSIGN_OR_RETURN(report.since, ParseDay("--since", options.since));
  report.minor_digits = MinorDigits;
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  ASSIGN_OR_RETURN(const std::unique_ptr<SiteCopy> copy, SiteCopy::Make(access.get(), common.site));
  Progress progress;
  report.base.on_progress = [&](int64_t events) {
    progress.Show("reading", events, 0, absl::StrCat(WithThousands(events), " events"));
  };
  ASSIGN_OR_RETURN(const Report made, CustomerReport(copy->house(), report));
  return Show(made, FormatMessage(common.language, {"customers.title", {common.site}}), common);
}

// What the values are computed with.
void AddValueOptions(CLI::App* command, CustomerReportOptions* report) {
  static const std::map<std::string, PurchaseModelKind> kModels = {
      {"bg-nbd", PurchaseModelKind::kBgNbd},
      {"mbg-nbd", PurchaseModelKind::kMbgNbd},
      {"pareto-nbd", PurchaseModelKind::kParetoNbd}};
  command
      ->add_option("--model", report->value.model,
                   "Of purchases and of who is a customer still: mbg-nbd (default), bg-nbd,\n"
                   "pareto-nbd. By bg-nbd nobody lapses who bought only once")
      ->transform(CLI::CheckedTransformer(kModels))
      ->option_text("NAME");
  command->add_option("--horizon-days", report->value.horizon_days, "So far it is looked ahead")
      ->check(CLI::Range(1, limits::kHorizonDaysMax))
      ->capture_default_str();
  command
      ->add_option("--discount", report->value.yearly_discount,
                   "What is earned a year later is worth so much less")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command
      ->add_option("--margin-share", report->base.margin_share,
                   "Of what is paid, so much is earned, where the catalogue names no margin")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command
      ->add_option("--resold-share", report->value.resold_share,
                   "Of what returned goods had cost, so much is kept: 1 if they are sold again")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
}

void AddCustomerReport(CLI::App* report, Common* common, Action* action) {
  CLI::App* command = report->add_subcommand(
      "customers",
      "Say what customers are worth and where they stand: life-cycle stages and movement between\n"
      "them, RFM, retention, what they will likely bring, who costs more than they bring; and how\n"
      "far such forecasts were right. Reads a copy that the site's owner makes.");
  auto options = std::make_shared<CustomerOptions>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddPageOptions(command, common);
  command
      ->add_option("--as-of", options->as_of,
                   "Day that it is about (default: the last with a purchase)")
      ->option_text("DAY");
  command
      ->add_option("--since", options->since, "Movement from this day on (default: 90 days before)")
      ->option_text("DAY");
  command
      ->add_option("--holdout-days", options->report.holdout_days,
                   "The last days, that models are tested on (default: a third)")
      ->check(CLI::Range(0, limits::kHorizonDaysMax));
  command->add_option("--time-zone", options->zone, "Of the shop's days, like Asia/Tehran")
      ->capture_default_str();
  command
      ->add_option("--currency", options->report.base.currency,
                   "Of the amounts (default: the one in which most bought)")
      ->option_text("CODE");
  command->add_flag("--visitors", options->report.base.visitors,
                    "Count visitors without a customer id as customers, once they bought");
  command->add_option("--top", options->report.top, "Rows of lists of customers")
      ->check(CLI::Range(size_t{1}, limits::kMinedRowsMax))
      ->capture_default_str();
  AddValueOptions(command, &options->report);
  command->callback([=] { *action = [=] { return RunCustomers(*common, *options); }; });
}

}  // namespace

void AddReport(CLI::App* app, Common* common, Action* action) {
  CLI::App* report =
      app->add_subcommand("report", "What was shown and what came of it; customers.");
  report->require_subcommand(1);
  AddPlacementReport(report, common, action);
  AddCustomerReport(report, common, action);
}

}  // namespace vitrine::cli
