#include "ingest/formats/segment.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "ingest/clock_repair.h"
#include "ingest/reasons.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

using Products = SegmentName::Products;

struct Mapped {
  absl::string_view name;
  EventKind kind;
  Products products;
};

// With kIgnored, every name of the e-commerce spec, version 2.
constexpr Mapped kMapped[] = {
    {"products searched", EventKind::SEARCH, Products::kNone},
    {"product list viewed", EventKind::VIEW_ITEM_LIST, Products::kList},
    {"product list filtered", EventKind::VIEW_ITEM_LIST, Products::kList},
    {"promotion viewed", EventKind::VIEW_PROMOTION, Products::kNone},
    {"promotion clicked", EventKind::SELECT_PROMOTION, Products::kNone},
    {"product clicked", EventKind::SELECT_ITEM, Products::kOne},
    {"product viewed", EventKind::VIEW_ITEM, Products::kOne},
    {"product added", EventKind::ADD_TO_CART, Products::kOne},
    {"product removed", EventKind::REMOVE_FROM_CART, Products::kOne},
    {"cart viewed", EventKind::VIEW_CART, Products::kList},
    {"checkout started", EventKind::BEGIN_CHECKOUT, Products::kList},
    {"order completed", EventKind::PURCHASE, Products::kList},
    {"order refunded", EventKind::REFUND, Products::kList},
    {"order cancelled", EventKind::REFUND, Products::kList},
    {"product added to wishlist", EventKind::ADD_TO_WISHLIST, Products::kOne},
    {"wishlist product added to cart", EventKind::ADD_TO_CART, Products::kOne},
    {"product reviewed", EventKind::RATING, Products::kOne}};

constexpr absl::string_view kIgnoredNames[] = {"checkout step viewed",
                                               "checkout step completed",
                                               "payment info entered",
                                               "order updated",
                                               "coupon entered",
                                               "coupon applied",
                                               "coupon denied",
                                               "coupon removed",
                                               "product removed from wishlist",
                                               "product shared",
                                               "cart shared"};

using Names = absl::flat_hash_map<std::string, SegmentName>;

Names MakeNames() {
  Names names;
  for (const Mapped& mapped : kMapped) {
    names[mapped.name] = {true, mapped.kind, mapped.products, ""};
  }
  for (const absl::string_view name : kIgnoredNames) {
    names[name] = {false, EventKind::PAGE_VIEW, Products::kNone,
                   absl::StrReplaceAll(name, {{" ", "_"}})};
  }
  return names;
}

constexpr ItemFields kItemFields = {
    {"product_id", "sku", "id"}, "name", {"category"}, "price", "quantity"};

bool IsCall(absl::string_view type) {
  for (const absl::string_view call : {"track", "page", "screen", "identify", "alias", "group"}) {
    if (type == call) return true;
  }
  return false;
}

// A trait as text, if it is one that can be kept.
std::optional<std::string> Trait(const JsonValue& value) {
  const absl::string_view text = value.text();
  if (text.empty() || text.size() > limits::kTextBytesMax) return std::nullopt;
  return std::string(text);
}

void SetTrait(const JsonValue& value, TextSetter<CustomerFacts> set, CustomerFacts* facts) {
  if (const std::optional<std::string> text = Trait(value)) (facts->*set)(*text);
}

// True if there is anything to keep.
bool ReadTraits(const JsonValue& traits, const JsonValue& context, CustomerFacts* facts) {
  constexpr absl::string_view kOwnFields[] = {"name",    "email",    "phone",
                                              "country", "language", "timezone"};
  std::string name = Trait(traits["name"]).value_or("");
  if (name.empty()) {
    const std::string first = Trait(traits["firstName"]).value_or("");
    const std::string last = Trait(traits["lastName"]).value_or("");
    name = absl::StrCat(first, first.empty() || last.empty() ? "" : " ", last);
  }
  if (!name.empty() && name.size() <= limits::kTextBytesMax) facts->__set_name(name);
  SetTrait(traits["email"], &CustomerFacts::__set_email, facts);
  SetTrait(traits["phone"], &CustomerFacts::__set_phone, facts);
  SetTrait(FirstOf(traits, {"country"}), &CustomerFacts::__set_country, facts);
  SetTrait(traits["address"]["country"], &CustomerFacts::__set_country, facts);
  SetTrait(context["locale"], &CustomerFacts::__set_language, facts);
  SetTrait(traits["language"], &CustomerFacts::__set_language, facts);
  SetTrait(context["timezone"], &CustomerFacts::__set_time_zone, facts);
  SetTrait(traits["timezone"], &CustomerFacts::__set_time_zone, facts);
  std::map<std::string, std::string> attributes;
  for (const JsonValue& trait : traits.children()) {
    const std::optional<std::string> text = Trait(trait);
    bool own = !text.has_value() || !ValidId(trait.key()).ok();
    for (const absl::string_view field : kOwnFields) own = own || trait.key() == field;
    if (!own && attributes.size() < limits::kAttributesMax) {
      attributes.emplace(trait.key(), *text);
    }
  }
  if (!attributes.empty()) facts->__set_attributes(attributes);
  return facts->__isset.name || facts->__isset.email || facts->__isset.phone ||
         facts->__isset.country || facts->__isset.attributes;
}

}  // namespace

