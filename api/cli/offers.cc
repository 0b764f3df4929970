// vitrine offers: what the shop offers, looked at and changed, and what becomes of it.

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/document.h"
#include "api/client/client.h"
#include "api/gateway/json_codec.h"
#include "recommender/offers/validate.h"
#include "recommender/placements/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {
namespace {

struct Options {
  std::string file;
  std::string comment;
  int32_t most = 20;
};

std::string ToText(const OfferSetVersion& version) {
  return ToJson(version, "OfferSetVersion").dump(2) + "\n";
}

absl::StatusOr<Document<OfferSet>> FromText(const std::string& text) {
  JsonTree tree;
  RETURN_IF_ERROR(tree.Parse(text));
  OfferSetVersion version;
  RETURN_IF_ERROR(ReadJson(tree.root(), "OfferSetVersion", &version));
  Document<OfferSet> document;
  if (!tree.root()["version"].is_null()) document.version = version.version;
  document.content = std::move(version.content);
  return document;
}

absl::StatusOr<Document<OfferSet>> Read(const std::string& file) {
  return ReadDocument<OfferSet>(file, FromText, ValidateOfferSet);
}

std::string Amount(int64_t minor, const std::string& currency) {
  return absl::StrFormat("%.2f %s", static_cast<double>(minor) / 100, currency);
}

// "10 % off", "5.00 GBP off, of 2 products".
std::string WhatText(const ShopOffer& offer) {
  const std::string of =
      offer.products.empty() ? "" : absl::StrCat(", of ", offer.products.size(), " products");
  switch (offer.kind) {
    case DISCOUNT:
      return offer.__isset.percent
                 ? absl::StrCat(offer.percent, " % off", of)
                 : absl::StrCat(Amount(offer.amount_minor, offer.currency), " off", of);
    case BUNDLE:
      return absl::StrCat(offer.products.size(), " together, ",
                          Amount(offer.amount_minor, offer.currency), " less");
    case GIFT:
      return offer.products.empty() ? "a gift" : absl::StrCat("a gift: ", offer.products.front());
    case FREE_SHIPPING:
      return "sent free";
    case POINTS:
      return absl::StrCat(offer.points, " points");
    case MESSAGE:
      return "words only";
  }
  return "";
}

std::string EndsText(const ShopOffer& offer) {
  const auto& set = offer.__isset;
  std::vector<std::string> ends;
  if (set.budget_minor) ends.push_back(Amount(offer.budget_minor, offer.currency));
  if (set.uses) ends.push_back(absl::StrCat(offer.uses, " uses"));
  if (set.uses_per_customer) ends.push_back(absl::StrCat(offer.uses_per_customer, " a customer"));
  return ends.empty() ? "none" : absl::StrJoin(ends, ", ");
}

absl::Status ShowOffers(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  OfferSetVersion version;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().offers(version, common.site); }));
  if (common.json) {
    std::cout << ToText(version);
    return absl::OkStatus();
  }
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "offers";
  table.columns = {{"offer"}, {"title"}, {"what"}, {"ends after"}, {"made"}};
  for (const ShopOffer& offer : version.content.offers) {
    table.rows.push_back({offer.id, std::string(InLanguage(offer.titles, "en")), WhatText(offer),
                          EndsText(offer), std::string(offer.enabled ? "yes" : "no")});
  }
  const OfferSet& set = version.content;
  report.notes.push_back(
      version.version == 0
          ? std::string("this shop offers nothing yet: vitrine offers set")
          : absl::StrCat("version ", version.version, ", by ", version.who,
                         absl::StrFormat("; %.0f %% of all are made none, to compare with; %.0f %% "
                                         "of first places are tried out; held for %d minutes",
                                         100 * set.control, 100 * set.explore, set.hold_minutes)));
  Print(report, common);
  return absl::OkStatus();
}

absl::Status CheckFile(const Options& options) {
  ASSIGN_OR_RETURN(const Document<OfferSet> document, Read(options.file));
  std::cout << options.file << ": " << document.content.offers.size() << " offers, nothing wrong\n";
  return absl::OkStatus();
}

