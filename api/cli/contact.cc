// vitrine contact: the policy that says who may be contacted when, and what customers wished.

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
#include "recommender/offers/contact_policy.h"
#include "recommender/offers/validate.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string file;
  std::string comment;
  std::string customer;
  std::string channel = "email";
  std::string purpose = "marketing";
  int32_t most = 20;
};

absl::StatusOr<std::unique_ptr<Access>> OpenSite(const Common& common) {
  return Access::Open(common.data, common.site, /*create=*/false);
}

std::string ClockText(int32_t minute) {
  return absl::StrCat(minute / 60 < 10 ? "0" : "", minute / 60, ":", minute % 60 < 10 ? "0" : "",
                      minute % 60);
}

std::string CapText(const FrequencyCap& cap) {
  std::string text = absl::StrCat("at most ", cap.most, " in ");
  if (cap.period == CAP_ROLLING) absl::StrAppend(&text, "any ", cap.hours, " hours");
  if (cap.period == CAP_DAY) text += "a day";
  if (cap.period == CAP_WEEK) text += "a week";
  if (cap.period == CAP_MONTH) text += "a month";
  if (cap.__isset.channel) absl::StrAppend(&text, " by ", ChannelName(cap.channel));
  if (!cap.purposes.empty()) absl::StrAppend(&text, " of ", absl::StrJoin(cap.purposes, ", "));
  return text;
}

Report PolicyReport(const ContactPolicyVersion& version) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "purposes";
  table.columns = {{"purpose"}, {"channel"}, {"consent"}, {"transactional"}, {"priority"}};
  for (const PurposeRule& rule : version.content.purposes) {
    table.rows.push_back({rule.purpose,
                          std::string(rule.__isset.channel ? ChannelName(rule.channel) : "all"),
                          std::string(rule.basis == OPT_IN ? "has to say yes" : "unless said no"),
                          std::string(rule.transactional ? "yes" : ""), int64_t{rule.priority}});
  }
  Report::Table& rules = report.tables.emplace_back();
  rules.name = "rules";
  rules.columns = {{"rule"}, {"what"}};
  for (const HoursWindow& window : version.content.quiet_hours) {
    rules.rows.push_back(
        {std::string("quiet hours"), absl::StrCat("from ", ClockText(window.from_minute), " to ",
                                                  ClockText(window.to_minute))});
  }
  for (const FrequencyCap& cap : version.content.caps) {
    rules.rows.push_back({std::string("cap"), CapText(cap)});
  }
  const std::string zone = version.content.time_zone.empty() ? "UTC" : version.content.time_zone;
  report.notes.push_back(absl::StrCat(
      "version ", version.version,
      version.version == 0 ? ", what a new site has" : absl::StrCat(", by ", version.who),
      "; purposes that are not named need a yes; clock of customers without a zone: ", zone));
  return report;
}

absl::Status ShowPolicy(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  ContactPolicyVersion version;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().contact_policy(version, common.site); }));
  if (common.json) {
    std::cout << PolicyToJson(version);
  } else {
    Print(PolicyReport(version), common);
  }
  return absl::OkStatus();
}

absl::Status SetPolicy(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(
      const Document<ContactPolicy> document,
      ReadDocument<ContactPolicy>(options.file, PolicyFromJson, ValidateContactPolicy));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  ContactPolicyVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    if (!document.version) access->backoffice().contact_policy(version, common.site);
    const int64_t based_on = document.version.value_or(version.version);
    access->backoffice().set_contact_policy(version, common.site, document.content, based_on, Who(),
                                            options.comment);
  }));
  if (common.json) {
    std::cout << PolicyToJson(version);
  } else {
    std::cout << "customers are contacted by version " << version.version << " now\n";
  }
  return absl::OkStatus();
}

