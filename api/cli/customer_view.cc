#include "api/cli/customer_view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "api/cli/customer_json.h"
#include "store/event_names.h"

namespace vitrine::cli {
namespace {

constexpr size_t kRowsShown = 10;  // of a table beside the time line
constexpr int64_t kMinuteMs = 60'000;

std::string MoneyText(double minor, const std::string& currency) {
  return absl::StrFormat("%.2f %s", minor / 100, currency);
}

// What the priced items of an event cost.
double PaidOf(const Event& event) {
  double minor = 0;
  for (const Item& item : event.items) {
    if (item.__isset.price_minor) minor += static_cast<double>(item.price_minor) * item.quantity;
  }
  return minor;
}

std::string ItemsText(const Event& event) {
  return absl::StrJoin(event.items, ", ", [](std::string* out, const Item& item) {
    if (item.quantity != 1) absl::StrAppend(out, item.quantity, " x ");
    absl::StrAppend(out, item.product_id);
  });
}

std::string ContactText(const ContactNote& contact) {
  std::vector<std::string> parts = {contact.inbound ? "from them" : "to them", contact.purpose};
  if (!contact.inbound) parts.emplace_back(ContactProgressName(contact.progress));
  if (contact.__isset.campaign) parts.push_back(absl::StrCat("campaign ", contact.campaign));
  if (contact.__isset.topic) parts.push_back(absl::StrCat("about ", contact.topic));
  if (contact.__isset.case_id) parts.push_back(absl::StrCat("case ", contact.case_id));
  if (contact.__isset.outcome) parts.push_back(absl::StrCat("now ", contact.outcome));
  return absl::StrJoin(parts, ", ");
}

std::string RatingText(const Rating& rating) {
  return absl::StrCat(rating.about, " ", rating.value, " of ", rating.best);
}

std::string EventText(const Event& event) {
  std::vector<std::string> parts;
  if (!event.items.empty()) parts.push_back(ItemsText(event));
  if (event.kind == EventKind::PURCHASE || event.kind == EventKind::REFUND) {
    parts.push_back(MoneyText(PaidOf(event), event.currency));
  }
  if (event.__isset.order_id) parts.push_back(absl::StrCat("order ", event.order_id));
  if (event.__isset.search_terms) parts.push_back(absl::StrCat("'", event.search_terms, "'"));
  if (event.__isset.contact) parts.push_back(ContactText(event.contact));
  if (event.__isset.consent) {
    parts.push_back(absl::StrCat(event.consent.granted ? "yes to " : "no to ",
                                 event.consent.purpose, " by ",
                                 ChannelName(event.consent.channel)));
  }
  if (event.__isset.rating) parts.push_back(RatingText(event.rating));
  if (event.items.empty() && event.__isset.url) parts.push_back(event.url);
  if (event.__isset.recommendation_id) parts.emplace_back("suggested");
  return absl::StrJoin(parts, "; ");
}

std::string ChannelText(const Event& event) {
  return event.channel == Channel::OTHER_CHANNEL && event.__isset.channel_name
             ? event.channel_name
             : std::string(ChannelName(event.channel));
}

TimelineRow VisitRow(const Session& session) {
  std::vector<std::string> parts = {absl::StrCat(
      session.events, " events in ", (session.end_ms - session.start_ms) / kMinuteMs, " min")};
  if (session.device != Device::UNKNOWN_DEVICE) parts.emplace_back(DeviceName(session.device));
  if (session.__isset.campaign) parts.push_back(absl::StrCat("campaign ", session.campaign));
  if (session.__isset.referrer) parts.push_back(absl::StrCat("from ", session.referrer));
  if (session.orders > 0) parts.push_back(absl::StrCat(session.orders, " orders"));
  return {session.start_ms, std::string(ChannelName(session.channel)), "visit",
          absl::StrJoin(parts, "; ")};
}

// What followed from each suggestion, by its recommendation id.
using Outcomes = absl::flat_hash_map<std::string, std::vector<std::string>>;

Outcomes OutcomesOf(const CustomerRecord& record) {
  Outcomes outcomes;
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {  // oldest first
    if (!it->__isset.recommendation_id) continue;
    outcomes[it->recommendation_id].push_back(
        absl::StrCat(EventKindName(it->kind), " ", ItemsText(*it)));
  }
  return outcomes;
}

TimelineRow ShownRow(const Exposure& shelf, const Outcomes& outcomes) {
  std::string what = absl::StrCat(
      shelf.placement, ": ",
      absl::StrJoin(shelf.products, ", ", [](std::string* out, const ExposedProduct& product) {
        absl::StrAppend(out, product.product_id);
      }));
  for (const ExposedOffer& offer : shelf.offers) absl::StrAppend(&what, "; offer ", offer.offer_id);
  const auto found = outcomes.find(shelf.id);
  absl::StrAppend(&what, " -> ",
                  found == outcomes.end() ? "nothing" : absl::StrJoin(found->second, ", "));
  return {shelf.time_ms, std::string(ChannelName(shelf.channel)), "shown", std::move(what)};
}

// --- Tables ---

Report::Table IdentityTable(const CustomerRecord& record) {
  Report::Table table;
  table.name = "customer";
  table.columns = {{"what"}, {"value"}};
  const auto add = [&table](const char* what, const std::string& value) {
    if (!value.empty()) table.rows.push_back({std::string(what), value});
  };
  const CustomerFacts& facts = record.facts;
  add("id", record.customer_id);
  add("name", facts.name);
  add("e-mail", facts.email);
  add("phone", facts.phone);
  add("language", facts.language);
  add("time zone", facts.time_zone);
  add("country", facts.__isset.country ? facts.country : record.customer.country);
  for (const auto& [name, value] : facts.attributes) add(name.c_str(), value);
  add("events", absl::StrCat(record.events.size()));
  add("orders", absl::StrCat(record.customer.orders));
  if (record.__isset.customer) {
    add("first seen", TimeText(record.customer.first_seen_ms));
    add("last seen", TimeText(record.customer.last_seen_ms));
  }
  for (const auto& [currency, minor] : record.customer.bought_minor) {
    add("bought", MoneyText(static_cast<double>(minor), currency));
  }
  for (const auto& [currency, minor] : record.customer.refunded_minor) {
    add("given back", MoneyText(static_cast<double>(minor), currency));
  }
  add("segments", !record.__isset.segments  ? "not counted: no server keeps them, or there are none"
                  : record.segments.empty() ? "none"
                                            : absl::StrJoin(record.segments, ", "));
  if (record.__isset.worth) {
    const CustomerWorth& worth = record.worth;
    add("stage", worth.stage);
    add("still a customer", absl::StrFormat("%.0f%%", 100 * worth.alive));
    add("expected",
        absl::StrFormat("%.1f purchases in %d days", worth.expected_purchases, worth.horizon_days));
    add("worth", MoneyText(worth.lifetime_value_minor, worth.currency));
    add("earned so far", MoneyText(worth.earned_minor, worth.currency));
  }
  add("shelves shown", absl::StrCat(record.exposures.size()));
  add("rejected lines", absl::StrCat(record.rejects.size()));
  return table;
}

Report::Table ConsentTable(const CustomerRecord& record) {
  Report::Table table;
  table.name = "consents";
  table.title = "May be contacted (the newest word for each channel and purpose)";
  table.columns = {{"channel"}, {"purpose"}, {"granted"}, {"since"}, {"source"}};
  for (const Event& event : record.consents) {
    const Consent& consent = event.consent;
    table.rows.push_back({std::string(ChannelName(consent.channel)), consent.purpose,
                          std::string(consent.granted ? "yes" : "no"), TimeText(event.time_ms),
                          consent.source});
  }
  return table;
}

Report::Table VisitorTable(const CustomerRecord& record) {
  Report::Table table;
  table.name = "visitors";
  table.title = "Logged in as";
  table.columns = {{"visitor"}, {"anonymous events are"}};
  for (const LinkedVisitor& visitor : record.visitors) {
    const char* whose = visitor.unlinked ? "not the customer's (unlinked)"
                        : visitor.shared ? "nobody's (the device is shared)"
                                         : "the customer's, from login to login";
    table.rows.push_back({visitor.visitor_id, std::string(whose)});
  }
  return table;
}

Report::Table OrderTable(const CustomerRecord& record) {
  struct Order {
    int64_t time_ms = 0;
    std::string id, currency;
    double paid_minor = 0, returned_minor = 0;
    int64_t pieces = 0;
  };
  std::map<std::string, Order> orders;
  for (const Event& event : record.events) {
    if (event.kind != EventKind::PURCHASE && event.kind != EventKind::REFUND) continue;
    Order& order = orders[event.__isset.order_id ? "o" + event.order_id : "e" + event.id];
    order.id = event.order_id;
    order.currency = event.currency;
    if (event.kind == EventKind::REFUND) {
      order.returned_minor += PaidOf(event);
      order.time_ms = std::max(order.time_ms, event.time_ms);
      continue;
    }
    order.time_ms = std::max(order.time_ms, event.time_ms);
    order.paid_minor += PaidOf(event);
    for (const Item& item : event.items) order.pieces += item.quantity;
  }
  std::vector<Order> newest;
  for (auto& [key, order] : orders) newest.push_back(std::move(order));
  absl::c_stable_sort(newest, [](const Order& a, const Order& b) { return a.time_ms > b.time_ms; });
  Report::Table table;
  table.name = "orders";
  table.title = absl::StrCat("Orders and returns (", newest.size(), ", the newest first)");
  table.columns = {{"time"}, {"order"}, {"pieces"}, {"paid"}, {"given back"}};
  for (const Order& order : newest) {
    if (table.rows.size() == kRowsShown) break;
    table.rows.push_back(
        {TimeText(order.time_ms), order.id, order.pieces,
         MoneyText(order.paid_minor, order.currency),
         order.returned_minor > 0 ? MoneyText(order.returned_minor, order.currency) : ""});
  }
  return table;
}

// What was put into the cart, neither taken out nor bought since.
Report::Table CartTable(const CustomerRecord& record) {
  struct Line {
    int64_t pieces = 0;
    int64_t since_ms = 0;
    std::string channel;
  };
  std::map<std::string, Line> cart;
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {  // oldest first
    for (const Item& item : it->items) {
      if (it->kind == EventKind::PURCHASE) cart.erase(item.product_id);
      if (it->kind == EventKind::ADD_TO_CART) {
        Line& line = cart[item.product_id];
        line.pieces += item.quantity;
        line.since_ms = it->time_ms;
        line.channel = ChannelText(*it);
      }
      if (it->kind == EventKind::REMOVE_FROM_CART) {
        const auto line = cart.find(item.product_id);
        if (line == cart.end()) continue;
        line->second.pieces -= item.quantity;
        if (line->second.pieces <= 0) cart.erase(line);
      }
    }
  }
  Report::Table table;
  table.name = "cart";
  table.title = "Left in the cart";
  table.columns = {{"product"}, {"pieces"}, {"since"}, {"channel"}};
  for (const auto& [product, line] : cart) {
    table.rows.push_back({product, line.pieces, TimeText(line.since_ms), line.channel});
  }
  return table;
}

Report::Table CaseTable(const CustomerRecord& record) {
  struct Case {
    int64_t opened_ms = 0, changed_ms = 0, contacts = 0;
    std::string topic, outcome = "open";
  };
  std::map<std::string, Case> cases;
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {  // oldest first
    if (it->kind != EventKind::CONTACT || !it->contact.__isset.case_id) continue;
    Case& one = cases[it->contact.case_id];
    if (one.contacts++ == 0) one.opened_ms = it->time_ms;
    one.changed_ms = it->time_ms;
    if (it->contact.__isset.topic) one.topic = it->contact.topic;
    if (it->contact.__isset.outcome) one.outcome = it->contact.outcome;
  }
  Report::Table table;
  table.name = "cases";
  table.title = "Service cases";
  table.columns = {{"case"}, {"about"}, {"stands"}, {"contacts"}, {"opened"}, {"last contact"}};
  for (const auto& [id, one] : cases) {
    table.rows.push_back({id, one.topic, one.outcome, one.contacts, TimeText(one.opened_ms),
                          TimeText(one.changed_ms)});
  }
  return table;
}

Report::Table RatingTable(const CustomerRecord& record) {
  Report::Table table;
  table.name = "ratings";
  table.title = "Ratings";
  table.columns = {{"time"}, {"rating"}, {"product"}, {"channel"}};
  for (const Event& event : record.events) {
    if (!event.__isset.rating || table.rows.size() == kRowsShown) continue;
    table.rows.push_back(
        {TimeText(event.time_ms), RatingText(event.rating), ItemsText(event), ChannelText(event)});
  }
  return table;
}

Report::Table LedgerTable(const CustomerRecord& record) {
  Report::Table table;
  table.name = "ledger";
  table.title = "Points and caps";
  table.columns = {{"account"}, {"available"}, {"reserved"}, {"used"}, {"earned"}, {"expired"}};
  for (const LedgerBalance& balance : record.ledger.balances) {
    table.rows.push_back({balance.account, balance.available, balance.reserved, balance.used,
                          balance.earned, balance.expired});
  }
  return table;
}

}  // namespace

std::vector<TimelineRow> TimelineOf(const CustomerRecord& record, const TimelineOptions& options) {
  std::vector<TimelineRow> rows;
  const auto add = [&](TimelineRow row) {
    const auto wanted = [](const std::vector<std::string>& names, const std::string& name) {
      return names.empty() || absl::c_linear_search(names, name);
    };
    if (wanted(options.kinds, row.kind) && wanted(options.channels, row.channel)) {
      rows.push_back(std::move(row));
    }
  };
  for (const Event& event : record.events) {
    add({event.time_ms, ChannelText(event), std::string(EventKindName(event.kind)),
         EventText(event)});
  }
  for (const Session& session : record.sessions) add(VisitRow(session));
  const Outcomes outcomes = OutcomesOf(record);
  for (const Exposure& shelf : record.exposures) add(ShownRow(shelf, outcomes));
  absl::c_stable_sort(
      rows, [](const TimelineRow& a, const TimelineRow& b) { return a.time_ms > b.time_ms; });
  if (rows.size() > options.most) rows.resize(options.most);
  return rows;
}

Report CustomerReport(const CustomerRecord& record, const TimelineOptions& options) {
  Report report;
  report.tables = {IdentityTable(record), ConsentTable(record), VisitorTable(record)};
  // What there is nothing of takes no room.
  for (Report::Table& table :
       std::vector<Report::Table>{OrderTable(record), CartTable(record), CaseTable(record),
                                  RatingTable(record), LedgerTable(record)}) {
    if (!table.rows.empty()) report.tables.push_back(std::move(table));
  }
  Report::Table& timeline = report.tables.emplace_back();
  timeline.name = "timeline";
  timeline.title = "What happened, the newest first";
  timeline.columns = {{"time"}, {"channel"}, {"kind"}, {"what"}};
  for (const TimelineRow& row : TimelineOf(record, options)) {
    timeline.rows.push_back({TimeText(row.time_ms), row.channel, row.kind, row.what});
  }
  return report;
}

}  // namespace vitrine::cli
