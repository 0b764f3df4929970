// GA4's and Segment's JSON, by bodies made by hand after the public specifications.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "ingest/formats/json_dialects.h"
#include "store/base/limits.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::Status Complete(Event* event) {
  if (event->id.empty()) event->id = "fingerprint";
  return ValidateEvent(*event);
}

std::vector<Element> ElementsOf(absl::string_view line, JsonDialect dialect = JsonDialect::kAny,
                                absl::string_view currency = "") {
  JsonDialectParser parser(dialect, currency);
  std::vector<Element> elements;
  parser.Parse(line, Complete, &elements);
  return elements;
}

// One word an element: a kind, or why there is none.
std::vector<std::string> Outcomes(absl::string_view line, JsonDialect dialect = JsonDialect::kAny) {
  std::vector<std::string> outcomes;
  for (const Element& e : ElementsOf(line, dialect)) {
    switch (e.kind) {
      case Element::Kind::kEvent:
        outcomes.push_back("event");
        break;
      case Element::Kind::kCustomer:
        outcomes.push_back("customer");
        break;
      default:
        outcomes.push_back(e.reason);
    }
  }
  return outcomes;
}

Event EventOf(absl::string_view line) {
  const std::vector<Element> elements = ElementsOf(line);
  EXPECT_EQ(elements.size(), 1u);
  EXPECT_EQ(elements[0].kind, Element::Kind::kEvent) << elements[0].reason << elements[0].detail;
  return elements[0].event;
}

// --- GA4, Measurement Protocol ---

constexpr absl::string_view kGa4Body = R"({
  "client_id": "123.456", "user_id": "u-7", "timestamp_micros": 1700000000123456,
  "user_agent": "Mozilla/5.0", "non_personalized_ads": false,
  "events": [
    {"name": "purchase", "params": {
      "transaction_id": "T-1", "currency": "eur", "value": 30.03, "tax": 4.9,
      "page_location": "https://shop/thanks", "page_referrer": "https://shop/pay",
      "items": [
        {"item_id": "SKU1", "item_name": "Mug", "price": 9.99, "quantity": 3,
         "item_category": "Home", "item_category2": "Kitchen"},
        {"item_name": "Card", "price": "0.06"}]}},
    {"name": "search", "timestamp_micros": "1700000001000000", "params": {"search_term": "tea"}},
    {"name": "add_payment_info", "params": {}},
    {"name": "spin_the_wheel"}
  ]})";

TEST(Ga4Body, AListThatHasTheIdOfAShelfOfOursIsThatShelf) {
  const auto shelf_of = [](absl::string_view params, absl::string_view item) {
    return ElementsOf(absl::StrCat(R"({"client_id":"1","timestamp_micros":1700000000123456,)",
                                   R"("events":[{"name":"select_item","params":{)", params,
                                   R"("items":[{"item_id":"p")", item, "}]}}]}"))
        .at(0)
        .event.recommendation_id;
  };
  constexpr char kId[] = "18bcfe56a3b-5f2a1-1c";
  EXPECT_EQ(shelf_of(absl::StrCat(R"("item_list_id":")", kId, R"(",)"), ""), kId);
  EXPECT_EQ(shelf_of("", absl::StrCat(R"(,"item_list_id":")", kId, R"(")")), kId);
  EXPECT_EQ(shelf_of(R"("item_list_id":"related-to-you-3",)", ""), "");
  EXPECT_EQ(shelf_of(R"("item_list_id":12345678901,)", ""), "");
  EXPECT_EQ(shelf_of(R"("recommendation_id":"any",)", ""), "any");
}

