#include "ingest/log_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "ingest/line_ids.h"
#include "ingest/mapping.h"
#include "ingest/percent.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;
using F = LogField;

constexpr absl::string_view kRules = R"(
[[url]]
match = ["/p/{id}", "/{category}/p/{id}"]
kind = "view_item"
[[url]]
match = "/cart/add/{id}"
method = ["GET", "POST"]
kind = "add_to_cart"
[[url]]
match = "/search?q={query}"
kind = "search"
[[url]]
match = "/order/{order}"
kind = "purchase"
[[url]]
match = "/api/{_rest...}"
method = ["GET", "POST"]
ignore = "api"
)";

// A mapping from the lines of its [access_log], and the rules above.
Mapping MappingOf(const std::string& lines) {
  return Value(ParseMapping(absl::StrCat("format = \"access_log\"\n[access_log]\n", lines, kRules),
                            "shop.toml"));
}

struct Request {
  std::string target = "/";
  std::string query = {};
  std::string method = "GET";
  int status = 200;
  std::string host = {}, type = {}, agent = "Mozilla", user = {}, address = "203.0.113.77",
              forwarded = {}, cookies = {};
};

LogRecord RecordOf(const Request& request) {
  LogRecord record;
  record.time_ms = 1'431'857'103'000;
  record.status = request.status;
  record[F::kTarget] = request.target;
  record[F::kQuery] = request.query;
  record[F::kMethod] = request.method;
  record[F::kHost] = request.host;
  record[F::kContentType] = request.type;
  record[F::kUserAgent] = request.agent;
  record[F::kUser] = request.user;
  record[F::kAddress] = request.address;
  record[F::kForwardedFor] = request.forwarded;
  record[F::kCookies] = request.cookies;
  return record;
}

class LogMapperTest : public ::testing::Test {
 protected:
  // "view_item", or "ignored:<why>".
  std::string Outcome(const Request& request) {
    Event event;
    absl::string_view ignored;
    if (!Value(mapper_.Map(RecordOf(request), &event, &ignored))) {
      return absl::StrCat("ignored:", ignored);
    }
    return std::to_string(event.kind);
  }
  static std::string Kind(EventKind kind) { return std::to_string(kind); }

  Event EventOf(const Request& request) {
    Event event;
    absl::string_view ignored;
    EXPECT_TRUE(Value(mapper_.Map(RecordOf(request), &event, &ignored))) << ignored;
    return event;
  }

  void Use(const std::string& lines) {
    mapping_ = MappingOf(lines);
    mapper_ = Value(LogMapper::Create(mapping_.access_log));
  }

  Mapping mapping_ = MappingOf("");
  LogMapper mapper_ = Value(LogMapper::Create(mapping_.access_log));
};

TEST_F(LogMapperTest, WhatIsNoPageIsIgnoredByReason) {
  const std::string page = Kind(EventKind::PAGE_VIEW);
  EXPECT_EQ(Outcome({}), page);
  EXPECT_EQ(Outcome({.status = 304}), page);
  EXPECT_EQ(Outcome({.type = "text/html; charset=utf-8"}), page);
  EXPECT_EQ(Outcome({.type = "application/pdf"}), "ignored:not_a_page");
  EXPECT_EQ(Outcome({.target = "/a.b/LOGO.PNG"}), "ignored:asset");
  EXPECT_EQ(Outcome({.target = "/logo.pngx"}), page);
  EXPECT_EQ(Outcome({.status = 301}), "ignored:redirect");
  EXPECT_EQ(Outcome({.status = 404}), "ignored:client_error");
  EXPECT_EQ(Outcome({.target = "/logo.png", .status = 404}), "ignored:client_error");
  EXPECT_EQ(Outcome({.status = 503}), "ignored:server_error");
  EXPECT_EQ(Outcome({.status = 0}), "ignored:no_response");
  EXPECT_EQ(Outcome({.status = 101}), "ignored:informational");
  EXPECT_EQ(Outcome({.method = "HEAD"}), "ignored:method");
  EXPECT_EQ(Outcome({.method = "POST"}), "ignored:method");
  EXPECT_EQ(Outcome({.target = "", .method = "", .status = 400}), "ignored:client_error");
  EXPECT_EQ(Outcome({.target = "", .method = ""}), "ignored:not_http");
  EXPECT_EQ(Outcome({.target = "/healthz", .status = 503}), "ignored:health_check");
  EXPECT_EQ(Outcome({.agent = "ELB-HealthChecker/2.0"}), "ignored:health_check");
}

TEST_F(LogMapperTest, ARobotsTxtIsAPageWhateverTheAnswer) {
  EXPECT_EQ(EventOf({.target = "/robots.txt", .status = 404}).url, "/robots.txt");
  EXPECT_EQ(Outcome({.target = "/robots.txt", .method = "HEAD"}), "ignored:asset");
}