const SegmentName& LookUpSegmentName(absl::string_view name) {
  static const Names* const names = new Names(MakeNames());
  static const SegmentName* const custom =
      new SegmentName{false, EventKind::PAGE_VIEW, Products::kNone, "custom_event"};
  const auto found = names->find(absl::AsciiStrToLower(name));
  return found == names->end() ? *custom : found->second;
}

SegmentParser::SegmentParser(absl::string_view default_currency)
    : items_(kItemFields, default_currency),
      rfc3339_(*TimeParser::Create(absl::RFC3339_full, "UTC")) {}

JsonValue SegmentParser::Message::operator[](absl::string_view key) const {
  const JsonValue own = self[key];
  return own.is_null() ? batch[key] : own;
}

bool SegmentParser::Recognises(const JsonValue& root) {
  return root["batch"].is_array() || IsCall(root["type"].text());
}

void SegmentParser::Read(const JsonTree& tree, CompleteEvent complete,
                         std::vector<Element>* elements) {
  const JsonValue root = tree.root();
  const JsonValue batch = root["batch"];
  size_t from = elements->size();
  if (!batch.is_array()) {
    ReadMessage({root, root}, complete, elements);
    for (; from < elements->size(); ++from) KeepRaw(tree.raw(), "", "", &(*elements)[from]);
    return;
  }
  const std::vector<JsonValue> messages = batch.children();
  if (messages.size() > limits::kElementsPerLineMax) return TooMany(tree.raw(), elements);
  if (messages.empty()) elements->push_back(Ignored("empty_batch"));
  for (const JsonValue& message : messages) {
    from = elements->size();
    ReadMessage({message, root}, complete, elements);
    for (; from < elements->size(); ++from) {
      KeepRaw(tree.raw(), batch.raw(), message.raw(), &(*elements)[from]);
    }
  }
}

void SegmentParser::ReadMessage(const Message& message, CompleteEvent complete,
                                std::vector<Element>* elements) {
  const absl::string_view type = message.self["type"].text();
  Element& element = elements->emplace_back();
  absl::Status read = ReadCall(message, type, &element);
  if (read.ok() && element.kind == Element::Kind::kEvent) read = complete(&element.event);
  if (!read.ok()) element = Rejected(read);
  if (type != "identify" || element.kind != Element::Kind::kEvent) return;
  if (!element.event.__isset.customer_id) return;  // `complete` took it for nobody's
  Element facts;
  facts.kind = Element::Kind::kCustomer;
  facts.customer.id = element.event.customer_id;
  facts.customer.facts_time_ms = element.event.time_ms;
  if (ReadTraits(message.self["traits"], message["context"], &facts.customer)) {
    elements->push_back(std::move(facts));
  }
}

// Makes `*element` an event or one that is ignored.
absl::Status SegmentParser::ReadCall(const Message& message, absl::string_view type,
                                     Element* element) {
  if (!IsCall(type)) {
    return Fault(reasons::kBadKind, "no call of Segment is called ", Shown(type));
  }
  if (type == "page" || type == "screen") {
    return ReadPage(message, type == "screen", &element->event);
  }
  if (type == "track") {
    const JsonValue event = message.self["event"];
    if (!event.is_string()) return Fault(reasons::kMissingField, "track has no event");
    const SegmentName& name = LookUpSegmentName(event.text());
    if (name.known_kind) return ReadTrack(message, name, &element->event);
    *element = Ignored(name.ignored);
  } else if (type == "identify" && !message.self["userId"].is_null()) {
    element->event.kind = EventKind::LOGIN;
    return ReadCommon(message, &element->event);
  } else {
    *element = Ignored(type == "identify" ? "anonymous_identify" : type);
  }
  return absl::OkStatus();
}