TEST(Ga4Body, APurchaseIsOneOrderWithItsLines) {
  const std::vector<Element> elements = ElementsOf(kGa4Body);
  ASSERT_EQ(elements.size(), 4u);
  const Event& order = elements[0].event;
  EXPECT_EQ(order.kind, EventKind::PURCHASE);
  EXPECT_EQ(order.visitor_id, "123.456");
  EXPECT_EQ(order.customer_id, "u-7");
  EXPECT_EQ(order.time_ms, 1'700'000'000'123);
  EXPECT_EQ(order.order_id, "T-1");
  EXPECT_EQ(order.currency, "EUR");
  EXPECT_EQ(order.url, "https://shop/thanks");
  EXPECT_EQ(order.referrer, "https://shop/pay");
  EXPECT_EQ(order.user_agent, "Mozilla/5.0");
  ASSERT_EQ(order.items.size(), 2u);
  EXPECT_EQ(order.items[0].product_id, "SKU1");
  EXPECT_EQ(order.items[0].name, "Mug");
  EXPECT_EQ(order.items[0].category, "Home > Kitchen");
  EXPECT_EQ(order.items[0].quantity, 3);
  EXPECT_EQ(order.items[0].price_minor, 999);
  EXPECT_EQ(order.items[1].product_id, "Card");
  EXPECT_EQ(order.items[1].price_minor, 6);
  EXPECT_EQ(elements[1].event.kind, EventKind::SEARCH);
  EXPECT_EQ(elements[1].event.search_terms, "tea");
  EXPECT_EQ(elements[1].event.time_ms, 1'700'000'001'000);
  EXPECT_EQ(elements[2].reason, "add_payment_info");
  EXPECT_EQ(elements[3].reason, "custom_event");
}

TEST(Ga4Body, EveryNameOfShoppingIsAKind) {
  const std::pair<const char*, EventKind> names[] = {
      {"page_view", EventKind::PAGE_VIEW},
      {"screen_view", EventKind::PAGE_VIEW},
      {"view_item_list", EventKind::VIEW_ITEM_LIST},
      {"select_item", EventKind::SELECT_ITEM},
      {"view_item", EventKind::VIEW_ITEM},
      {"view_search_results", EventKind::SEARCH},
      {"add_to_cart", EventKind::ADD_TO_CART},
      {"remove_from_cart", EventKind::REMOVE_FROM_CART},
      {"add_to_wishlist", EventKind::ADD_TO_WISHLIST},
      {"view_cart", EventKind::VIEW_CART},
      {"begin_checkout", EventKind::BEGIN_CHECKOUT},
      {"refund", EventKind::REFUND},
      {"view_promotion", EventKind::VIEW_PROMOTION},
      {"select_promotion", EventKind::SELECT_PROMOTION},
      {"login", EventKind::LOGIN}};
  for (const auto& [name, kind] : names) {
    EXPECT_EQ(EventOf(absl::StrCat(R"({"client_id":"c","timestamp_micros":1700000000000000,)",
                                   R"("events":[{"name":")", name, R"("}]})"))
                  .kind,
              kind)
        << name;
  }
  // Ours, not theirs: such a name is the shop's own there.
  EXPECT_THAT(Outcomes(R"({"client_id":"c","timestamp_micros":1,"events":[{"name":"contact"}]})"),
              ElementsAre("custom_event"));
}

TEST(Ga4Body, ARejectedElementCanBeReadAgainAlone) {
  const std::string line =
      R"({"client_id":"c","events":[{"name":"page_view","timestamp_micros":1700000000000000},)"
      R"({"name":"view_item","timestamp_micros":"soon"}, {"name":"scroll"}],"user_id":"u"})";
  const std::vector<Element> elements = ElementsOf(line);
  ASSERT_EQ(elements.size(), 3u);
  EXPECT_EQ(elements[1].reason, "bad_time");
  EXPECT_EQ(elements[1].raw, R"({"client_id":"c","events":[)"
                             R"({"name":"view_item","timestamp_micros":"soon"}],"user_id":"u"})");
  EXPECT_EQ(elements[1].raw_bytes, static_cast<int64_t>(elements[1].raw.size()));
  EXPECT_THAT(Outcomes(elements[1].raw), ElementsAre("bad_time"));
  EXPECT_EQ(elements[0].raw, "");
}