absl::Status SetOffers(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const Document<OfferSet> document, Read(options.file));
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  OfferSetVersion version;
  RETURN_IF_ERROR(CatchThrift([&] {
    if (!document.version) access->backoffice().offers(version, common.site);
    const int64_t based_on = document.version.value_or(version.version);
    access->backoffice().set_offers(version, common.site, document.content, based_on, Who(),
                                    options.comment);
  }));
  if (common.json) {
    std::cout << ToText(version);
  } else {
    std::cout << "the shop offers version " << version.version << " now\n";
  }
  return absl::OkStatus();
}

absl::Status ShowHistory(const Common& common, const Options& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<OfferSetVersion> versions;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().offer_history(versions, common.site, options.most); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "versions";
  table.columns = {{"version"}, {"time"}, {"who"}, {"offers"}, {"comment"}};
  for (const OfferSetVersion& version : versions) {
    table.rows.push_back({version.version, TimeText(version.time_ms), version.who,
                          static_cast<int64_t>(version.content.offers.size()), version.comment});
  }
  Print(report, common);
  return absl::OkStatus();
}

absl::Status ShowReport(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  OfferReport figures;
  RETURN_IF_ERROR(CatchThrift([&] { access->backoffice().offer_report(figures, common.site); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "offers";
  table.columns = {{"offer"}, {"used"}, {"held"},    {"spent"},
                   {"left"},  {"made"}, {"ordered"}, {"thought to order"}};
  for (const OfferFigures& offer : figures.offers) {
    table.rows.push_back(
        {offer.offer_id, offer.used, offer.held, Amount(offer.spent_minor, offer.currency),
         offer.__isset.left_minor ? Amount(offer.left_minor, offer.currency) : "no end", offer.made,
         offer.ordered,
         absl::StrFormat("%.1f %% (%.1f %% without)", 100 * offer.buys_with,
                         100 * offer.buys_without)});
  }
  report.notes.push_back(absl::StrCat("made, ordered: persons since the server was started; of ",
                                      figures.control, " who are made no offers, ",
                                      figures.control_ordered, " ordered"));
  Print(report, common);
  return absl::OkStatus();
}

}  // namespace

void AddOffers(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "offers",
      "What the shop offers: discounts, bundles, gifts, free shipping, points and messages, to whom\n"
      "and how often. Edit it as a file:\n"
      "  vitrine offers show --site S --json > offers.json\n"
      "  vitrine offers set --site S offers.json --comment \"spring\"\n"
      "A change holds for the next request; every version is kept.");
  command->require_subcommand(1);
  auto options = std::make_shared<Options>();
  const auto with_site = [&](CLI::App* sub) {
    AddDataOption(sub, common);
    AddSiteOption(sub, common);
    AddJsonOption(sub, common);
  };

  CLI::App* const show =
      command->add_subcommand("show", "The offers as a table, or (--json) as a file to edit");
  with_site(show);
  show->callback([=] { *action = [=] { return ShowOffers(*common); }; });

  CLI::App* const check =
      command->add_subcommand("check", "Whether a file makes sense; changes nothing");
  check->add_option("file", options->file, "JSON, as show --json prints it")->required();
  check->callback([=] { *action = [=] { return CheckFile(*options); }; });

  CLI::App* const set = command->add_subcommand(
      "set", "Takes a file; refused if somebody changed them since it was shown");
  with_site(set);
  set->add_option("file", options->file, "JSON, as show --json prints it")->required();
  set->add_option("--comment", options->comment, "Why, for the history");
  set->callback([=] { *action = [=] { return SetOffers(*common, *options); }; });

  CLI::App* const history =
      command->add_subcommand("history", "Who changed them when, the newest first");
  with_site(history);
  history->add_option("--limit", options->most, "Versions to show")
      ->check(CLI::Range(1, limits::kWireContainerMax))
      ->capture_default_str();
  history->callback([=] { *action = [=] { return ShowHistory(*common, *options); }; });

  CLI::App* const report = command->add_subcommand(
      "report", "How often each was used and what it cost, and what those order who were made it");
  with_site(report);
  report->callback([=] { *action = [=] { return ShowReport(*common); }; });
}

}  // namespace vitrine::cli
