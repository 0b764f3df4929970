#include "ingest/log_mapper.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "ingest/percent.h"
#include "ingest/reasons.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

using F = LogField;

constexpr size_t kExtensionBytesMax = 16;
constexpr int kNotModified = 304;

bool IsRedirect(int status) { return status >= 300 && status < 400 && status != kNotModified; }

std::string AsUtf8(absl::string_view text) {
  std::string safe;
  AppendAsUtf8(text, &safe);
  return safe;
}

// The host as origins name it: small letters, without the port that goes without saying.
std::string NormalHost(absl::string_view host) {
  if (!absl::ConsumeSuffix(&host, ":443")) absl::ConsumeSuffix(&host, ":80");
  return absl::AsciiStrToLower(AsUtf8(host));
}

}  // namespace

LogMapper::LogMapper(const AccessLogMapping& mapping, UrlRules rules, TrustedProxies proxies)
    : mapping_(&mapping),
      rules_(std::move(rules)),
      proxies_(std::move(proxies)),
      assets_(mapping.assets.begin(), mapping.assets.end()),
      health_checks_(mapping.health_checks.begin(), mapping.health_checks.end()) {}

absl::StatusOr<LogMapper> LogMapper::Create(const AccessLogMapping& mapping) {
  ASSIGN_OR_RETURN(UrlRules rules, UrlRules::Compile(mapping.urls));
  ASSIGN_OR_RETURN(TrustedProxies proxies, TrustedProxies::Create(mapping.trusted_proxies));
  return LogMapper(mapping, std::move(rules), std::move(proxies));
}

absl::StatusOr<bool> LogMapper::Map(const LogRecord& record, Event* event,
                                    absl::string_view* ignored) {
  *ignored = Judge(record);
  if (!ignored->empty()) return false;
  *event = Event();
  event->time_ms = record.time_ms;
  event->kind = EventKind::PAGE_VIEW;
  event->channel = mapping_->channel;
  MapPerson(record, event);
  MapPage(record, event);
  if (rule_ == UrlRules::kNone) return true;
  const UrlRule& rule = mapping_->urls[static_cast<size_t>(rule_)];
  event->kind = rule.kind;
  event->channel = rule.channel.value_or(mapping_->channel);
  RETURN_IF_ERROR(MapParts(event));
  return true;
}

absl::string_view LogMapper::Judge(const LogRecord& record) {
  rule_ = UrlRules::kNone;
  const absl::string_view path = record[F::kTarget];
  const absl::string_view method = record[F::kMethod];
  const int status = record.status;
  const absl::string_view error = status >= 500   ? "server_error"
                                  : status >= 400 ? "client_error"
                                                  : "";
  if (method.empty()) return error.empty() ? "not_http" : error;
  if (IsOtherHost(record[F::kHost])) return "other_host";
  if (IsHealthCheck(record)) return "health_check";
  if (path == "/robots.txt" && method == "GET") return "";
  if (!error.empty()) return error;
  if (status < 200) return status < 100 ? "no_response" : "informational";
  if (IsAsset(path)) return "asset";
  if (!mapping_->urls.empty()) {
    rule_ = rules_.Find(method, path, record[F::kQuery], &parts_);
    if (rule_ != UrlRules::kNone) return JudgeRule(record);
  }
  if (method != "GET") return "method";
  if (IsRedirect(status)) return "redirect";
  const absl::string_view type = record[F::kContentType];
  if (!type.empty() && !absl::StrContains(type, "html")) return "not_a_page";
  return "";
}

absl::string_view LogMapper::JudgeRule(const LogRecord& record) const {
  const UrlRule& rule = mapping_->urls[static_cast<size_t>(rule_)];
  if (!rule.ignore.empty()) return rule.ignore;
  return IsRedirect(record.status) && !IsAction(rule.kind) ? "redirect" : "";
}

bool LogMapper::IsHealthCheck(const LogRecord& record) const {
  if (health_checks_.contains(record[F::kTarget])) return true;
  const absl::string_view agent = record[F::kUserAgent];
  return std::any_of(mapping_->health_check_agents.begin(), mapping_->health_check_agents.end(),
                     [&](const std::string& start) { return absl::StartsWith(agent, start); });
}

bool LogMapper::IsAsset(absl::string_view path) const {
  const size_t dot = path.rfind('.');
  if (dot == absl::string_view::npos) return false;
  const absl::string_view extension = path.substr(dot + 1);
  if (extension.size() > kExtensionBytesMax) return false;
  std::array<char, kExtensionBytesMax> lower;
  std::transform(extension.begin(), extension.end(), lower.begin(), absl::ascii_tolower);
  return assets_.contains(absl::string_view(lower.data(), extension.size()));
}

