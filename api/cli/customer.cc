// vitrine customer show|export|erase|unlink|relink, and vitrine retention set|apply.

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/cli/customer_json.h"
#include "api/cli/customer_view.h"
#include "api/client/client.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Whom {
  std::string customer, visitor;
  std::vector<std::string> customers;
  bool yes = false;
  TimelineOptions timeline;
};

absl::StatusOr<CustomerRecord> RecordOf(const Common& common, const std::string& customer) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  CustomerRecord record;
  RETURN_IF_ERROR(
      CatchThrift([&] { access->backoffice().customer_record(record, common.site, customer); }));
  return record;
}

absl::Status RunShow(const Common& common, const Whom& who) {
  ASSIGN_OR_RETURN(const CustomerRecord record, RecordOf(common, who.customer));
  Print(CustomerReport(record, who.timeline), common);
  return absl::OkStatus();
}

absl::Status RunExport(const Common& common, const Whom& who) {
  ASSIGN_OR_RETURN(const CustomerRecord record, RecordOf(common, who.customer));
  const std::string json = CustomerJson(record);
  std::fwrite(json.data(), 1, json.size(), stdout);
  return absl::OkStatus();
}

Report ReceiptReport(const std::vector<Erasure>& receipts) {
  Report report;
  for (const Erasure& receipt : receipts) {
    Report::Table& table = report.tables.emplace_back();
    table.name = "receipt";
    table.title = absl::StrCat("Erased: everything up to ", TimeText(receipt.up_to_ms),
                               " of the customer known to the audit chain as ", receipt.person);
    table.columns = {{"table"}, {"rows"}};
    for (const auto& [name, rows] : receipt.rows) table.rows.push_back({name, rows});
  }
  report.notes.push_back(
      "The tables, the log and the manifest of the store were rewritten, its copies for training "
      "and analysis removed, and profiles in memory dropped. Model files hold products only.");
  report.notes.push_back(
      "Backups that were made before this hold the customer until they are rotated; a restore from "
      "one of them erases again.");
  return report;
}

absl::Status RunErase(const Common& common, const Whom& who) {
  if (!who.yes) {
    return absl::InvalidArgumentError("erasing cannot be undone: say --yes if you mean it");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  std::vector<Erasure> receipts;
  RETURN_IF_ERROR(CatchThrift(
      [&] { access->backoffice().erase_customers(receipts, common.site, who.customers); }));
  Print(ReceiptReport(receipts), common);
  return absl::OkStatus();
}

absl::Status RunLink(const Common& common, const Whom& who, bool unlink) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  BackofficeIf& office = access->backoffice();
  return CatchThrift([&] {
    unlink ? office.unlink(common.site, who.customer, who.visitor)
           : office.relink(common.site, who.customer, who.visitor);
  });
}

absl::Status RunRetention(const Common& common) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  int64_t gone = 0;
  RETURN_IF_ERROR(CatchThrift([&] { gone = access->backoffice().apply_retention(common.site); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "retention";
  table.columns = {{"events dropped"}};
  table.rows.push_back({gone});
  Print(report, common);
  return absl::OkStatus();
}

// "page_view=400": what is kept, for how many days.
absl::Status RunKeep(const Common& common, const std::vector<std::string>& keep) {
  SiteSettingsPatch patch;
  patch.__isset.retention_days = true;
  for (const std::string& text : keep) {
    const std::vector<std::string> parts = absl::StrSplit(text, '=');
    const std::optional<EventKind> kind = ParseEventKind(parts[0]);
    int32_t days = 0;
    if (parts.size() != 2 || !kind.has_value() || !absl::SimpleAtoi(parts[1], &days)) {
      return absl::InvalidArgumentError(
          absl::StrCat(text, ": not KIND=DAYS; kinds are ", EventKindNames()));
    }
    patch.retention_days[*kind] = days;
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  return CatchThrift([&] { access->backoffice().import_done(common.site, patch); });
}

CLI::App* AddOne(CLI::App* customer, Common* common, const char* name, const char* what) {
  CLI::App* command = customer->add_subcommand(name, what);
  AddDataOption(command, common);
  AddSiteOption(command, common);
  return command;
}

}  // namespace

void AddCustomer(CLI::App* app, Common* common, Action* action) {
  CLI::App* customer = app->add_subcommand("customer", "What is known of one customer.");
  customer->require_subcommand(1);
  auto who = std::make_shared<Whom>();

  CLI::App* show = AddOne(
      customer, common, "show",
      "Show one customer on one screen: who they are, where they stand (segments, worth), consents,\n"
      "devices, orders, cart, service cases, ratings, and everything that happened in one time line:\n"
      "what they did on any channel, visits, contacts, what was suggested and what came of it.");
  AddJsonOption(show, common);
  show->add_option("ID", who->customer, "The customer's id")->required();
  show->add_option("--limit", who->timeline.most, "Rows of the time line")->capture_default_str();
  show->add_option("--kind", who->timeline.kinds,
                   "Only these: kinds of events (purchase, contact, ...), visit, shown");
  show->add_option("--channel", who->timeline.channels, "Only these: web, app, email, ...");
  show->callback([=] { *action = [=] { return RunShow(*common, *who); }; });

  CLI::App* all =
      AddOne(customer, common, "export", "Print everything about the customer as JSON.");
  all->add_option("ID", who->customer, "The customer's id")->required();
  all->callback([=] { *action = [=] { return RunExport(*common, *who); }; });

  CLI::App* erase = AddOne(
      customer, common, "erase",
      "Erase customers for good: every row, and every byte of it in the store's files. Visitors\n"
      "who are nobody else are erased with them. Prints the receipt. One that was interrupted is\n"
      "finished when the site is opened again. Several ids at once cost as much as one.");
  AddJsonOption(erase, common);
  erase->add_option("ID", who->customers, "The customers' ids")->required();
  erase->add_flag("--yes", who->yes, "Yes, for good");
  erase->callback([=] { *action = [=] { return RunErase(*common, *who); }; });

  for (const bool unlink : {true, false}) {
    CLI::App* command =
        AddOne(customer, common, unlink ? "unlink" : "relink",
               unlink ? "A visitor is not this customer: give back what they did anonymously."
                      : "Take an unlink back.");
    command->add_option("ID", who->customer, "The customer's id")->required();
    command->add_option("VISITOR", who->visitor, "The visitor's id (cookie)")->required();
    command->callback([=] { *action = [=] { return RunLink(*common, *who, unlink); }; });
  }
}

void AddRetention(CLI::App* app, Common* common, Action* action) {
  CLI::App* retention = app->add_subcommand("retention", "How long events are kept.");
  retention->require_subcommand(1);
  CLI::App* apply = AddOne(retention, common, "apply",
                           "Drop the events that are older than the site's settings keep them.");
  AddJsonOption(apply, common);
  apply->callback([=] { *action = [=] { return RunRetention(*common); }; });

  auto keep = std::make_shared<std::vector<std::string>>();
  CLI::App* set =
      AddOne(retention, common, "set",
             "Say for how many days events of which kinds are kept, and drop what is\n"
             "older. A kind that is not named is kept for ever; none named: all are. What\n"
             "shelves showed is kept as long as view_item_list.");
  set->add_option("KIND=DAYS", *keep, "For example page_view=400 search=90");
  set->callback([=] { *action = [=] { return RunKeep(*common, *keep); }; });
}

}  // namespace vitrine::cli