TEST_F(LogMapperTest, RulesSayWhatAUrlMeans) {
  const Event view = EventOf({.target = "/m%C3%BCgs/p/17", .query = "x=1"});
  EXPECT_EQ(view.kind, EventKind::VIEW_ITEM);
  ASSERT_EQ(view.items.size(), 1u);
  EXPECT_EQ(view.items[0].product_id, "17");
  EXPECT_EQ(view.items[0].category, "m\xC3\xBCgs");
  EXPECT_EQ(view.url, "/m%C3%BCgs/p/17?x=1");
  EXPECT_EQ(EventOf({.target = "/search", .query = "q=red+mug%E9"}).search_terms, "red mug%e9");
  EXPECT_EQ(Outcome({.target = "/api/v1/p/17", .method = "POST"}), "ignored:api");
  EXPECT_EQ(Outcome({.target = "/p/17.jpg"}), "ignored:asset");
}

TEST_F(LogMapperTest, WhatIsDoneMayEndInARedirectWhatIsSeenMayNot) {
  EXPECT_EQ(Outcome({.target = "/cart/add/1", .method = "POST", .status = 303}),
            Kind(EventKind::ADD_TO_CART));
  EXPECT_EQ(Outcome({.target = "/cart/add/1", .status = 302}), Kind(EventKind::ADD_TO_CART));
  EXPECT_EQ(Outcome({.target = "/p/1", .status = 302}), "ignored:redirect");
  EXPECT_EQ(Outcome({.target = "/cart/add/1", .method = "POST", .status = 409}),
            "ignored:client_error");
  EXPECT_EQ(Outcome({.target = "/p/1", .method = "POST"}), "ignored:method");
}

TEST_F(LogMapperTest, AnOrdersPageIsOnePurchaseHoweverOftenItIsSeen) {
  const Event order = EventOf({.target = "/order/o7"});
  EXPECT_EQ(order.order_id, "o7");
  EXPECT_EQ(order.id, EventOf({.target = "/order/o7", .query = "again"}).id);
  EXPECT_NE(order.id, EventOf({.target = "/order/o8"}).id);
}

TEST_F(LogMapperTest, BytesThatAreNoTextAreKeptPercentEncoded) {
  const Event event = EventOf({.target = "/\xFF\xC3\xA9\x01", .agent = "a\x80z"});
  EXPECT_EQ(event.url, "/%ff\xC3\xA9%01");
  EXPECT_EQ(event.user_agent, "a%80z");
}

TEST_F(LogMapperTest, UrlsGetTheirOrigin) {
  EXPECT_EQ(EventOf({.host = "Shop.Example:443"}).url, "https://shop.example/");
  Use("origin = \"https://shop.example/\"\nhosts = [\"shop.example\"]");
  EXPECT_EQ(EventOf({.host = "shop.example"}).url, "https://shop.example/");
  EXPECT_EQ(Outcome({.host = "blog.example"}), "ignored:other_host");
}

TEST_F(LogMapperTest, AVisitorIsTheCookieElseAddressAndAgent) {
  const Event plain = EventOf({});
  EXPECT_EQ(plain.visitor_id, VisitorIdOf("203.0.113.77", "Mozilla"));
  EXPECT_EQ(plain.visitor_id.size(), 32u);
  EXPECT_NE(plain.visitor_id, EventOf({.agent = "Opera"}).visitor_id);
  EXPECT_FALSE(plain.__isset.customer_id);
  EXPECT_EQ(EventOf({.user = "jo"}).customer_id, "jo");
  Use("visitor = \"cookie_uid\"");
  EXPECT_EQ(EventOf({.cookies = "xuid=1; uid=v7; a=b"}).visitor_id, "v7");
  EXPECT_EQ(EventOf({.cookies = "a=b;+uid=v7"}).visitor_id, "v7");
  EXPECT_EQ(EventOf({.cookies = "a=b"}).visitor_id, plain.visitor_id);
}

TEST_F(LogMapperTest, KeepsAsMuchOfTheAddressAsTheMappingSays) {
  EXPECT_EQ(EventOf({}).ip, "203.0.113.0");
  EXPECT_EQ(EventOf({.address = "2001:db8:1:2:3::4"}).ip, "2001:db8:1::");
  EXPECT_EQ(EventOf({.address = "::ffff:203.0.113.77"}).ip, "::ffff:203.0.113.0");
  EXPECT_EQ(EventOf({.address = "pc7.uni.example"}).ip, "uni.example");
  Use("ip = \"full\"");
  EXPECT_EQ(EventOf({}).ip, "203.0.113.77");
  Use("ip = \"hashed\"");
  EXPECT_EQ(EventOf({}).ip.size(), 32u);
  Use("ip = \"none\"");
  EXPECT_FALSE(EventOf({}).__isset.ip);
}

