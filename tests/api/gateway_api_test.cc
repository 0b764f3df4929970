// The storefront API as JSON, without a socket.

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

#include "api/gateway/embedded.h"
#include "api/gateway/http_api.h"
#include "api/gateway/json_codec.h"
#include "api/gateway/open_api.h"
#include "tests/api/gateway_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Api {
  explicit Api(ShopFiles shop = {}) : api(Parts(), std::move(shop)) {}

  GatewayParts Parts() {
    GatewayParts parts;
    parts.storefront = &storefront;
    parts.ready = [this] { return ready; };
    parts.metrics = [](const std::string& key) -> absl::StatusOr<std::string> {
      if (key == "wrong") return absl::UnauthenticatedError("the API key does not open this call");
      return absl::StrCat("vitrine_up 1 # ", key, "\n");
    };
    parts.hosts = [](const std::string& site) {
      return site.empty() || site == "gifts" ? std::vector<std::string>{"shop.example"}
                                             : std::vector<std::string>{};
    };
    return parts;
  }

  HttpReply Ask(const std::string& method, const std::string& target, const std::string& body = "",
                const HttpFields& headers = {}) {
    HttpRequest request = {method, target, headers, body};
    request.headers.emplace_back("Host", "gateway:9092");
    return api.Handle(request);
  }
  // Of a reply that must be an error.
  Json Error(const std::string& method, const std::string& target, int status,
             const std::string& body = "", const HttpFields& headers = {}) {
    const HttpReply reply = Ask(method, target, body, headers);
    EXPECT_EQ(reply.status, status) << target << " " << reply.body;
    const Json json = Json::parse(reply.body);
    return json.contains("error") ? json["error"] : Json::object();
  }

  RememberingStorefront storefront;
  absl::Status ready;
  HttpApi api;
};

std::string HeaderOf(const HttpReply& reply, const std::string& name) {
  for (const auto& [known, value] : reply.headers) {
    if (known == name) return value;
  }
  return "";
}

TEST(GatewayApi, TakesEventsByTheNamesOfTheIdl) {
  Api api;
  const HttpReply reply = api.Ask("POST", "/v1/events", R"({"site":"gifts","visitor_id":"v1",
    "channel":"app","events":[{"id":"e1","time_ms":5,"kind":"view_item","recommendation_id":"r-7",
      "items":[{"product_id":"22423","quantity":2,"price_minor":1250}]},{"id":"e2","kind":5}]})");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["accepted"], 2);
  EXPECT_EQ(Json::parse(reply.body)["acknowledged"], "durable");
  const TrackRequest& tracked = api.storefront.tracked;
  EXPECT_EQ(tracked.context.site, "gifts");
  EXPECT_EQ(tracked.context.visitor_id, "v1");
  EXPECT_EQ(tracked.context.channel, Channel::APP);
  ASSERT_EQ(tracked.events.size(), 2u);
  EXPECT_EQ(tracked.events[0].kind, EventKind::VIEW_ITEM);
  EXPECT_EQ(tracked.events[0].recommendation_id, "r-7");
  EXPECT_EQ(tracked.events[0].items[0].quantity, 2);
  EXPECT_EQ(tracked.events[0].items[0].price_minor, 1250);
  EXPECT_EQ(tracked.events[1].kind, EventKind::SEARCH);
}

TEST(GatewayApi, AsksTheSameByQueryAndByBody) {
  Api api;
  ASSERT_EQ(api.Ask("GET",
                    "/v1/recommendations?site=gifts&placement=cart&k=3&visitor_id=v%201&cart=a,b"
                    "&exclude_seen=false&device=mobile&deadline_ms=50")
                .status,
            200);
  const RecommendRequest by_query = api.storefront.recommended;
  ASSERT_EQ(api.Ask("POST", "/v1/recommendations",
                    R"({"context":{"site":"gifts","visitor_id":"v 1","device":"mobile"},
                        "deadline_ms":50,"placement":"cart","k":3,"page":{"cart":["a","b"]},
                        "exclude_seen":false})")
                .status,
            200);
  EXPECT_EQ(by_query, api.storefront.recommended);
  EXPECT_EQ(by_query.k, 3);
  EXPECT_THAT(by_query.page.cart, ElementsAre("a", "b"));

  ASSERT_EQ(api.Ask("GET", "/v1/page?site=gifts&shelves=home:6,trending&product_id=p").status, 200);
  const PageRequest page = api.storefront.paged;
  ASSERT_EQ(api.Ask("POST", "/v1/page", R"({"site":"gifts","product_id":"p","shelves":
                    [{"placement":"home","k":6},{"placement":"trending"}]})")
                .status,
            200);
  EXPECT_EQ(page, api.storefront.paged);
  EXPECT_EQ(page.shelves[0].k, 6);
}