absl::Status ShowHistory(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  std::vector<ContactPolicyVersion> versions;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().contact_policy_history(versions, common.site, options.most); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"caps"}, {"quiet hours"}, {"comment"}};
  for (const ContactPolicyVersion& version : versions) {
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          static_cast<int64_t>(version.content.caps.size()),
                          static_cast<int64_t>(version.content.quiet_hours.size()),
                          version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

std::string RulesText(const std::vector<ContactRule>& rules) {
  return absl::StrJoin(rules, ", ", [](std::string* out, const ContactRule& rule) {
    absl::StrAppend(out, NameOf(rule));
  });
}

absl::Status Check(const Common& common, const Options& options) {
  const std::optional<Channel> channel = ParseChannel(options.channel);
  if (!channel) {
    return absl::InvalidArgumentError(
        absl::StrCat("--channel: '", options.channel, "' is none of ", ChannelNames()));
  }
  ProposedContact proposed;
  proposed.channel = *channel;
  proposed.purpose = options.purpose;
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  ContactVerdict verdict;
  RETURN_IF_ERROR(CatchThrift([&] {
    access->backoffice().judge_contact(verdict, common.site, options.customer, proposed);
  }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "verdict";
  table.columns = {{"verdict"}, {"until"}, {"rule"}, {"number"}, {"in the way now"}, {"clock"}};
  const bool held = verdict.outcome == CONTACT_HELD;
  table.rows.push_back({std::string(held                                 ? "held"
                                    : verdict.outcome == CONTACT_ALLOWED ? "allowed"
                                                                         : "refused"),
                        held ? LocalTimeText(verdict.until_ms, verdict.time_zone) : std::string(),
                        std::string(NameOf(verdict.rule)), int64_t{verdict.index},
                        RulesText(verdict.now), verdict.time_zone});
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowPreference(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  ContactPreference preference;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().contact_preference(preference, common.site, options.customer); }));
  std::cout << PreferenceToJson(preference);
  return absl::OkStatus();
}

absl::Status SetPreference(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(
      const Document<ContactPreference> document,
      ReadDocument<ContactPreference>(options.file, PreferenceFromJson, ValidateContactPreference));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access, OpenSite(common));
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().set_contact_preference(common.site, document.content); }));
  std::cout << "kept; it holds from the next decision on\n";
  return absl::OkStatus();
}

void AddPolicy(CLI::App* contact, Common* common, Action* action,
               const std::shared_ptr<Options>& options) {
  CLI::App* const policy = contact->add_subcommand(
      "policy", "Consent, quiet hours and caps: who may be contacted when and how often");
  policy->require_subcommand(1);
  const auto with_site = [&](CLI::App* sub) {
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
  };
  CLI::App* const show =
      policy->add_subcommand("show", "The policy as tables, or (--json) as a file to edit");
  with_site(show);
  show->callback([=] { *action = [=] { return ShowPolicy(*common); }; });

  CLI::App* const set = policy->add_subcommand(
      "set", "Takes a file; refused if somebody changed the policy since it was shown");
  with_site(set);
  set->add_option("file", options->file, "JSON, as show --json prints it")->required();
  set->add_option("--comment", options->comment, "Why, for the history");
  set->callback([=] { *action = [=] { return SetPolicy(*common, *options); }; });

  CLI::App* const history =
      policy->add_subcommand("history", "Who changed it when, the newest first");
  with_site(history);
  history->add_option("--limit", options->most, "Versions to show")
      ->check(CLI::Range(1, limits::kWireContainerMax))
      ->capture_default_str();
  history->callback([=] { *action = [=] { return ShowHistory(*common, *options); }; });

  CLI::App* const check = policy->add_subcommand(
      "check", "Whether one customer may be contacted now, and if not, when and why not");
  with_site(check);
  check->add_option("customer", options->customer, "The customer's id")->required();
  check->add_option("--channel", options->channel, "By which channel")->capture_default_str();
  check->add_option("--purpose", options->purpose, "What for")->capture_default_str();
  check->callback([=] { *action = [=] { return Check(*common, *options); }; });
}

}  // namespace

void AddContact(CLI::App* app, Common* common, Action* action) {
  CLI::App* const contact = app->add_subcommand(
      "contact",
      "Who may be contacted, when, how often and where:\n"
      "  vitrine contact policy show --site S --json > policy.json\n"
      "  vitrine contact policy set --site S policy.json --comment \"quiet at night\"\n"
      "  vitrine contact policy check --site S 17850 --channel email\n"
      "  vitrine contact preference show --site S 17850 > 17850.json\n"
      "  vitrine contact preference set --site S 17850.json");
  contact->require_subcommand(1);
  auto options = std::make_shared<Options>();
  AddPolicy(contact, common, action, options);

  CLI::App* const preference =
      contact->add_subcommand("preference", "How one customer wants to be contacted");
  preference->require_subcommand(1);
  CLI::App* const show = preference->add_subcommand("show", "As a file to edit");
  AddDataOption(show, common);
  AddSiteOption(show, common);
  show->add_option("customer", options->customer, "The customer's id")->required();
  show->callback([=] { *action = [=] { return ShowPreference(*common, *options); }; });

  CLI::App* const set =
      preference->add_subcommand("set", "Takes a file, for the customer it names");
  AddDataOption(set, common);
  AddSiteOption(set, common);
  set->add_option("file", options->file, "JSON, as show prints it")->required();
  set->callback([=] { *action = [=] { return SetPreference(*common, *options); }; });
}

}  // namespace vitrine::cli