TEST_F(LogMapperTest, AForwardedAddressIsBelievedOfTrustedProxiesOnly) {
  const std::string spoofed = "6.6.6.6, 198.51.100.9, 10.0.0.7";
  EXPECT_EQ(EventOf({.address = "10.0.0.8", .forwarded = spoofed}).ip, "10.0.0.0");
  Use("ip = \"full\"\nforwarded = \"x_forwarded_for\"\ntrusted_proxies = [\"10.0.0.0/29\"]");
  EXPECT_EQ(EventOf({.address = "10.0.0.1", .forwarded = spoofed}).ip, "198.51.100.9");
  EXPECT_EQ(EventOf({.address = "10.0.0.8", .forwarded = spoofed}).ip, "10.0.0.8");
  EXPECT_EQ(EventOf({.address = "10.0.0.1", .forwarded = "10.0.0.2, 10.0.0.3"}).ip, "10.0.0.2");
  EXPECT_EQ(EventOf({.address = "10.0.0.1", .forwarded = "6.6.6.6, unknown"}).ip, "10.0.0.1");
  EXPECT_EQ(EventOf({.address = "10.0.0.1", .forwarded = "[2001:db8::1]:80"}).ip, "2001:db8::1");
  Use("ip = \"full\"\nforwarded = \"x_forwarded_for\"\ntrusted_proxies = [\"private\"]");
  EXPECT_EQ(EventOf({.address = "fd00::1", .forwarded = "8.8.8.8:55, 172.31.0.1"}).ip, "8.8.8.8");
}

TEST(LineIds, EqualLinesAreToldApartAndAreTheSameNextTime) {
  LineIds first;
  std::set<std::string> ids;
  for (int64_t number = 1; number <= 3; ++number) ids.insert(first.IdOf("line", number));
  ids.insert(first.IdOf("other", 4));
  EXPECT_EQ(ids.size(), 4u);
  LineIds again;
  for (int64_t number = 1; number <= 3; ++number)
    EXPECT_EQ(ids.count(again.IdOf("line", number)), 1u);
}

TEST(LineIds, IdsBeginWithTheSecondThatStandsInTheLine) {
  LineIds ids;
  int64_t number = 0;
  const auto front = [&](absl::string_view line) { return ids.IdOf(line, ++number).substr(0, 8); };
  // 2015-05-17 10:05:03 UTC
  EXPECT_EQ(front("1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1"), "555867cf");
  EXPECT_EQ(front("::1 - a/b [17/May/2015:12:05:03 +0200] \"GET /1/a HTTP/1.1\" 200 1"),
            "555867cf");
  EXPECT_EQ(front("2015-05-17 10:05:03 GET /"), "555867cf");
  EXPECT_EQ(front(R"({"id":"1-2-3","t":"2015-05-17T10:05:03.25+00:00"})"), "555867cf");
  EXPECT_EQ(front("nothing that is a time"), "00000000");
  EXPECT_EQ(front("99/May/2015:10:05:03 +0000"), "00000000");
  EXPECT_EQ(front("17/May/2015:10:05:0"), "00000000");
  EXPECT_EQ(front("1900-05-17 10:05:03"), "00000000");
  EXPECT_EQ(front(""), "00000000");
}

TEST(LineIds, TheIdOfALineDoesNotDependOnTheLinesBeforeIt) {
  const std::string line = "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1";
  LineIds fresh, used;
  used.IdOf("x - - [17/May/2015:99:05:03 +0000] ", 1);
  used.IdOf("x - - [18/Jun/2016:10:05:03 -0900] ", 2);
  EXPECT_EQ(used.IdOf(line, 3), fresh.IdOf(line, 3));
}

TEST(LineIds, WhatIsRecalledIsEnoughToGoOn) {
  constexpr int64_t kBlock = LineIds::kBlockLines;
  LineIds whole;
  std::set<std::string> ids;
  for (const int64_t number : {kBlock, kBlock + 7, 2 * kBlock - 1, 2 * kBlock}) {
    EXPECT_TRUE(ids.insert(whole.IdOf("line", number)).second) << number;
  }
  LineIds resumed;
  EXPECT_EQ(LineIds::FirstThatMatters(2 * kBlock), kBlock);
  for (const int64_t number : {kBlock, kBlock + 7, 2 * kBlock - 1}) resumed.IdOf("line", number);
  EXPECT_EQ(ids.count(resumed.IdOf("line", 2 * kBlock)), 1u);
}

TEST(Percent, DecodesWhatIsEncodedAndLeavesTheRest) {
  std::string text;
  AppendPercentDecoded("a%41%4g%+%2b%", /*plus_is_blank=*/true, &text);
  EXPECT_EQ(text, "aA%4g% +%");
}

}  // namespace
}  // namespace vitrine