TEST(GatewayApi, TellsTheArmsOfAShelfWithTheirParameters) {
  const std::string text =
      R"({"experiment":"few","arm":"b","parameters":{"colour":"blue","n":"3"},"forced":false})";
  JsonTree tree;
  ASSERT_OK(tree.Parse(text));
  ShownArm arm;
  ASSERT_OK(ReadJson(tree.root(), "ShownArm", &arm));
  EXPECT_EQ(arm.parameters, (std::map<std::string, std::string>{{"colour", "blue"}, {"n", "3"}}));
  EXPECT_EQ(ToJson(arm, "ShownArm").dump(), text);
  arm.parameters.clear();
  EXPECT_EQ(ToJson(arm, "ShownArm")["parameters"], nlohmann::ordered_json::object());
  ASSERT_OK(tree.Parse(R"({"parameters": ["blue"]})"));
  EXPECT_EQ(ReadJson(tree.root(), "ShownArm", &arm),
            absl::InvalidArgumentError("parameters: is no object"));
}

TEST(GatewayApi, RepliesByTheNamesOfTheIdl) {
  Api api;
  const HttpReply reply = api.Ask("GET", "/v1/recommendations?site=gifts");
  EXPECT_EQ(reply.content_type, "application/json");
  const Json json = Json::parse(reply.body);
  EXPECT_EQ(json["request_id"], "r1");
  EXPECT_EQ(json["title"], "برای شما");
  EXPECT_EQ(json["suggestions"][0]["source"], "taste");
  EXPECT_EQ(json["suggestions"][0]["price_minor"], 1250);
  EXPECT_FALSE(json["suggestions"][0].contains("currency"));
  EXPECT_EQ(json["degraded"], false);
}

TEST(GatewayApi, NamesTheFieldThatIsWrong) {
  Api api;
  const std::string events = "/v1/events";
  const auto field = [&](const std::string& body) {
    return api.Error("POST", events, 400, body).value("field", "");
  };
  EXPECT_EQ(field(R"({"site":"s","evnts":[]})"), "evnts");
  EXPECT_EQ(field(R"({"site":"s","events":[{"id":"1"},{"id":"2","knd":1}]})"), "events[1].knd");
  EXPECT_EQ(field(R"({"site":"s","events":[{"kind":"view"}]})"), "events[0].kind");
  EXPECT_EQ(field(R"({"site":"s","events":[{"kind":99}]})"), "events[0].kind");
  EXPECT_EQ(field(R"({"site":"s","events":[{"items":[{"quantity":1.5}]}]})"),
            "events[0].items[0].quantity");
  EXPECT_EQ(field(R"({"site":"s","events":[{"items":[{"quantity":"2"}]}]})"),
            "events[0].items[0].quantity");
  EXPECT_EQ(field(R"({"site":7})"), "context.site");
  EXPECT_EQ(field(R"({"site":"s","site":"t"})"), "site");
  EXPECT_EQ(field(R"({"site":"s","context":{"site":"t"}})"), "context.site");
  EXPECT_EQ(field(R"({"site":"s","personalize":"no"})"), "context.personalize");
  EXPECT_EQ(field("[]"), "");
  EXPECT_EQ(field("{"), "");
  EXPECT_EQ(api.Error("GET", "/v1/recommendations?site=s&kk=2", 400)["field"], "kk");
  EXPECT_EQ(api.Error("GET", "/v1/recommendations?site=s&k=two", 400)["field"], "k");
  EXPECT_EQ(api.Error("GET", "/v1/recommendations?site=s&k=1&k=2", 400)["field"], "k");
  EXPECT_EQ(api.Error("GET", "/v1/page?site=s&shelves=home:x", 400)["field"], "shelves");
  EXPECT_EQ(api.Error("GET", "/v1/recommendations?site=%ff", 400)["code"], "invalid_request");
  EXPECT_EQ(api.Error("POST", "/v1/events?format=xml&site=s", 400, "{}")["field"], "format");
  EXPECT_EQ(api.Error("POST", "/v1/events?site=t", 400, R"({"site":"s"})")["field"], "site");
  EXPECT_EQ(api.storefront.track_calls, 0);
}

