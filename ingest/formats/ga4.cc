#include "ingest/formats/ga4.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/event_names.h"

namespace vitrine {
namespace {

// Names of GA4 that are a kind of ours; most are called the same there.
constexpr absl::string_view kSameNames[] = {
    "page_view",   "view_item_list",   "select_item",     "view_item",        "search",
    "add_to_cart", "remove_from_cart", "add_to_wishlist", "view_cart",        "begin_checkout",
    "purchase",    "refund",           "view_promotion",  "select_promotion", "login"};

// Collected by themselves or recommended, and nothing that we keep.
constexpr absl::string_view kIgnoredNames[] = {"session_start",
                                               "first_visit",
                                               "first_open",
                                               "user_engagement",
                                               "scroll",
                                               "click",
                                               "file_download",
                                               "form_start",
                                               "form_submit",
                                               "video_start",
                                               "video_progress",
                                               "video_complete",
                                               "add_shipping_info",
                                               "add_payment_info",
                                               "generate_lead",
                                               "sign_up",
                                               "share",
                                               "select_content",
                                               "app_remove",
                                               "app_update",
                                               "os_update",
                                               "join_group",
                                               "earn_virtual_currency",
                                               "spend_virtual_currency"};

using Names = absl::flat_hash_map<absl::string_view, Ga4Name>;

Names MakeNames() {
  Names names;
  for (const absl::string_view name : kSameNames) names[name] = {true, *ParseEventKind(name), ""};
  names["screen_view"] = {true, EventKind::PAGE_VIEW, ""};
  names["view_search_results"] = {true, EventKind::SEARCH, ""};
  for (const absl::string_view name : kIgnoredNames) {
    names[name] = {false, EventKind::PAGE_VIEW, name};
  }
  return names;
}

constexpr ItemFields kItemFields = {
    {"item_id", "item_name"},
    "item_name",
    {"item_category", "item_category2", "item_category3", "item_category4", "item_category5"},
    "price",
    "quantity"};

// What the parameters of an event say, wherever a dialect keeps them.
struct Params {
  JsonValue order, currency, url, referrer, search, recommendation, list;
};

// Of the event, or of its first product.
JsonValue ListOf(const JsonValue& of_event, const JsonValue& items) {
  const std::vector<JsonValue> products = items.children();
  return of_event.is_null() && !products.empty() ? products.front()["item_list_id"] : of_event;
}

absl::Status SetParams(const Params& params, Event* event) {
  RETURN_IF_ERROR(SetId(params.order, &Event::__set_order_id, event));
  RETURN_IF_ERROR(SetRecommendation(params.recommendation, params.list, event));
  RETURN_IF_ERROR(SetText(params.url, reasons::kBadEvent, &Event::__set_url, event));
  RETURN_IF_ERROR(SetText(params.referrer, reasons::kBadEvent, &Event::__set_referrer, event));
  return SetText(params.search, reasons::kBadEvent, &Event::__set_search_terms, event);
}

}  // namespace

Ga4Name LookUpGa4Name(absl::string_view name) {
  static const Names* const names = new Names(MakeNames());
  const auto found = names->find(name);
  return found == names->end() ? Ga4Name{false, EventKind::PAGE_VIEW, "custom_event"}
                               : found->second;
}

// --- Measurement Protocol ---

Ga4BodyParser::Ga4BodyParser(absl::string_view default_currency)
    : items_(kItemFields, default_currency) {}

bool Ga4BodyParser::Recognises(const JsonValue& root) {
  return !root["events"].is_null() && !FirstOf(root, {"client_id", "app_instance_id"}).is_null();
}

void Ga4BodyParser::Read(const JsonTree& tree, CompleteEvent complete,
                         std::vector<Element>* elements) {
  const JsonValue body = tree.root();
  const JsonValue events = body["events"];
  if (!events.is_array()) {
    elements->push_back(Rejected(Fault(reasons::kBadEvent, "events must be a list")));
    return KeepRaw(tree.raw(), "", "", &elements->back());
  }
  const std::vector<JsonValue> values = events.children();
  if (values.size() > limits::kElementsPerLineMax) return TooMany(tree.raw(), elements);
  if (values.empty()) elements->push_back(Ignored("empty_batch"));
  for (const JsonValue& value : values) {
    Element& element = elements->emplace_back();
    const JsonValue name = value["name"];
    if (!name.is_string()) {
      element = Rejected(Fault(reasons::kMissingField, "an event has no name"));
    } else if (const Ga4Name known = LookUpGa4Name(name.text()); !known.known_kind) {
      element = Ignored(known.ignored);
    } else {
      absl::Status read = ReadEvent(body, value, known.kind, &element.event);
      if (read.ok()) read = complete(&element.event);
      if (!read.ok()) element = Rejected(read);
    }
    KeepRaw(tree.raw(), events.raw(), value.raw(), &element);
  }
}

absl::Status Ga4BodyParser::ReadEvent(const JsonValue& body, const JsonValue& value, EventKind kind,
                                      Event* event) {
  const JsonValue params = value["params"];
  if (!params.is_null() && !params.is_object()) {
    return Fault(reasons::kBadEvent, "params must be an object");
  }
  event->kind = kind;
  if (!body["app_instance_id"].is_null()) event->channel = Channel::APP;
  RETURN_IF_ERROR(
      SetId(FirstOf(body, {"client_id", "app_instance_id"}), &Event::__set_visitor_id, event));
  RETURN_IF_ERROR(SetId(body["user_id"], &Event::__set_customer_id, event));
  RETURN_IF_ERROR(SetText(body["user_agent"], reasons::kBadEvent, &Event::__set_user_agent, event));
  RETURN_IF_ERROR(SetText(body["ip_override"], reasons::kBadEvent, &Event::__set_ip, event));
  JsonValue time = value["timestamp_micros"];
  if (time.is_null()) time = body["timestamp_micros"];
  if (time.is_null()) return Fault(reasons::kMissingField, "timestamp_micros is not there");
  RETURN_IF_ERROR(ReadMicros(time, &event->time_ms));
  JsonValue items = value["items"];
  if (items.is_null()) items = params["items"];
  RETURN_IF_ERROR(SetParams({params["transaction_id"], params["currency"], params["page_location"],
                             params["page_referrer"], params["search_term"],
                             params["recommendation_id"], ListOf(params["item_list_id"], items)},
                            event));
  return items_.Read(items, params["currency"], event);
}

// --- BigQuery export ---

namespace {

// The value of a key in a list of {"key": ..., "value": {"string_value": ...}}.
class ParamList {
 public:
  explicit ParamList(const JsonValue& list) : params_(list.children()), none_(list["none"]) {}

