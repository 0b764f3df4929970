#include "api/gateway/http_api.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "spdlog/spdlog.h"

#include "api/gateway/embedded.h"
#include "api/gateway/event_bodies.h"
#include "api/gateway/json_codec.h"
#include "api/gateway/open_api.h"
#include "ingest/reasons.h"
#include "ingest/visit/origin.h"
#include "store/base/limits.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kPreflightSeconds[] = "600";

template <typename Exception>
[[noreturn]] void Throw(absl::string_view message) {
  Exception exception;
  exception.message = std::string(message);
  throw exception;
}

// "events[3].kind: is not known": the field that a message begins with, if it does.
absl::string_view FieldOf(absl::string_view message) {
  const absl::string_view before = message.substr(0, message.find(": "));
  const bool is_name =
      before.size() < message.size() && !before.empty() &&
      std::all_of(before.begin(), before.end(), [](char c) {
        return absl::ascii_islower(c) || absl::ascii_isdigit(c) || absl::StrContains("_.[]", c);
      });
  return is_name ? before : absl::string_view();
}

[[noreturn]] void ThrowInvalid(absl::string_view message, absl::string_view field = "") {
  InvalidRequest invalid;
  invalid.message = std::string(message);
  invalid.field = std::string(field.empty() ? FieldOf(message) : field);
  throw invalid;
}

void ThrowIfNoJson(const absl::Status& parsed) {
  if (!parsed.ok()) {
    ThrowInvalid(absl::StrCat("this is no JSON object: ", ParseFault(parsed.message()).detail));
  }
}

HttpReply JsonReply(const Json& json) {
  HttpReply reply;
  reply.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return reply;
}

HttpReply RetryReply(int status, absl::string_view code, absl::string_view message,
                     int64_t after_ms) {
  HttpReply reply = ErrorReply(status, code, message);
  reply.headers.emplace_back("Retry-After",
                             absl::StrCat(std::max<int64_t>(1, (after_ms + 999) / 1000)));
  return reply;
}

// The reply to a call that throws one of the IDL's exceptions, or anything else.
template <typename Function>
HttpReply Guarded(Function function) {
  try {
    return function();
  } catch (const HttpReply& reply) {
    return reply;
  } catch (const InvalidRequest& e) {
    const absl::string_view field =
        e.field.empty() ? FieldOf(e.message) : absl::string_view(e.field);
    return ErrorReply(400, "invalid_request", e.message, field);
  } catch (const Unauthorized& e) {
    HttpReply reply = ErrorReply(401, "unauthorized", e.message);
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  } catch (const NotFound& e) {
    return ErrorReply(404, "not_found", e.message);
  } catch (const Overloaded& e) {
    return RetryReply(429, "overloaded", e.message, e.retry_after_ms);
  } catch (const Unavailable& e) {
    return RetryReply(503, "unavailable", e.message, 1000);
  } catch (const DeadlineExceeded& e) {
    return ErrorReply(504, "deadline_exceeded", e.message);
  } catch (const InternalError& e) {
    return ErrorReply(500, "internal_error", e.message);
  } catch (const std::exception& e) {
    spdlog::error("http: a handler threw {}", e.what());
  } catch (...) {
    spdlog::error("http: a handler threw something");
  }
  return ErrorReply(500, "internal_error", "internal error");
}

// "a,b" as a list; of shelves, "home,trending:6" as placement and number.
Json ListOf(const Idl::Field& field, absl::string_view text) {
  Json list = Json::array();
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    if (field.type.element->kind != Idl::Type::Kind::kRecord) {
      list.push_back(std::string(part));
      continue;
    }
    const std::vector<absl::string_view> halves = absl::StrSplit(part, absl::MaxSplits(':', 1));
    Json shelf = {{"placement", std::string(halves[0])}};
    int32_t k;
    if (halves.size() == 2) {
      if (!absl::SimpleAtoi(halves[1], &k))
        ThrowInvalid("shelves: is no list like home,trending:6");
      shelf["k"] = k;
    }
    list.push_back(std::move(shelf));
  }
  return list;
}