TEST(GatewayApi, HoldsBodiesToTheLimitsOfTheWire) {
  Api api;
  std::string list = "[";
  for (int i = 0; i <= limits::kWireContainerMax; ++i)
    absl::StrAppend(&list, i ? "," : "", "\"p\"");
  const Json error = api.Error("POST", "/v1/recommendations", 400,
                               absl::StrCat(R"({"site":"s","cart":)", list, "]}"));
  EXPECT_EQ(error["field"], "page.cart");
  EXPECT_EQ(api.Error("POST", "/v1/recommendations", 400,
                      absl::StrCat(R"({"site":")", std::string(70'000, 'a'), "\"}"))["field"],
            "context.site");
  const std::string deep(100'000, '[');
  EXPECT_EQ(api.Error("POST", "/v1/events", 400, absl::StrCat(R"({"events":)", deep))["code"],
            "invalid_request");
}

TEST(GatewayApi, EveryErrorHasItsStatus) {
  Api api;
  const auto code = [&](const std::string& site, int status) {
    return api.Error("GET", "/v1/recommendations?site=" + site, status)["code"];
  };
  EXPECT_EQ(code("invalid", 400), "invalid_request");
  EXPECT_EQ(api.Error("GET", "/v1/recommendations?site=invalid", 400)["field"], "k");
  EXPECT_EQ(code("unauthorized", 401), "unauthorized");
  EXPECT_EQ(code("unknown", 404), "not_found");
  EXPECT_EQ(code("overloaded", 429), "overloaded");
  EXPECT_EQ(code("unavailable", 503), "unavailable");
  EXPECT_EQ(code("late", 504), "deadline_exceeded");
  EXPECT_EQ(code("internal", 500), "internal_error");
  EXPECT_EQ(code("bad_alloc", 500), "internal_error");
  EXPECT_EQ(HeaderOf(api.Ask("GET", "/v1/recommendations?site=overloaded"), "Retry-After"), "2");
  EXPECT_EQ(api.Error("GET", "/v1/nothing", 404)["code"], "not_found");
  EXPECT_EQ(api.Error("DELETE", "/v1/page", 405)["code"], "method_not_allowed");
  EXPECT_EQ(HeaderOf(api.Ask("PUT", "/v1/page"), "Allow"), "GET, POST, OPTIONS");
  EXPECT_EQ(api.Error("GET", "http://elsewhere/v1/page", 400)["code"], "invalid_request");
  EXPECT_EQ(api.Error("POST", "/v1/events", 415, "{}", {{"Content-Type", "text/xml"}})["code"],
            "unsupported_media_type");
  EXPECT_EQ(api.Ask("POST", "/v1/events", R"({"site":"s","events":[]})",
                    {{"content-type", "text/plain;charset=UTF-8"}})
                .status,
            200);
}

TEST(GatewayApi, TakesTheKeyFromWhereverItIs) {
  Api api;
  const auto key = [&](const std::string& query, const HttpFields& headers) {
    api.Ask("GET", "/v1/recommendations?site=s" + query, "", headers);
    return api.storefront.recommended.context.api_key;
  };
  EXPECT_EQ(key("", {{"Authorization", "Bearer k1"}}), "k1");
  EXPECT_EQ(key("", {{"authorization", "bearer  k1 "}}), "k1");
  EXPECT_EQ(key("", {{"X-Api-Key", "k2"}}), "k2");
  EXPECT_EQ(key("&key=k3", {}), "k3");
  EXPECT_EQ(key("&key=k3", {{"Authorization", "Basic abc"}}), "k3");
  EXPECT_EQ(key("", {}), "");
}

TEST(GatewayApi, TheTimeThatARequestWaitedIsOffItsDeadline) {
  Api api;
  const HttpRequest request = {"GET", "/v1/recommendations?site=s&deadline_ms=50", {}, ""};
  EXPECT_EQ(api.api.Handle(request, 20).status, 200);
  EXPECT_EQ(api.storefront.recommended.context.deadline_ms, 30);
  EXPECT_EQ(api.api.Handle(request, 50).status, 504);
}

TEST(GatewayApi, AnswersThePagesOfTheSiteAndNoOthers) {
  Api api;
  const std::string shelf = "/v1/recommendations?site=gifts";
  const auto allowed = [&](const std::string& origin, const std::string& target) {
    return HeaderOf(api.Ask("GET", target, "", {{"Origin", origin}}),
                    "Access-Control-Allow-Origin");
  };
  EXPECT_EQ(allowed("https://shop.example", shelf), "https://shop.example");
  EXPECT_EQ(allowed("https://www.shop.example:8443", shelf), "https://www.shop.example:8443");
  EXPECT_EQ(allowed("http://gateway:9092", shelf), "http://gateway:9092");  // its own
  EXPECT_EQ(allowed("https://notshop.example", shelf), "");
  EXPECT_EQ(allowed("https://shop.example.evil.example", shelf), "");
  EXPECT_EQ(allowed("null", shelf), "");
  EXPECT_EQ(allowed("https://shop.example", "/v1/recommendations?site=other"), "");
  // What a strange page sends is not done either: a beacon does not wait for leave.
  const int before = api.storefront.track_calls;
  EXPECT_EQ(api.Error("POST", "/v1/events", 401, R"({"site":"gifts","events":[{"id":"1"}]})",
                      {{"Origin", "https://evil.example"}})["code"],
            "unauthorized");
  EXPECT_EQ(api.storefront.track_calls, before);
}

TEST(GatewayApi, AnswersPreflights) {
  Api api;
  const HttpReply reply = api.Ask("OPTIONS", "/v1/page", "", {{"Origin", "https://shop.example"}});
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(HeaderOf(reply, "Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(HeaderOf(reply, "Access-Control-Allow-Methods"), "GET, POST");
  EXPECT_THAT(HeaderOf(reply, "Access-Control-Allow-Headers"), HasSubstr("Authorization"));
  const HttpReply strange = api.Ask("OPTIONS", "/v1/page", "", {{"Origin", "https://x.example"}});
  EXPECT_EQ(HeaderOf(strange, "Access-Control-Allow-Methods"), "");
}

TEST(GatewayApi, ABrowserSaysWhichOneItIs) {
  Api api;
  const std::string body = R"({"site":"gifts","events":[{"id":"1","kind":"search"}]})";
  api.Ask("POST", "/v1/events", body, {{"Origin", "https://shop.example"}, {"User-Agent", "B/1"}});
  EXPECT_EQ(api.storefront.tracked.events[0].user_agent, "B/1");
  api.Ask("POST", "/v1/events", body, {{"Origin", "https://shop.example"}, {"User-Agent", "\xff"}});
  EXPECT_FALSE(api.storefront.tracked.events[0].__isset.user_agent);
  // A server that passes events on is not the visitor.
  api.Ask("POST", "/v1/events", body, {{"User-Agent", "curl/8"}});
  EXPECT_FALSE(api.storefront.tracked.events[0].__isset.user_agent);
}

TEST(GatewayApi, TakesBodiesOfGa4) {
  Api api;
  const HttpReply reply = api.Ask("POST", "/v1/events?site=gifts&format=ga4&key=k",
                                  R"({"client_id":"v1","events":[
          {"name":"scroll"},
          {"name":"view_item","params":{"currency":"EUR","items":[{"item_id":"p1","price":12.5}]}},
          {"name":"purchase","params":{"items":[{"item_id":"p1","quantity":0}]}},
          {"name":"add_to_cart","params":{"items":[{"item_id":"p2"}]}}]})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json json = Json::parse(reply.body);
  EXPECT_EQ(json["accepted"], 2);
  EXPECT_EQ(json["ignored"], 1);
  EXPECT_EQ(json["rejects"][0]["index"], 2);
  const TrackRequest& tracked = api.storefront.tracked;
  EXPECT_EQ(tracked.context.site, "gifts");
  EXPECT_EQ(tracked.context.api_key, "k");
  ASSERT_EQ(tracked.events.size(), 2u);
  EXPECT_EQ(tracked.events[0].visitor_id, "v1");
  EXPECT_EQ(tracked.events[0].kind, EventKind::VIEW_ITEM);
  EXPECT_EQ(tracked.events[0].items[0].price_minor, 1250);
  EXPECT_FALSE(tracked.events[0].id.empty());
  // It did not say when; it came now.
  EXPECT_NEAR(static_cast<double>(tracked.events[0].time_ms),
              static_cast<double>(Clock::System().NowMs()), 60'000);
}

TEST(GatewayApi, TakesMessagesOfSegment) {
  Api api;
  const std::string body = R"({"batch":[{"type":"track","messageId":"m1","anonymousId":"v1",
      "event":"Product Viewed","properties":{"product_id":"p1"}},
      {"type":"identify","messageId":"m2","anonymousId":"v1","userId":"c1","traits":{"name":"N"}}]})";
  const HttpReply reply = api.Ask("POST", "/v1/events?site=gifts&format=segment", body);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(Json::parse(reply.body)["accepted"], 2);
  ASSERT_EQ(api.storefront.tracked.events.size(), 2u);
  EXPECT_EQ(api.storefront.tracked.events[0].id, "m1");
  EXPECT_EQ(api.storefront.tracked.events[1].kind, EventKind::LOGIN);
  EXPECT_EQ(api.Error("POST", "/v1/events?site=gifts&format=segment", 400, "[1")["code"],
            "invalid_request");
  EXPECT_EQ(api.Ask("POST", "/v1/events?site=gifts&format=segment", "{}").status, 200);
}