TEST(Ga4Body, WhatIsWrongIsNamed) {
  const auto outcome = [](const std::string& event) {
    return Outcomes(
        R"({"client_id":"c","timestamp_micros":1700000000000000,"events":[)" + event + "]}",
        JsonDialect::kGa4);
  };
  const auto item = [&](const std::string& fields) {
    return outcome(R"({"name":"view_item","params":{"currency":"EUR","items":[)" + fields + "]}}")
        .at(0);
  };
  EXPECT_THAT(outcome(""), ElementsAre("empty_batch"));
  EXPECT_THAT(outcome("7"), ElementsAre("missing_field"));
  EXPECT_THAT(outcome(R"({"name":5})"), ElementsAre("missing_field"));
  EXPECT_THAT(outcome(R"({"name":"view_item","params":[]})"), ElementsAre("bad_event"));
  EXPECT_THAT(outcome(R"({"name":"view_item","params":{"items":5}})"), ElementsAre("bad_event"));
  EXPECT_THAT(outcome(R"({"name":"view_item","timestamp_micros":9e99})"), ElementsAre("bad_time"));
  EXPECT_THAT(outcome(R"({"name":"view_item","timestamp_micros":99999999999999999999999})"),
              ElementsAre("bad_time"));
  EXPECT_EQ(item("5"), "bad_event");
  EXPECT_EQ(item(R"({"price":5})"), "missing_field");
  EXPECT_EQ(item(R"({"item_id":{}})"), "missing_field");
  EXPECT_EQ(item(R"({"item_id":"p","price":[]})"), "bad_price");
  EXPECT_EQ(item(R"({"item_id":"p","price":-1})"), "bad_price");
  EXPECT_EQ(item(R"({"item_id":"p","price":1e3})"), "bad_price");
  EXPECT_EQ(item(R"({"item_id":"p","price":1.005})"), "bad_price");
  EXPECT_EQ(item(R"({"item_id":"p","price":99999999999999999999999999})"), "bad_price");
  EXPECT_EQ(item(R"({"item_id":"p","quantity":0})"), "bad_quantity");
  EXPECT_EQ(item(R"({"item_id":"p","quantity":1.5})"), "bad_quantity");
  EXPECT_EQ(item(R"({"item_id":"p","price":1,"currency":"USD"})"), "bad_currency");
  EXPECT_EQ(item(R"({"item_id":"p","quantity":2.0})"), "event");
  EXPECT_THAT(Outcomes(R"({"client_id":"c","events":{}})"), ElementsAre("bad_event"));
  EXPECT_THAT(Outcomes(R"({"client_id":"c","events":[{"name":"login"}]})"),
              ElementsAre("missing_field"));
  EXPECT_THAT(Outcomes(R"({"client_id":[],"timestamp_micros":1700000000000000,)"
                       R"("events":[{"name":"login"}]})"),
              ElementsAre("bad_id"));
}

