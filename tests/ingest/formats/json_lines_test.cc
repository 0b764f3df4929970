#include "ingest/formats/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "absl/strings/match.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;

Event Parsed(absl::string_view line) {
  JsonEventParser parser("EUR");
  Event event;
  EXPECT_OK(parser.Parse(line, &event)) << line;
  return event;
}

std::string FaultOf(absl::string_view line, absl::string_view currency = "EUR") {
  JsonEventParser parser(currency);
  Event event;
  return std::string(parser.Parse(line, &event).message());
}

TEST(JsonEventParser, ReadsEveryField) {
  const Event event = Parsed(
      R"({"id":"e1","time_ms":1700000000123,"kind":"purchase","channel":"call_center",)"
      R"("customer_id":"c","visitor_id":"v","order_id":"o","currency":"GBP","search_terms":"s",)"
      R"("url":"u","referrer":"r","country":"k","user_agent":"a","recommendation_id":"s",)"
      R"("items":[{"product_id":"p","quantity":3,"price_minor":255,"name":"n","category":"t"}]})");
  EXPECT_EQ(event.id, "e1");
  EXPECT_EQ(event.time_ms, 1'700'000'000'123);
  EXPECT_EQ(event.kind, EventKind::PURCHASE);
  EXPECT_EQ(event.channel, Channel::CALL_CENTER);
  EXPECT_EQ(event.recommendation_id, "s");
  EXPECT_EQ(event.customer_id + event.visitor_id + event.order_id + event.currency +
                event.search_terms + event.url + event.referrer + event.country + event.user_agent,
            "cvoGBPsurka");
  ASSERT_EQ(event.items.size(), 1u);
  EXPECT_EQ(event.items[0].product_id, "p");
  EXPECT_EQ(event.items[0].quantity, 3);
  EXPECT_EQ(event.items[0].price_minor, 255);
  EXPECT_EQ(event.items[0].name, "n");
  EXPECT_EQ(event.items[0].category, "t");
}

TEST(JsonEventParser, ReadsConsentContactRatingAndGrants) {
  const Event consent =
      Parsed(R"({"time_ms":1,"kind":"consent","consent":{"channel":"sms","purpose":"marketing",)"
             R"("granted":false,"source":"call 4711","since":[1]}})");
  ASSERT_TRUE(consent.__isset.consent);
  EXPECT_EQ(consent.consent.channel, SMS);
  EXPECT_EQ(consent.consent.purpose + " " + consent.consent.source, "marketing call 4711");
  EXPECT_FALSE(consent.consent.granted);

  const Event contact = Parsed(
      R"({"time_ms":1,"kind":"contact","channel":"other","channel_name":"fax","contact":{)"
      R"("contact_id":"m1","purpose":"service","inbound":true,"progress":"was_answered",)"
      R"("campaign":"spring","case_id":"k7","topic":"complaint","outcome":"refunded",)"
      R"("cost_minor":350},"rating":{"value":9,"best":10,"about":"nps"},"grants":["g1","g2"]})");
  ASSERT_TRUE(contact.__isset.contact && contact.__isset.rating && contact.__isset.grants);
  EXPECT_EQ(contact.channel_name, "fax");
  const ContactNote& note = contact.contact;
  EXPECT_EQ(
      note.contact_id + note.purpose + note.campaign + note.case_id + note.topic + note.outcome,
      "m1servicespringk7complaintrefunded");
  EXPECT_TRUE(note.inbound);
  EXPECT_EQ(note.progress, WAS_ANSWERED);
  EXPECT_EQ(note.cost_minor, 350);
  EXPECT_EQ(contact.currency, "EUR");  // of the cost
  EXPECT_EQ(contact.rating.value, 9);
  EXPECT_EQ(contact.rating.best, 10);
  EXPECT_EQ(contact.rating.about, "nps");
  EXPECT_EQ(contact.grants, (std::vector<std::string>{"g1", "g2"}));
}