TEST(GatewayApi, CutsALongBodyOfOthersIntoCalls) {
  Api api;
  std::string batch;
  for (int i = 0; i < 1200; ++i) {
    absl::StrAppend(&batch, i ? "," : "", R"({"type":"page","anonymousId":"v","messageId":"m)", i,
                    "\"}");
  }
  const HttpReply reply = api.Ask("POST", "/v1/events?site=gifts&format=segment",
                                  absl::StrCat(R"({"batch":[)", batch, "]}"));
  EXPECT_EQ(Json::parse(reply.body)["accepted"], 1200) << reply.body;
  EXPECT_EQ(api.storefront.track_calls, 3);
}

// Slow twin: field by field what Thrift itself prints of both.
TEST(GatewayJson, GoesThereAndBackUnchanged) {
  TrackRequest request;
  request.context.site = "s";
  request.context.__set_customer_id("مشتری \"1\"");
  request.context.__set_sent_ms(1234567890123);
  request.context.personalize = false;
  request.context.language = "fa";
  request.acknowledge = Acknowledge::APPLIED;
  Event event;
  event.id = "e";
  event.time_ms = -1;
  event.kind = EventKind::CONSENT;
  event.consent.channel = Channel::SMS;
  event.consent.granted = true;
  event.__isset.consent = true;
  Item item;
  item.product_id = "p\n";
  item.__set_price_minor(int64_t{1} << 60);
  event.__set_items({item, item});
  Event bare;
  bare.kind = EventKind::SEARCH;
  request.events = {event, bare};
  JsonTree tree;
  ASSERT_TRUE(tree.Parse(ToJson(request, "TrackRequest").dump()).ok());
  TrackRequest again;
  ASSERT_TRUE(ReadJson(tree.root(), "TrackRequest", &again).ok());
  std::ostringstream before, after;
  before << request;
  after << again;
  EXPECT_EQ(before.str(), after.str());
  EXPECT_EQ(request, again);
}