// What every call says: who, when, from where.
absl::Status SegmentParser::ReadCommon(const Message& message, Event* event) {
  RETURN_IF_ERROR(SetId(message.self["messageId"], &Event::__set_id, event));
  RETURN_IF_ERROR(SetId(message.self["anonymousId"], &Event::__set_visitor_id, event));
  RETURN_IF_ERROR(SetId(message.self["userId"], &Event::__set_customer_id, event));
  RETURN_IF_ERROR(ReadTime(message, &event->time_ms));
  const JsonValue context = message["context"];
  const JsonValue page = context["page"];
  if (message["channel"].text() == "mobile") event->channel = Channel::APP;
  RETURN_IF_ERROR(SetText(page["url"], reasons::kBadEvent, &Event::__set_url, event));
  RETURN_IF_ERROR(SetText(page["referrer"], reasons::kBadEvent, &Event::__set_referrer, event));
  RETURN_IF_ERROR(
      SetText(context["userAgent"], reasons::kBadEvent, &Event::__set_user_agent, event));
  RETURN_IF_ERROR(SetText(context["ip"], reasons::kBadEvent, &Event::__set_ip, event));
  return SetText(context["location"]["country"], reasons::kBadEvent, &Event::__set_country, event);
}

absl::StatusOr<bool> SegmentParser::ReadStamp(const JsonValue& value, int64_t* time_ms) {
  if (value.is_null()) return false;
  if (!value.is_string()) {
    return Fault(reasons::kBadTime, value.key(), " must be a time as RFC 3339 writes it");
  }
  RETURN_IF_ERROR(rfc3339_.Parse(value.text(), time_ms));
  return true;
}

absl::Status SegmentParser::ReadTime(const Message& message, int64_t* time_ms) {
  int64_t original_ms, sent_ms, received_ms;
  ASSIGN_OR_RETURN(bool has_original, ReadStamp(message.self["originalTimestamp"], &original_ms));
  if (!has_original) {
    ASSIGN_OR_RETURN(has_original, ReadStamp(message.self["timestamp"], &original_ms));
  }
  ASSIGN_OR_RETURN(const bool has_sent, ReadStamp(message["sentAt"], &sent_ms));
  ASSIGN_OR_RETURN(const bool has_received, ReadStamp(message["receivedAt"], &received_ms));
  if (has_original) {
    const bool repairable = has_sent && has_received;
    *time_ms = repairable ? RepairedTimeMs(original_ms, sent_ms, received_ms) : original_ms;
  } else if (has_received) {
    *time_ms = received_ms;
  } else if (has_sent) {
    *time_ms = sent_ms;
  } else {
    return Fault(reasons::kMissingField, "timestamp is not there");
  }
  return absl::OkStatus();
}

absl::Status SegmentParser::ReadPage(const Message& message, bool screen, Event* event) {
  event->kind = EventKind::PAGE_VIEW;
  RETURN_IF_ERROR(ReadCommon(message, event));
  if (screen) event->channel = Channel::APP;
  const JsonValue properties = message.self["properties"];
  RETURN_IF_ERROR(SetText(properties["url"], reasons::kBadEvent, &Event::__set_url, event));
  return SetText(properties["referrer"], reasons::kBadEvent, &Event::__set_referrer, event);
}

absl::Status SegmentParser::ReadTrack(const Message& message, const SegmentName& name,
                                      Event* event) {
  event->kind = name.kind;
  RETURN_IF_ERROR(ReadCommon(message, event));
  const JsonValue properties = message.self["properties"];
  if (!properties.is_null() && !properties.is_object()) {
    return Fault(reasons::kBadEvent, "properties must be an object");
  }
  RETURN_IF_ERROR(SetId(properties["order_id"], &Event::__set_order_id, event));
  RETURN_IF_ERROR(SetRecommendation(properties["recommendation_id"], properties["list_id"], event));
  RETURN_IF_ERROR(
      SetText(properties["query"], reasons::kBadEvent, &Event::__set_search_terms, event));
  const JsonValue currency = properties["currency"];
  if (name.products == Products::kNone) return absl::OkStatus();
  if (name.products == Products::kList) {
    return items_.Read(properties["products"], currency, event);
  }
  if (properties.is_null()) return Fault(reasons::kMissingField, "properties are not there");
  return items_.Read(properties, currency, event);
}

}  // namespace vitrine