// Doubles cannot hold these; their digits can.
TEST(Ga4Body, PricesAreExactToTheLastDigit) {
  const auto price = [](const std::string& digits, const std::string& currency) {
    return EventOf(R"({"client_id":"c","timestamp_micros":1700000000000000,"events":[{"name":)"
                   R"("view_item","params":{"currency":")" +
                   currency + R"(","items":[{"item_id":"p","price":)" + digits + "}]}}]}")
        .items.at(0)
        .price_minor;
  };
  EXPECT_EQ(price("0.07", "EUR"), 7);
  EXPECT_EQ(price("1.10", "EUR"), 110);
  EXPECT_EQ(price("9007199254.99", "EUR"), 900'719'925'499);
  EXPECT_EQ(price("1234567.891", "KWD"), 1'234'567'891);
  EXPECT_EQ(price("4500", "JPY"), 4'500);
}

// --- GA4, BigQuery export ---

constexpr absl::string_view kGa4Row =
    R"({"event_date":"20231114",)"
    R"("event_timestamp":"1700000000999999","event_name":"purchase","event_params":[)"
    R"({"key":"ga_session_id","value":{"int_value":"99"}},)"
    R"({"key":"currency","value":{"string_value":"GBP"}},)"
    R"({"key":"page_location","value":{"string_value":"https://shop/","int_value":null}}],)"
    R"("user_id":null,"user_pseudo_id":"555.1","device":{"category":"mobile"},)"
    R"("geo":{"country":"United Kingdom"},"platform":"ANDROID","traffic_source":{"medium":"cpc"},)"
    R"("ecommerce":{"transaction_id":"T9","purchase_revenue":2.55},)"
    R"-("items":[{"item_id":"p1","item_name":"(not set)","price":2.55,"quantity":"1"}]})-";

TEST(Ga4Row, IsReadAsBigQueryWritesIt) {
  const Event event = EventOf(kGa4Row);
  EXPECT_EQ(event.kind, EventKind::PURCHASE);
  EXPECT_EQ(event.time_ms, 1'700'000'000'999);
  EXPECT_EQ(event.visitor_id, "555.1");
  EXPECT_FALSE(event.__isset.customer_id);
  EXPECT_EQ(event.channel, Channel::APP);
  EXPECT_EQ(event.country, "United Kingdom");
  EXPECT_EQ(event.order_id, "T9");
  EXPECT_EQ(event.currency, "GBP");
  EXPECT_EQ(event.url, "https://shop/");
  ASSERT_EQ(event.items.size(), 1u);
  EXPECT_FALSE(event.items[0].__isset.name);
  EXPECT_EQ(event.items[0].price_minor, 255);
}

TEST(Ga4Row, WhatIsWrongIsNamed) {
  const auto outcome = [](absl::string_view row) {
    return Outcomes(row, JsonDialect::kGa4BigQuery).at(0);
  };
  EXPECT_EQ(outcome("{}"), "missing_field");
  EXPECT_EQ(outcome(R"({"event_name":"login"})"), "missing_field");
  EXPECT_EQ(outcome(R"({"event_name":"login","event_timestamp":1700000000000000})"),
            "missing_field");
  EXPECT_EQ(outcome(R"({"event_name":"user_engagement"})"), "user_engagement");
  EXPECT_EQ(outcome(R"({"event_name":"login","event_timestamp":{},"user_id":"u"})"), "bad_time");
  EXPECT_EQ(outcome(R"({"event_name":"login","event_timestamp":1700000000000000,"user_id":7,)"
                    R"("event_params":"junk","geo":[1,{"country":2}],"items":null})"),
            "event");
}

// --- Segment ---

constexpr absl::string_view kTrack =
    R"({"type":"track","event":"Order Completed",)"
    R"("messageId":"m-1","anonymousId":"a-1","userId":"u-1",)"
    R"("originalTimestamp":"2023-11-14T20:00:00.000Z","sentAt":"2023-11-14T20:01:00.000Z",)"
    R"("receivedAt":"2023-11-14T22:14:23.250Z","timestamp":"2023-11-14T22:13:23.250Z",)"
    R"("context":{"ip":"192.0.2.7","userAgent":"UA","library":{"name":"analytics.js"},)"
    R"("page":{"url":"https://shop/thanks","referrer":"https://shop/pay"}},)"
    R"("properties":{"order_id":"O1","total":27.5,"currency":"USD","products":[)"
    R"({"product_id":"p1","sku":"G-1","name":"Game","price":19,"quantity":1,"category":"Games"},)"
    R"({"sku":"G-2","price":"4.25","quantity":2}]}})";

TEST(Segment, AListThatHasTheIdOfAShelfOfOursIsThatShelf) {
  const auto shelf_of = [](absl::string_view list) {
    return EventOf(
               absl::StrCat(R"({"type":"track","event":"Product Clicked","anonymousId":"a",)",
                            R"("timestamp":"2023-11-14T22:13:23.250Z","properties":{"list_id":")",
                            list, R"(","product_id":"p"}})"))
        .recommendation_id;
  };
  EXPECT_EQ(shelf_of("18bcfe56a3b-5f2a1-1c"), "18bcfe56a3b-5f2a1-1c");
  EXPECT_EQ(shelf_of("hot-deals-1"), "");
}