TEST(JsonEventParser, AContactSaysHowFarItGotWithOrWithoutWas) {
  const auto progress = [](const std::string& name) {
    return Parsed(R"({"time_ms":1,"kind":"contact","contact":{"contact_id":"m","purpose":"p",)" +
                  name + "}}")
        .contact.progress;
  };
  EXPECT_EQ(progress(R"("progress":"was_opened")"), WAS_OPENED);
  EXPECT_EQ(progress(R"("progress":"opened")"), WAS_OPENED);
  EXPECT_EQ(progress(R"("progress":"bounced")"), HAS_BOUNCED);
  EXPECT_EQ(progress(R"("progress":"failed_to_send")"), FAILED_TO_SEND);
  EXPECT_EQ(progress(R"("inbound":false)"), WAS_SENT);
}

TEST(JsonEventParser, WhatIsSaidOfACustomerIsWholeOrRejected) {
  const auto fault = [](const std::string& field) {
    return FaultOf(R"({"time_ms":1,"kind":"contact",)" + field + "}");
  };
  EXPECT_THAT(fault(R"("consent":{"purpose":"p","granted":true})"),
              HasSubstr("missing_field: consent.channel"));
  EXPECT_THAT(fault(R"("consent":{"channel":"web","purpose":"p"})"),
              HasSubstr("missing_field: consent.granted"));
  EXPECT_THAT(fault(R"("consent":{"channel":"fax","granted":true})"), HasSubstr("bad_channel: "));
  EXPECT_THAT(fault(R"("consent":{"channel":"web","granted":"yes"})"),
              HasSubstr("bad_event: consent.granted"));
  EXPECT_THAT(fault(R"("consent":true)"), HasSubstr("bad_event: consent"));
  EXPECT_THAT(fault(R"("contact":{"purpose":"p"})"),
              HasSubstr("missing_field: contact.contact_id"));
  EXPECT_THAT(fault(R"("contact":{"contact_id":"m"})"),
              HasSubstr("missing_field: contact.purpose"));
  EXPECT_THAT(fault(R"("contact":{"contact_id":7})"), HasSubstr("bad_id: contact.contact_id"));
  EXPECT_THAT(fault(R"("contact":{"progress":"lost"})"), HasSubstr("bad_event: contact.progress"));
  EXPECT_THAT(fault(R"("contact":{"cost_minor":1.5})"), HasSubstr("bad_price: contact.cost_minor"));
  EXPECT_THAT(fault(R"("rating":{"best":10})"), HasSubstr("missing_field: rating.value"));
  EXPECT_THAT(fault(R"("rating":{"value":"five"})"), HasSubstr("bad_event: rating.value"));
  EXPECT_THAT(fault(R"("grants":"g1")"), HasSubstr("bad_event: grants"));
  EXPECT_THAT(fault(R"("grants":["g1",2])"), HasSubstr("bad_id: grants[1]"));
}

TEST(JsonEventParser, ReadsTimeAsRfc3339) {
  EXPECT_EQ(Parsed(R"({"time":"2010-12-01T09:26:00+01:00","kind":"login"})").time_ms,
            1'291'191'960'000);
  EXPECT_EQ(Parsed(R"({"time":"2010-12-01T08:26:00.250Z","kind":"login"})").time_ms,
            1'291'191'960'250);
}

TEST(JsonEventParser, RepairsTimesWhereItIsToldWhenItWasSentAndReceived) {
  EXPECT_EQ(Parsed(R"({"time_ms":1000,"kind":"login","sent_ms":1500,"received_ms":9500})").time_ms,
            9'000);
  EXPECT_EQ(Parsed(R"({"received_ms":9500,"time_ms":1000,"kind":"login"})").time_ms, 1'000);
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"login","sent_ms":"x"})"), HasSubstr("bad_time: "));
}