Json ParameterValue(const Idl::Field& field, const std::string& text) {
  using Kind = Idl::Type::Kind;
  int64_t number;
  switch (field.type.kind) {
    case Kind::kList:
      return ListOf(field, text);
    case Kind::kBool:
      if (text == "true" || text == "1") return true;
      if (text == "false" || text == "0") return false;
      break;
    case Kind::kInt32:
    case Kind::kInt64:
    case Kind::kEnum:
      if (absl::SimpleAtoi(text, &number)) return number;
      break;
    default:
      break;
  }
  return text;  // what it may be is for the IDL to say
}

// The query as the body would say it.
std::string QueryAsJson(const HttpFields& query, const Idl::Record& record) {
  Json json = Json::object();
  for (const auto& [name, value] : query) {
    if (name == "key") continue;
    const Idl::Field* field = record.Find(name);
    for (const char* part : {"Context", "PageFacts"}) {
      if (field == nullptr) field = Idl::Get().record(part).Find(name);
    }
    if (field == nullptr || field->type.kind == Idl::Type::Kind::kRecord) {
      ThrowInvalid(absl::StrCat(name, ": is not known"), name);
    }
    if (json.contains(name)) ThrowInvalid(absl::StrCat(name, ": is there twice"));
    json[name] = ParameterValue(*field, value);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

BodyFormat FormatOf(absl::string_view name) {
  if (name.empty() || name == "vitrine") return BodyFormat::kVitrine;
  if (name == "ga4") return BodyFormat::kGa4;
  if (name == "segment") return BodyFormat::kSegment;
  ThrowInvalid("format: is none of vitrine, ga4 and segment");
}

// sendBeacon sends text/plain, since a browser asks leave for anything else.
void CheckMediaType(const HttpRequest& request) {
  const absl::string_view type = request.Header("Content-Type");
  const absl::string_view media = absl::StripAsciiWhitespace(type.substr(0, type.find(';')));
  if (media.empty() || absl::EqualsIgnoreCase(media, "application/json") ||
      absl::EqualsIgnoreCase(media, "text/plain")) {
    return;
  }
  throw ErrorReply(415, "unsupported_media_type",
                   "bodies are application/json, or text/plain that holds it");
}

void Add(const TrackReply& part, TrackReply* sum) {
  sum->request_id = part.request_id;
  sum->acknowledged = part.acknowledged;
  sum->accepted += part.accepted;
  sum->duplicate += part.duplicate;
  sum->conflicting_duplicate += part.conflicting_duplicate;
  sum->robot += part.robot;
  sum->ignored += part.ignored;
}

}  // namespace

struct HttpApi::Call {
  const HttpRequest& http;
  int64_t waited_ms;
  HttpTarget target;
  HttpFields query;
  std::string site;  // as far as it is known by now

  absl::string_view Parameter(absl::string_view name) const {
    for (const auto& [known, value] : query) {
      if (known == name) return value;
    }
    return "";
  }

  std::string Key() const {
    absl::string_view bearer = http.Header("Authorization");
    if (bearer.size() > 7 && absl::EqualsIgnoreCase(bearer.substr(0, 7), "Bearer ")) {
      return std::string(absl::StripAsciiWhitespace(bearer.substr(7)));
    }
    const absl::string_view header = http.Header("X-Api-Key");
    return std::string(header.empty() ? Parameter("key") : header);
  }
};

struct HttpApi::RouteEntry {
  HttpRoute route;
  Kind kind;
  HttpReply (HttpApi::*handler)(Call*) const;
};

const std::vector<HttpApi::RouteEntry>& HttpApi::RouteTable() {
  static const auto* const table = new std::vector<RouteEntry>{
      {{"/v1/events", "POST"}, Kind::kTrack, &HttpApi::Events},
      {{"/v1/recommendations", "GET POST"}, Kind::kAsk, &HttpApi::Recommendations},
      {{"/v1/page", "GET POST"}, Kind::kAsk, &HttpApi::Page},
      {{"/v1/offers", "GET POST"}, Kind::kAsk, &HttpApi::Offers},
      {{"/healthz", "GET"}, Kind::kAtOnce, &HttpApi::Health},
      {{"/readyz", "GET"}, Kind::kAtOnce, &HttpApi::Ready},
      {{"/metrics", "GET"}, Kind::kAsk, &HttpApi::Metrics},
      {{"/openapi.json", "GET"}, Kind::kAtOnce, &HttpApi::OpenApi},
      {{"/vitrine.js", "GET"}, Kind::kAtOnce, &HttpApi::Script}};
  return *table;
}

const HttpApi::RouteEntry* HttpApi::FindRoute(absl::string_view path) {
  for (const RouteEntry& entry : RouteTable()) {
    if (path == entry.route.path) return &entry;
  }
  return nullptr;
}

std::vector<HttpRoute> HttpApi::Routes() {
  std::vector<HttpRoute> routes;
  for (const RouteEntry& entry : RouteTable()) routes.push_back(entry.route);
  return routes;
}

HttpApi::HttpApi(GatewayParts parts, ShopFiles shop)
    : parts_(std::move(parts)), shop_(std::move(shop)) {
  Idl::Get();  // now, not in the first request
}

HttpApi::Kind HttpApi::KindOf(const HttpRequest& request) {
  const RouteEntry* const entry = FindRoute(SplitTarget(request.target).path);
  if (entry == nullptr || request.method == "OPTIONS") return Kind::kAtOnce;
  return entry->kind;
}

absl::string_view HttpApi::RouteOf(const HttpRequest& request) {
  const RouteEntry* const entry = FindRoute(SplitTarget(request.target).path);
  return entry == nullptr ? "files" : entry->route.path;
}

HttpReply HttpApi::Handle(const HttpRequest& request, int64_t waited_ms) const {
  return Guarded([&] {
    Call call = {request, waited_ms, SplitTarget(request.target), {}, ""};
    call.query = ParseQuery(call.target.query);
    call.site = std::string(call.Parameter("site"));
    const absl::string_view origin = request.Header("Origin");
    HttpReply reply = Guarded([&] { return Dispatch(&call); });
    if (!origin.empty()) reply.headers.emplace_back("Vary", "Origin");
    if (!origin.empty() && OriginMayAsk(call)) {
      reply.headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
      reply.headers.emplace_back("Access-Control-Expose-Headers", "Retry-After");
    }
    return reply;
  });
}

HttpReply HttpApi::Dispatch(Call* call) const {
  const std::string& path = call->target.path;
  const std::string& method = call->http.method;
  if (!absl::StartsWith(path, "/")) {
    return ErrorReply(400, "invalid_request", "the target is no path");
  }
  for (const auto& [name, value] : call->query) {
    if (!IsUtf8(name) || !IsUtf8(value)) ThrowInvalid("the query is not UTF-8 text");
  }
  const RouteEntry* const entry = FindRoute(path);
  const HttpReply* file = nullptr;
  if (entry == nullptr && !shop_.empty()) {
    absl::string_view name = path;
    if (absl::ConsumePrefix(&name, "/shop/") || path == "/")
      file = shop_.Find(path == "/" ? "" : name);
  }
  if (entry == nullptr && file == nullptr)
    return ErrorReply(404, "not_found", "there is no such page");
  const std::string methods = entry == nullptr ? "GET" : entry->route.methods;
  if (method == "OPTIONS") return Preflight(*call, methods);
  const std::vector<absl::string_view> allowed = absl::StrSplit(methods, ' ');
  const absl::string_view effective = method == "HEAD" ? "GET" : absl::string_view(method);
  if (std::find(allowed.begin(), allowed.end(), effective) == allowed.end()) {
    HttpReply reply = ErrorReply(405, "method_not_allowed", absl::StrCat("only ", methods));
    reply.headers.emplace_back("Allow", absl::StrCat(absl::StrJoin(allowed, ", "), ", OPTIONS"));
    return reply;
  }
  return file != nullptr ? *file : (this->*entry->handler)(call);
}

// A preflight has no body that names a site: without one in its query, the hosts of all sites
// count, and the request itself is asked again.
HttpReply HttpApi::Preflight(const Call& call, const std::string& methods) const {
  HttpReply reply;
  reply.status = 204;
  reply.content_type.clear();
  const std::string list = absl::StrReplaceAll(methods, {{" ", ", "}});
  reply.headers.emplace_back("Allow", absl::StrCat(list, ", OPTIONS"));
  if (call.http.Header("Origin").empty() || !OriginMayAsk(call)) return reply;
  reply.headers.emplace_back("Access-Control-Allow-Methods", list);
  reply.headers.emplace_back("Access-Control-Allow-Headers",
                             "Authorization, Content-Type, X-Api-Key");
  reply.headers.emplace_back("Access-Control-Max-Age", kPreflightSeconds);
  return reply;
}

bool HttpApi::OriginMayAsk(const Call& call) const {
  const absl::string_view origin = call.http.Header("Origin");
  const size_t scheme = origin.find("://");
  if (scheme == absl::string_view::npos) return false;  // "null", of a file or a sandbox
  if (absl::EqualsIgnoreCase(origin.substr(scheme + 3), call.http.Header("Host"))) return true;
  if (parts_.hosts == nullptr) return false;
  const std::string host = absl::AsciiStrToLower(HostOf(origin));
  for (const std::string& known : parts_.hosts(call.site)) {
    if (host == known || absl::EndsWith(host, absl::StrCat(".", known))) return true;
  }
  return false;
}

void HttpApi::Complete(const Call& call, Context* context) const {
  if (!call.http.Header("Origin").empty() && !OriginMayAsk(call)) {
    Throw<Unauthorized>(
        absl::StrCat("pages of ", call.http.Header("Origin").substr(0, 256),
                     " may not ask for this site; its hosts setting names those that may"));
  }
  const std::string key = call.Key();
  if (!key.empty()) context->__set_api_key(key);
  if (call.waited_ms >= context->deadline_ms && context->deadline_ms > 0) {
    Throw<DeadlineExceeded>("the deadline passed while the request waited");
  }
  if (context->deadline_ms > 0) context->deadline_ms -= static_cast<int32_t>(call.waited_ms);
}

template <typename Request>
void HttpApi::ReadRequest(Call* call, absl::string_view name, Request* request) const {
  std::string json = call->http.body;
  if (call->http.method == "POST") {
    CheckMediaType(call->http);
  } else {
    json = QueryAsJson(call->query, Idl::Get().record(name));
  }
  JsonTree tree;
  ThrowIfNoJson(tree.Parse(json));
  const absl::Status read = ReadJson(tree.root(), name, request);
  if (!read.ok()) ThrowInvalid(read.message());
  Context& context = request->context;
  if (context.site.empty()) context.site = call->site;
  if (!call->site.empty() && context.site != call->site) {
    ThrowInvalid("site: the query names another one than the body");
  }
  call->site = context.site;
  Complete(*call, &context);
}

HttpReply HttpApi::Recommendations(Call* call) const {
  RecommendRequest request;
  ReadRequest(call, "RecommendRequest", &request);
  RecommendReply reply;
  parts_.storefront->recommend(reply, request);
  return JsonReply(ToJson(reply, "RecommendReply"));
}

HttpReply HttpApi::Page(Call* call) const {
  PageRequest request;
  ReadRequest(call, "PageRequest", &request);
  PageReply reply;
  parts_.storefront->page(reply, request);
  return JsonReply(ToJson(reply, "PageReply"));
}

HttpReply HttpApi::Offers(Call* call) const {
  OffersRequest request;
  ReadRequest(call, "OffersRequest", &request);
  OffersReply reply;
  parts_.storefront->offers(reply, request);
  return JsonReply(ToJson(reply, "OffersReply"));
}

HttpReply HttpApi::Events(Call* call) const {
  TrackRequest request;
  request.context.deadline_ms = limits::kDeadlineMsMax;  // nobody looks at a page until it is there
  if (FormatOf(call->Parameter("format")) != BodyFormat::kVitrine) {
    return ForeignEvents(call, std::move(request));
  }
  ReadRequest(call, "TrackRequest", &request);
  // A browser's word on itself; a server that passes events on is not who did what it tells of.
  const absl::string_view agent = call->http.Header("User-Agent").substr(0, limits::kTextBytesMax);
  if (!call->http.Header("Origin").empty() && !agent.empty() && IsUtf8(agent)) {
    for (Event& event : request.events) {
      if (!event.__isset.user_agent) event.__set_user_agent(std::string(agent));
    }
  }
  TrackReply reply;
  parts_.storefront->track(reply, request);
  return JsonReply(ToJson(reply, "TrackReply"));
}

HttpReply HttpApi::ForeignEvents(Call* call, TrackRequest request) const {
  CheckMediaType(call->http);
  request.context.site = call->site;
  Complete(*call, &request.context);
  absl::StatusOr<EventBody> body =
      ReadEventBody(call->http.body, FormatOf(call->Parameter("format")), parts_.clock->NowMs());
  ThrowIfNoJson(body.status());
  TrackReply sum;
  sum.acknowledged = request.acknowledge;
  sum.rejects = std::move(body->rejects);
  sum.ignored = body->ignored;
  // As many calls as it takes; one that fails leaves those before it done, and sending the body
  // again counts nothing twice.
  for (size_t begin = 0; begin < body->events.size(); begin += limits::kTrackEventsMax) {
    const size_t end = std::min(body->events.size(), begin + limits::kTrackEventsMax);
    const auto first = body->events.begin() + static_cast<std::ptrdiff_t>(begin);
    request.events.assign(
        std::make_move_iterator(first),
        std::make_move_iterator(first + static_cast<std::ptrdiff_t>(end - begin)));
    TrackReply part;
    parts_.storefront->track(part, request);
    Add(part, &sum);
    for (TrackReject& reject : part.rejects) {
      reject.index = body->indexes[begin + static_cast<size_t>(reject.index)];
      sum.rejects.push_back(std::move(reject));
    }
  }
  return JsonReply(ToJson(sum, "TrackReply"));
}

HttpReply HttpApi::Health(Call*) const { return JsonReply({{"status", "ok"}}); }

HttpReply HttpApi::Ready(Call*) const {
  const absl::Status ready = parts_.ready == nullptr ? absl::OkStatus() : parts_.ready();
  if (!ready.ok()) return RetryReply(503, "unavailable", ready.message(), 1000);
  return JsonReply({{"status", "ready"}});
}

HttpReply HttpApi::Metrics(Call* call) const {
  if (parts_.metrics == nullptr) return ErrorReply(404, "not_found", "there are no metrics here");
  absl::StatusOr<std::string> metrics = parts_.metrics(call->Key());
  if (!metrics.ok()) Throw<Unauthorized>(metrics.status().message());
  HttpReply reply;
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = *std::move(metrics);
  return reply;
}

HttpReply HttpApi::OpenApi(Call*) const {
  HttpReply reply;
  reply.body = OpenApiText();
  return reply;
}

HttpReply HttpApi::Script(Call*) const {
  HttpReply reply;
  reply.content_type = "text/javascript; charset=utf-8";
  reply.body = kVitrineJs;
  reply.headers.emplace_back("Cache-Control", "public, max-age=3600");
  reply.headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
  return reply;
}

}  // namespace vitrine