TEST(GatewayApi, TellsHowItIs) {
  Api api;
  EXPECT_EQ(api.Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(api.Ask("GET", "/readyz").status, 200);
  api.ready = absl::UnavailableError("draining");
  EXPECT_EQ(api.Error("GET", "/readyz", 503)["message"], "draining");
  EXPECT_EQ(api.Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(api.Ask("GET", "/metrics").body, "vitrine_up 1 # \n");
  EXPECT_EQ(api.Ask("GET", "/metrics?key=k").body, "vitrine_up 1 # k\n");
  EXPECT_EQ(api.Ask("GET", "/metrics?key=wrong").status, 401);
  EXPECT_EQ(HttpApi(GatewayParts{}, {}).Handle({"GET", "/metrics", {}, ""}).status, 404);
}

TEST(GatewayApi, DescribesExactlyTheRoutesThatThereAre) {
  const Json description = Json::parse(Api().Ask("GET", "/openapi.json").body);
  std::vector<std::string> described, there;
  for (const auto& [path, methods] : description["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      described.push_back(absl::StrCat(method, " ", path));
      EXPECT_TRUE(operation.contains("responses")) << path;
    }
  }
  for (const HttpRoute& route : HttpApi::Routes()) {
    for (const absl::string_view method : absl::StrSplit(route.methods, ' ')) {
      there.push_back(absl::StrCat(absl::AsciiStrToLower(method), " ", route.path));
    }
  }
  EXPECT_THAT(described, ::testing::UnorderedElementsAreArray(there));
}

// Every reference leads somewhere, and every parameter and example is one that is taken.
TEST(GatewayApi, DescribesWhatItTakes) {
  Api api;
  const Json description = Json::parse(OpenApiText());
  const std::function<void(const Json&)> follow = [&](const Json& value) {
    if (value.is_object() && value.contains("$ref")) {
      const std::string reference = value["$ref"];
      EXPECT_TRUE(description.contains(Json::json_pointer(reference.substr(1)))) << reference;
    }
    for (const Json& child : value) {
      if (child.is_structured()) follow(child);
    }
  };
  follow(description);
  for (const auto& [path, methods] : description["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      const std::string upper = absl::AsciiStrToUpper(method);
      std::string target = path + "?";
      for (const Json& parameter : operation.value("parameters", Json::array())) {
        const std::string name = parameter["name"];
        const std::string value = parameter.contains("example") ? parameter["example"] : "1";
        if (upper == "GET") absl::StrAppend(&target, name, "=", value, "&");
      }
      const Json::json_pointer example("/requestBody/content/application~1json/example");
      const std::string body = operation.contains(example) ? operation[example].dump() : "";
      EXPECT_EQ(api.Ask(upper, target, body).status, 200) << upper << " " << target;
    }
  }
  EXPECT_EQ(description["components"]["schemas"]["Item"]["properties"]["quantity"]["default"], 1);
}

TEST(GatewayApi, TheTrackerIsSmall) {
  const HttpReply reply = Api().Ask("GET", "/vitrine.js");
  EXPECT_EQ(reply.status, 200);
  EXPECT_LE(reply.body.size(), 3072u);
  EXPECT_THAT(reply.body, HasSubstr("sendBeacon"));
}

TEST(GatewayApi, ServesTheFilesOfTheShopAndNothingBesideThem) {
  testing::TempDir dir;
  std::filesystem::create_directories(dir.File("shop/pictures"));
  std::ofstream(dir.File("shop/index.html")) << "<p>shop";
  std::ofstream(dir.File("shop/pictures/a.svg")) << "<svg/>";
  std::ofstream(dir.File("secret")) << "secret";
  std::filesystem::create_symlink(dir.File("secret"), dir.File("shop/link"));
  absl::StatusOr<ShopFiles> files = ShopFiles::Read(dir.File("shop"));
  ASSERT_TRUE(files.ok()) << files.status();
  Api api(*std::move(files));
  EXPECT_EQ(api.Ask("GET", "/").body, "<p>shop");
  EXPECT_EQ(api.Ask("GET", "/?lang=fa").body, "<p>shop");
  EXPECT_EQ(api.Ask("GET", "/shop/pictures/a.svg").content_type, "image/svg+xml");
  EXPECT_EQ(api.Ask("HEAD", "/shop/index.html").status, 200);
  for (const char* path :
       {"/shop/../secret", "/shop/%2e%2e/secret", "/shop/..%2fsecret", "/secret", "/shop//secret",
        "/shop/link", "/shop/pictures", "/shop/pictures/../../secret"}) {
    EXPECT_EQ(api.Ask("GET", path).status, 404) << path;
  }
  EXPECT_EQ(api.Ask("POST", "/").status, 405);
  EXPECT_EQ(Api().Ask("GET", "/").status, 404);
  EXPECT_EQ(ShopFiles::Read(dir.File("nothing")).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace vitrine
