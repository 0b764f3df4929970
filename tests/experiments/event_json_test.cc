#include "experiments/simulation/event_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/testing/testing.h"

namespace vitrine::simulation {
namespace {

std::string Json(const Event& event) {
  std::string out;
  AppendEventJson(event, &out);
  return out;
}

TEST(EventJson, LeavesOutWhatIsNotSet) {
  EXPECT_EQ(Json(testing::MakeEvent("e1", "c1", 1234, EventKind::PAGE_VIEW)),
            R"({"id":"e1","time_ms":1234,"kind":"page_view","channel":"web","customer_id":"c1"})"
            "\n");
}

TEST(EventJson, HasEveryFieldUnderItsName) {
  Event event = testing::MakeEvent("e1", "v:v1", 1234, EventKind::PURCHASE, "p1");
  event.channel = Channel::CALL_CENTER;
  event.__set_customer_id("c1");
  event.items[0].quantity = 3;
  event.items[0].__set_price_minor(999);
  event.items[0].__set_name("Oak Mug");
  event.items[0].__set_category("mug");
  event.items.push_back(event.items[0]);
  event.__set_order_id("o1");
  event.__set_currency("GBP");
  event.__set_search_terms("mug");
  event.__set_url("https://shop.example/");
  event.__set_referrer("https://mail.example/");
  event.__set_country("GB");
  event.__set_user_agent("agent");
  const nlohmann::json item = {{"product_id", "p1"},
                               {"quantity", 3},
                               {"price_minor", 999},
                               {"name", "Oak Mug"},
                               {"category", "mug"}};
  const nlohmann::json expected = {{"id", "e1"},
                                   {"time_ms", 1234},
                                   {"kind", "purchase"},
                                   {"channel", "call_center"},
                                   {"customer_id", "c1"},
                                   {"visitor_id", "v1"},
                                   {"items", {item, item}},
                                   {"order_id", "o1"},
                                   {"currency", "GBP"},
                                   {"search_terms", "mug"},
                                   {"url", "https://shop.example/"},
                                   {"referrer", "https://mail.example/"},
                                   {"country", "GB"},
                                   {"user_agent", "agent"}};
  EXPECT_EQ(nlohmann::json::parse(Json(event)), expected);
}

TEST(EventJson, EscapesWhateverStandsInAText) {
  Event event = testing::MakeEvent("e1", "c1", 0, EventKind::SEARCH);
  std::string nasty = "\"\\/ \xc3\xa9 \xe2\x98\x83 ";
  for (char c = 1; c < 0x20; ++c) nasty.push_back(c);
  event.__set_search_terms(nasty);
  const std::string line = Json(event);
  EXPECT_EQ(nlohmann::json::parse(line)["search_terms"], nasty);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

}  // namespace
}  // namespace vitrine::simulation