TEST(Segment, AnOrderIsReadWithItsTimeRepaired) {
  const Event event = EventOf(kTrack);
  EXPECT_EQ(event.id, "m-1");
  EXPECT_EQ(event.kind, EventKind::PURCHASE);
  EXPECT_EQ(event.visitor_id, "a-1");
  EXPECT_EQ(event.customer_id, "u-1");
  EXPECT_EQ(event.time_ms, 1'700'000'003'250);  // received a minute after it happened
  EXPECT_EQ(event.url, "https://shop/thanks");
  EXPECT_EQ(event.referrer, "https://shop/pay");
  EXPECT_EQ(event.user_agent, "UA");
  EXPECT_EQ(event.order_id, "O1");
  EXPECT_EQ(event.currency, "USD");
  ASSERT_EQ(event.items.size(), 2u);
  EXPECT_EQ(event.items[0].price_minor, 1'900);
  EXPECT_EQ(event.items[0].category, "Games");
  EXPECT_EQ(event.items[1].product_id, "G-2");
  EXPECT_EQ(event.items[1].price_minor, 425);
  EXPECT_EQ(event.items[1].quantity, 2);
}

TEST(Segment, EveryNameOfTheSpecIsMappedOrIgnoredByItsName) {
  const std::pair<absl::string_view, EventKind> mapped[] = {
      {"Products Searched", EventKind::SEARCH},
      {"Product List Viewed", EventKind::VIEW_ITEM_LIST},
      {"Product List Filtered", EventKind::VIEW_ITEM_LIST},
      {"Promotion Viewed", EventKind::VIEW_PROMOTION},
      {"Promotion Clicked", EventKind::SELECT_PROMOTION},
      {"Product Clicked", EventKind::SELECT_ITEM},
      {"Product Viewed", EventKind::VIEW_ITEM},
      {"Product Added", EventKind::ADD_TO_CART},
      {"Product Removed", EventKind::REMOVE_FROM_CART},
      {"Cart Viewed", EventKind::VIEW_CART},
      {"Checkout Started", EventKind::BEGIN_CHECKOUT},
      {"Order Completed", EventKind::PURCHASE},
      {"Order Refunded", EventKind::REFUND},
      {"Order Cancelled", EventKind::REFUND},
      {"Product Added to Wishlist", EventKind::ADD_TO_WISHLIST},
      {"Wishlist Product Added to Cart", EventKind::ADD_TO_CART},
      {"Product Reviewed", EventKind::RATING}};
  for (const auto& [name, kind] : mapped) {
    EXPECT_TRUE(LookUpSegmentName(name).known_kind) << name;
    EXPECT_EQ(LookUpSegmentName(name).kind, kind) << name;
  }
  const std::pair<absl::string_view, absl::string_view> ignored[] = {
      {"Checkout Step Viewed", "checkout_step_viewed"},
      {"Checkout Step Completed", "checkout_step_completed"},
      {"Payment Info Entered", "payment_info_entered"},
      {"Order Updated", "order_updated"},
      {"Coupon Entered", "coupon_entered"},
      {"Coupon Applied", "coupon_applied"},
      {"Coupon Denied", "coupon_denied"},
      {"Coupon Removed", "coupon_removed"},
      {"Product Removed from Wishlist", "product_removed_from_wishlist"},
      {"Product Shared", "product_shared"},
      {"Cart Shared", "cart_shared"},
      {"Level Up", "custom_event"}};
  for (const auto& [name, reason] : ignored) {
    EXPECT_FALSE(LookUpSegmentName(name).known_kind) << name;
    EXPECT_EQ(LookUpSegmentName(name).ignored, reason) << name;
  }
}

TEST(Segment, ABatchIsTakenMessageByMessage) {
  const std::string line =
      R"({"sentAt":"2023-11-14T22:13:21Z","context":{"userAgent":"app/1"},"batch":[)"
      R"({"type":"identify","messageId":"1","userId":"u","anonymousId":"a",)"
      R"("timestamp":"2023-11-14T22:13:20Z","traits":{"firstName":"Ada","lastName":"L",)"
      R"("email":"a@x","address":{"country":"IR"},"plan":"gold","age":36,"tags":["x"]},)"
      R"("context":{"timezone":"Asia/Tehran","locale":"fa"}},)"
      R"({"type":"track","event":"Product Added","messageId":"2","anonymousId":"a",)"
      R"("timestamp":"2023-11-14T22:13:20Z","properties":{"product_id":"p","price":1.5,)"
      R"("currency":"EUR","name":"Pen"}},)"
      R"({"type":"screen","name":"Home","messageId":"3","anonymousId":"a"},)"
      R"({"type":"page","messageId":"4","anonymousId":"a","properties":{"url":"u","referrer":"r"}},)"
      R"({"type":"alias","previousId":"a","userId":"u"},{"type":"group","groupId":"g"},)"
      R"({"type":"identify","anonymousId":"a","traits":{"plan":"free"}},)"
      R"({"type":"track","event":"Product Viewed","messageId":"5","anonymousId":"a",)"
      R"("properties":{}},{"type":"fly"}]})";
  EXPECT_THAT(Outcomes(line),
              ElementsAre("event", "customer", "event", "event", "event", "alias", "group",
                          "anonymous_identify", "missing_field", "bad_kind"));
  const std::vector<Element> elements = ElementsOf(line);
  EXPECT_EQ(elements[0].event.kind, EventKind::LOGIN);
  EXPECT_EQ(elements[0].event.user_agent, "");  // its own context, not the batch's
  const CustomerFacts& facts = elements[1].customer;
  EXPECT_EQ(facts.id, "u");
  EXPECT_EQ(facts.name, "Ada L");
  EXPECT_EQ(facts.email, "a@x");
  EXPECT_EQ(facts.country, "IR");
  EXPECT_EQ(facts.language, "fa");
  EXPECT_EQ(facts.time_zone, "Asia/Tehran");
  EXPECT_EQ(facts.attributes.at("plan"), "gold");
  EXPECT_EQ(facts.attributes.at("age"), "36");
  EXPECT_EQ(facts.attributes.count("tags"), 0u);
  EXPECT_EQ(elements[2].event.items.at(0).price_minor, 150);
  EXPECT_EQ(elements[2].event.items.at(0).name, "Pen");
  EXPECT_EQ(elements[3].event.channel, Channel::APP);
  EXPECT_EQ(elements[3].event.user_agent, "app/1");
  EXPECT_EQ(elements[3].event.time_ms, 1'700'000'001'000);  // sentAt: nothing else is known
  EXPECT_EQ(elements[4].event.url, "u");
  EXPECT_THAT(elements[8].raw, HasSubstr(R"("batch":[{"type":"track","event":"Product Viewed")"));
  EXPECT_THAT(Outcomes(elements[8].raw), ElementsAre("missing_field"));
}

TEST(Segment, WhatIsWrongIsNamed) {
  const auto outcome = [](absl::string_view rest) {
    return Outcomes(absl::StrCat(R"({"anonymousId":"a",)", rest, "}"), JsonDialect::kSegment).at(0);
  };
  const std::string time = R"("timestamp":"2023-11-14T22:13:20Z")";
  EXPECT_EQ(outcome(R"("type":5)"), "bad_kind");
  EXPECT_EQ(outcome(R"("type":"track")"), "missing_field");
  EXPECT_EQ(outcome(R"("type":"page")"), "missing_field");
  EXPECT_EQ(outcome(R"("type":"page","timestamp":1700000000)"), "bad_time");
  EXPECT_EQ(outcome(R"("type":"page","timestamp":"soon")"), "bad_time");
  EXPECT_EQ(outcome(R"("type":"page","messageId":[],)" + time), "bad_id");
  EXPECT_EQ(outcome(R"("type":"page","context":{"page":{"url":7}},)" + time), "bad_event");
  EXPECT_EQ(outcome(R"("type":"track","event":"Product Viewed","properties":[],)" + time),
            "bad_event");
  EXPECT_EQ(outcome(R"("type":"page","context":"junk",)" + time), "event");
}

// --- All dialects ---

TEST(JsonDialects, OneFileMayHoldThemAll) {
  const std::string own = R"({"id":"e","time_ms":1700000000000,"kind":"login","customer_id":"c"})";
  EXPECT_THAT(Outcomes(absl::StrCat("[", own, ",", kGa4Row, ", ", kTrack, "]")),
              ElementsAre("event", "event", "event"));
  EXPECT_THAT(Outcomes(absl::StrCat(own, kGa4Row, own)), ElementsAre("event", "event", "event"));
  EXPECT_THAT(Outcomes("["), ElementsAre("array_bracket"));
  EXPECT_THAT(Outcomes(absl::StrCat("  ", own, ",")), ElementsAre("event"));
  EXPECT_THAT(Outcomes("]"), ElementsAre("array_bracket"));
  EXPECT_THAT(Outcomes(R"({"a":1})"), ElementsAre("unknown_dialect"));
}

TEST(JsonDialects, DamageCostsItsOwnElementOnly) {
  const std::string own = R"({"id":"e","time_ms":1700000000000,"kind":"login","customer_id":"c"})";
  EXPECT_THAT(Outcomes(absl::StrCat("[", own, ",{\"a\":tru},5,\"x\",", own, "]")),
              ElementsAre("event", "bad_json", "bad_json", "bad_json", "event"));
  EXPECT_THAT(Outcomes(absl::StrCat(own, "{\"a\":01}{\"b\":[1,2}", own)),
              ElementsAre("event", "bad_json", "bad_json", "event"));
  EXPECT_THAT(Outcomes("{\"a\":"), ElementsAre("bad_json"));
  const std::string deep = absl::StrCat("{\"type\":\"page\",\"x\":", std::string(5000, '['),
                                        std::string(5000, ']'), "}");
  EXPECT_THAT(Outcomes(deep), ElementsAre("bad_json"));
}

TEST(JsonDialects, ALineHoldsABoundedNumberOfElements) {
  std::string line = R"({"client_id":"c","timestamp_micros":1700000000000000,"events":[0)";
  for (size_t i = 0; i < limits::kElementsPerLineMax; ++i) line += ",0";
  EXPECT_THAT(Outcomes(line + "]}"), ElementsAre("too_many_elements"));
  std::string list;
  for (size_t i = 0; i <= limits::kElementsPerLineMax; ++i) list += "{}";
  EXPECT_THAT(Outcomes(list), ElementsAre("too_many_elements"));
}

TEST(JsonDialects, NoDamageBreaksTheParser) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  JsonDialectParser parser(JsonDialect::kAny, "EUR");
  std::vector<Element> elements;
  const std::string lines[] = {std::string(kGa4Body), std::string(kGa4Row), std::string(kTrack)};
  for (int i = 0; i < 6'000; ++i) {
    const std::string& line = lines[random() % 3];
    std::string damaged =
        line.substr(0, random() % 4 == 0 ? 1 + random() % line.size() : line.size());
    for (uint64_t edits = random() % 4; edits > 0; --edits) {
      damaged[random() % damaged.size()] = "{}[]\",:0e-x\\"[random() % 12];
    }
    parser.Parse(damaged, Complete, &elements);
    ASSERT_FALSE(elements.empty()) << damaged;
    for (const Element& e : elements) {
      ASSERT_EQ(e.kind == Element::Kind::kRejected, !e.raw.empty()) << damaged;
    }
  }
  parser.Parse(kTrack, Complete, &elements);
  EXPECT_EQ(elements.at(0).event, EventOf(kTrack));
}

}  // namespace
}  // namespace vitrine