  JsonValue operator[](absl::string_view key) const {
    for (const JsonValue& param : params_) {
      if (param["key"].text() != key) continue;
      return FirstOf(param["value"], {"string_value", "int_value", "double_value", "float_value"});
    }
    return none_;
  }

 private:
  const std::vector<JsonValue> params_;
  const JsonValue none_;
};

}  // namespace

Ga4RowParser::Ga4RowParser(absl::string_view default_currency)
    : items_(kItemFields, default_currency) {}

bool Ga4RowParser::Recognises(const JsonValue& root) {
  return !root["event_name"].is_null() &&
         !FirstOf(root, {"event_timestamp", "event_params", "event_date"}).is_null();
}

void Ga4RowParser::Read(const JsonTree& tree, CompleteEvent complete,
                        std::vector<Element>* elements) {
  const JsonValue row = tree.root();
  const JsonValue name = row["event_name"];
  Element element;
  if (!name.is_string()) {
    element = Rejected(Fault(reasons::kMissingField, "event_name is not there"));
  } else if (const Ga4Name known = LookUpGa4Name(name.text()); !known.known_kind) {
    element = Ignored(known.ignored);
  } else {
    absl::Status read = ReadEvent(row, known.kind, &element.event);
    if (read.ok()) read = complete(&element.event);
    if (!read.ok()) element = Rejected(read);
  }
  KeepRaw(tree.raw(), "", "", &element);
  elements->push_back(std::move(element));
}

absl::Status Ga4RowParser::ReadEvent(const JsonValue& row, EventKind kind, Event* event) {
  event->kind = kind;
  const absl::string_view platform = row["platform"].text();
  if (platform == "IOS" || platform == "ANDROID") event->channel = Channel::APP;
  RETURN_IF_ERROR(SetId(row["user_pseudo_id"], &Event::__set_visitor_id, event));
  RETURN_IF_ERROR(SetId(row["user_id"], &Event::__set_customer_id, event));
  if (row["event_timestamp"].is_null()) {
    return Fault(reasons::kMissingField, "event_timestamp is not there");
  }
  RETURN_IF_ERROR(ReadMicros(row["event_timestamp"], &event->time_ms));
  RETURN_IF_ERROR(SetText(row["geo"]["country"], reasons::kBadEvent, &Event::__set_country, event));
  const ParamList params(row["event_params"]);
  JsonValue order = params["transaction_id"];
  if (order.is_null()) order = row["ecommerce"]["transaction_id"];
  RETURN_IF_ERROR(
      SetParams({order, params["currency"], params["page_location"], params["page_referrer"],
                 params["search_term"], params["recommendation_id"],
                 ListOf(params["item_list_id"], row["items"])},
                event));
  return items_.Read(row["items"], params["currency"], event);
}

}  // namespace vitrine