TEST(JsonEventParser, ReadsDecimalPricesToTheLastDigit) {
  const auto price = [](const std::string& digits, const std::string& currency) {
    return Parsed(R"({"time_ms":1,"kind":"purchase","items":[{"product_id":"p","price":)" + digits +
                  R"(}],"currency":")" + currency + R"("})")
        .items.at(0)
        .price_minor;
  };
  EXPECT_EQ(price("2.55", "GBP"), 255);
  EXPECT_EQ(price("\"2.55\"", "GBP"), 255);
  EXPECT_EQ(price("9007199254.99 ", "EUR"), 900'719'925'499);
  EXPECT_EQ(price("1.234", "KWD"), 1'234);
  EXPECT_EQ(price("150", "JPY"), 150);
}

TEST(JsonEventParser, UnknownFieldsAreSkippedAndNullIsAbsent) {
  const Event event = Parsed(
      R"({"x":{"id":"no","deep":[1,{"kind":2}]},"time_ms":5,"url":null,"kind":"page_view","y":[]})");
  EXPECT_EQ(event.id, "");
  EXPECT_EQ(event.time_ms, 5);
  EXPECT_FALSE(event.__isset.url);
}

TEST(JsonEventParser, AFaultNamesItsReasonAndItsField) {
  const auto item = [](const std::string& second) {
    return FaultOf(R"({"time_ms":1,"kind":"purchase","items":[{"product_id":"p"},)" + second +
                   "]}");
  };
  EXPECT_THAT(FaultOf(R"({"time_ms":1)"), HasSubstr("bad_json: "));
  EXPECT_THAT(FaultOf("[]"), HasSubstr("bad_json: "));
  EXPECT_THAT(FaultOf("null"), HasSubstr("bad_json: "));
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"login"} x)"), HasSubstr("bad_json: "));
  EXPECT_THAT(FaultOf(R"({"kind":"login"})"), HasSubstr("missing_field: "));
  EXPECT_THAT(FaultOf(R"({"time_ms":1})"), HasSubstr("missing_field: kind"));
  EXPECT_THAT(FaultOf(R"({"time_ms":"1","kind":"login"})"), HasSubstr("bad_time: time_ms"));
  EXPECT_THAT(FaultOf(R"({"time":"yesterday","kind":"login"})"), HasSubstr("bad_time: "));
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"buy"})"), HasSubstr("bad_kind: "));
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"login","channel":"fax"})"),
              HasSubstr("bad_channel: "));
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"login","customer_id":7})"),
              HasSubstr("bad_id: customer_id"));
  EXPECT_THAT(FaultOf(R"({"time_ms":1,"kind":"login","url":[]})"), HasSubstr("bad_event: url"));
  EXPECT_THAT(item(R"({"quantity":0})"), HasSubstr("bad_quantity: items[1].quantity"));
  EXPECT_THAT(item(R"({"quantity":1.5})"), HasSubstr("bad_quantity: items[1].quantity"));
  EXPECT_THAT(item(R"({"price":"x"})"), HasSubstr("bad_price: "));
  EXPECT_THAT(item(R"({"price":1e2})"), HasSubstr("bad_price: "));
  EXPECT_THAT(item(R"({"price":true})"), HasSubstr("bad_price: items[1].price"));
  EXPECT_THAT(item(R"(7)"), HasSubstr("bad_event: items[1]"));
}

TEST(JsonEventParser, PricesNeedACurrency) {
  const char* const line =
      R"({"time_ms":1,"kind":"purchase","items":[{"product_id":"p","price":1}]})";
  EXPECT_THAT(FaultOf(line, ""), HasSubstr("missing_field: currency"));
  EXPECT_EQ(Parsed(line).currency, "EUR");
}

TEST(JsonEventParser, NoDamageToALineBreaksIt) {
  const std::string line =
      R"({"id":"e\u00e9","time":"2010-12-01T09:26:00Z","kind":"purchase","customer_id":"c",)"
      R"("items":[{"product_id":"p","quantity":3,"price":2.5,"name":null}],"x":[[{}]],)"
      R"("contact":{"contact_id":"m","purpose":"p","progress":"sent"},"grants":["g"],)"
      R"("rating":{"value":4.5},"consent":{"channel":"web","purpose":"p","granted":true}})";
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  JsonEventParser parser("EUR");
  Event event;
  ASSERT_OK(parser.Parse(line, &event));
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = line.substr(0, 1 + random() % line.size());
    for (uint64_t edits = random() % 4; edits > 0; --edits) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    const absl::Status status = parser.Parse(damaged, &event);
    ASSERT_TRUE(status.ok() || absl::StrContains(status.message(), ": ")) << status;
  }
  ASSERT_OK(parser.Parse(line, &event));  // and the parser is as good as new
}

}  // namespace
}  // namespace vitrine