bool LogMapper::IsOtherHost(absl::string_view host) const {
  if (mapping_->hosts.empty() || host.empty()) return false;
  const std::string normal = NormalHost(host);
  return std::find(mapping_->hosts.begin(), mapping_->hosts.end(), normal) == mapping_->hosts.end();
}

void LogMapper::MapPerson(const LogRecord& record, Event* event) const {
  absl::string_view address = record[F::kAddress];
  if (mapping_->forwarded != AccessLogMapping::Forwarded::kNobody) {
    const bool real_ip = mapping_->forwarded == AccessLogMapping::Forwarded::kRealIp;
    address = proxies_.ClientOf(address, record[real_ip ? F::kRealIp : F::kForwardedFor]);
  }
  const absl::string_view customer =
      record[F::kCustomer].empty() ? record[F::kUser] : record[F::kCustomer];
  if (!customer.empty()) event->__set_customer_id(AsUtf8(customer));
  const absl::string_view cookie = VisitorCookie(record);
  if (!cookie.empty()) {
    event->__set_visitor_id(AsUtf8(cookie));
  } else if (!address.empty()) {
    event->__set_visitor_id(VisitorIdOf(address, record[F::kUserAgent]));
  }
  std::string kept = KeptAddress(address, mapping_->ip);
  if (!kept.empty()) event->__set_ip(AsUtf8(kept));
}

absl::string_view LogMapper::VisitorCookie(const LogRecord& record) const {
  if (!record[F::kVisitor].empty()) return record[F::kVisitor];
  absl::string_view name = mapping_->log.visitor;
  if (record[F::kCookies].empty() || !absl::ConsumePrefix(&name, "cookie_")) return {};
  // IIS writes + for the blank between two cookies.
  for (absl::string_view cookie : absl::StrSplit(record[F::kCookies], ';')) {
    while (!cookie.empty() && (cookie.front() == ' ' || cookie.front() == '+')) {
      cookie.remove_prefix(1);
    }
    if (absl::ConsumePrefix(&cookie, name) && absl::ConsumePrefix(&cookie, "=")) return cookie;
  }
  return {};
}

void LogMapper::MapPage(const LogRecord& record, Event* event) const {
  std::string url = mapping_->origin;
  const absl::string_view host = record[F::kHost];
  if (url.empty() && !host.empty()) {
    const absl::string_view scheme = record[F::kScheme];
    url = absl::StrCat(scheme == "http" || scheme == "https" ? scheme : "https", "://",
                       NormalHost(host));
  }
  AppendAsUtf8(record[F::kTarget], &url);
  if (!record[F::kQuery].empty()) {
    url.push_back('?');
    AppendAsUtf8(record[F::kQuery], &url);
  }
  event->__set_url(std::move(url));
  if (!record[F::kReferrer].empty()) event->__set_referrer(AsUtf8(record[F::kReferrer]));
  if (!record[F::kUserAgent].empty()) event->__set_user_agent(AsUtf8(record[F::kUserAgent]));
}

// What was captured may be in the encoding of an old form.
std::string LogMapper::Part(UrlPart part) const {
  return AsUtf8(parts_[static_cast<size_t>(part)]);
}

absl::Status LogMapper::MapParts(Event* event) const {
  const std::string customer = Part(UrlPart::kCustomer);
  if (!customer.empty()) event->__set_customer_id(customer);
  const std::string terms = Part(UrlPart::kQuery);
  if (!terms.empty()) event->__set_search_terms(terms);
  if (const std::string order = Part(UrlPart::kOrder); !order.empty()) {
    event->__set_order_id(order);
    if (event->kind == EventKind::PURCHASE) event->id = absl::StrCat("order/", order);
  }
  std::string product = Part(UrlPart::kId);
  if (product.empty()) return absl::OkStatus();
  event->__isset.items = true;
  Item& item = event->items.emplace_back();
  item.product_id = std::move(product);
  const std::string name = Part(UrlPart::kName);
  if (!name.empty()) item.__set_name(name);
  const std::string category = Part(UrlPart::kCategory);
  if (!category.empty()) item.__set_category(category);
  if (const std::string quantity = Part(UrlPart::kQuantity);
      !quantity.empty() && !absl::SimpleAtoi(quantity, &item.quantity)) {
    return Fault(reasons::kBadQuantity, Shown(quantity), " is no whole number");
  }
  return absl::OkStatus();
}

}  // namespace vitrine
