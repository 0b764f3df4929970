// vitrine recommend, similar, track: what a storefront does, by hand.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "api/cli/access.h"
#include "api/cli/command.h"
#include "api/client/client.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

struct Query {
  std::string customer, visitor, product, kind = "view_item";
  std::vector<std::string> products;
  int32_t k = 10;
};

Context ContextOf(const Common& common, const Query& query, const Access& access) {
  Context context;
  context.site = common.site;
  if (!access.api_key().empty()) context.__set_api_key(access.api_key());
  context.deadline_ms = limits::kDeadlineMsMax;  // a person waits longer than a page
  if (!query.customer.empty()) context.__set_customer_id(query.customer);
  if (!query.visitor.empty()) context.__set_visitor_id(query.visitor);
  return context;
}

std::string Price(const Suggestion& s) {
  if (!s.__isset.price_minor) return "";
  return absl::StrFormat("%d.%02d %s", s.price_minor / 100, s.price_minor % 100, s.currency);
}

Report ReplyReport(const RecommendReply& reply) {
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "suggestions";
  table.columns = {{"rank"}, {"product"}, {"name"}, {"price"}, {"source"}, {"reason"}};
  for (size_t i = 0; i < reply.suggestions.size(); ++i) {
    const Suggestion& s = reply.suggestions[i];
    table.rows.push_back({static_cast<int64_t>(i) + 1, s.product_id, s.name, Price(s),
                          std::string(SourceName(s.source)), s.reason});
  }
  report.notes.push_back(absl::StrCat("model ", reply.model_id, ", folded in from ",
                                      reply.history_events, " events, request ", reply.request_id));
  return report;
}

absl::Status RunRecommend(const Common& common, const Query& query) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  RecommendRequest request;
  request.context = ContextOf(common, query, *access);
  request.k = query.k;
  RecommendReply reply;
  RETURN_IF_ERROR(CatchThrift([&] { access->storefront().recommend(reply, request); }));
  Print(ReplyReport(reply), common);
  return absl::OkStatus();
}

absl::Status RunSimilar(const Common& common, const Query& query) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  SimilarRequest request;
  request.context = ContextOf(common, query, *access);
  request.product_id = query.product;
  request.k = query.k;
  RecommendReply reply;
  RETURN_IF_ERROR(CatchThrift([&] { access->storefront().similar(reply, request); }));
  Print(ReplyReport(reply), common);
  return absl::OkStatus();
}

absl::Status RunTrack(const Common& common, const Query& query) {
  const std::optional<EventKind> kind = ParseEventKind(query.kind);
  if (!kind.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--kind: ", query.kind, " is none of ", EventKindNames()));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Access> access,
                   Access::Open(common.data, common.site, /*create=*/false));
  TrackRequest request;
  request.context = ContextOf(common, query, *access);
  const int64_t now_ms = Clock::System().NowMs();
  for (const std::string& product : query.products) {
    Event& event = request.events.emplace_back();
    event.id = absl::StrCat("cli-", now_ms, "-", request.events.size());
    event.time_ms = now_ms;
    event.kind = *kind;
    Item item;
    item.product_id = product;
    event.__set_items({item});
  }
  TrackReply reply;
  RETURN_IF_ERROR(CatchThrift([&] { access->storefront().track(reply, request); }));
  Report report;
  Report::Table& table = report.tables.emplace_back();
  table.name = "track";
  table.columns = {{"accepted"}, {"duplicate"}, {"conflicting duplicate"}, {"rejected"}};
  table.rows.push_back({reply.accepted, reply.duplicate, reply.conflicting_duplicate,
                        static_cast<int64_t>(reply.rejects.size())});
  for (const TrackReject& reject : reply.rejects) {
    report.notes.push_back(absl::StrCat(query.products[static_cast<size_t>(reject.index)], ": ",
                                        reject.reason, ": ", reject.detail));
  }
  Print(report, common);
  return absl::OkStatus();
}

void AddWho(CLI::App* command, Query* query) {
  command->add_option("--customer", query->customer, "A customer's id");
  command->add_option("--visitor", query->visitor, "A visitor's id (cookie)");
}

void AddK(CLI::App* command, Query* query) {
  command->add_option("-k,--k", query->k, "How many products")
      ->check(CLI::Range(1, limits::kSuggestionsMax))
      ->capture_default_str();
}

}  // namespace

void AddRecommend(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand(
      "recommend",
      "Suggest products to a customer or a visitor; to somebody unknown, what is popular.");
  auto query = std::make_shared<Query>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddWho(command, query.get());
  AddK(command, query.get());
  command->callback([=] { *action = [=] { return RunRecommend(*common, *query); }; });
}

void AddSimilar(CLI::App* app, Common* common, Action* action) {
  CLI::App* command = app->add_subcommand("similar", "Show the products most like one product.");
  auto query = std::make_shared<Query>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  command->add_option("--product", query->product, "The product's id")->required();
  AddK(command, query.get());
  command->callback([=] { *action = [=] { return RunSimilar(*common, *query); }; });
}

void AddTrack(CLI::App* app, Common* common, Action* action) {
  CLI::App* command =
      app->add_subcommand("track", "Record that somebody did something with some products, now.");
  auto query = std::make_shared<Query>();
  AddDataOption(command, common);
  AddSiteOption(command, common);
  AddJsonOption(command, common);
  AddWho(command, query.get());
  command->add_option("--kind", query->kind, "view_item, add_to_cart, purchase, ...")
      ->capture_default_str();
  command->add_option("PRODUCT", query->products, "Product ids")->required();
  command->callback([=] { *action = [=] { return RunTrack(*common, *query); }; });
}

}  // namespace vitrine::cli
