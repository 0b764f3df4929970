#include "ingest/access_log_mapping.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

#include "ingest/mapping_keys.h"
#include "ingest/toml_table.h"

namespace vitrine {
namespace {

void ReadList(TomlTable* table, absl::string_view key, std::vector<std::string>* list) {
  if (table->Has(key)) *list = table->Strings(key);
}

void ReadPrivacy(TomlTable* table, AccessLogMapping* mapping) {
  constexpr std::pair<absl::string_view, IpPrivacy> kNames[] = {
      {"full", IpPrivacy::kFull},
      {"truncated", IpPrivacy::kTruncated},
      {"hashed", IpPrivacy::kHashed},
      {"none", IpPrivacy::kNone}};
  if (!table->Has("ip")) return;
  const std::string wanted = table->String("ip");
  for (const auto& [name, privacy] : kNames) {
    if (wanted != name) continue;
    mapping->ip = privacy;
    return;
  }
  table->FailAt("ip", "must be full, truncated, hashed or none");
}

void ReadProxies(TomlTable* table, AccessLogMapping* mapping) {
  const std::string header = table->String("forwarded");
  mapping->trusted_proxies = table->Strings("trusted_proxies");
  if (header == "x_forwarded_for") {
    mapping->forwarded = AccessLogMapping::Forwarded::kForwardedFor;
  } else if (header == "x_real_ip") {
    mapping->forwarded = AccessLogMapping::Forwarded::kRealIp;
  } else if (!header.empty()) {
    table->FailAt("forwarded", "must be x_forwarded_for or x_real_ip");
  }
  if (header.empty() != mapping->trusted_proxies.empty()) {
    table->FailAt("trusted_proxies", "and forwarded need each other: anybody can send a header");
  }
  if (const auto known = TrustedProxies::Create(mapping->trusted_proxies); !known.ok()) {
    table->FailAt("trusted_proxies", absl::StrCat(": ", known.status().message()));
  }
}

void ReadLogFormat(TomlTable* table, LogFormatOptions* log) {
  if (table->Has("log_format")) log->format = table->String("log_format");
  log->visitor = table->String("visitor");
  log->customer = table->String("customer");
  TomlTable names = table->Table("names");
  for (const std::string& key : names.Keys()) log->names[key] = names.String(key);
  if (const absl::Status known = CheckLogFormat(*log); !known.ok()) {
    table->FailAt("log_format", absl::StrCat("is not good: ", known.message()));
  }
}

UrlRule ReadUrlRule(TomlTable table) {
  UrlRule rule;
  rule.match = table.Strings("match");
  rule.regex = table.String("regex");
  ReadList(&table, "method", &rule.methods);
  rule.kind = ReadKind(&table, rule.kind);
  rule.ignore = table.String("ignore");
  if (table.Has("channel")) rule.channel = ReadChannel(&table, Channel::WEB);
  if (rule.match.empty() == rule.regex.empty()) {
    table.FailAt("match", "or regex is needed, and not both");
  }
  if (table.Has("kind") == table.Has("ignore")) {
    table.FailAt("kind", "or ignore is needed, and not both");
  }
  if (table.Has("ignore") && !IsIgnoreReason(rule.ignore)) {
    table.FailAt("ignore", "is a reason in small letters, digits and underscores");
  }
  if (const auto known = UrlRules::Compile({rule}); !known.ok()) {
    table.FailAt(rule.regex.empty() ? "match" : "regex", known.status().message());
  }
  table.RefuseOthers();
  return rule;
}

}  // namespace

AccessLogMapping::AccessLogMapping()
    : assets({"css", "js",   "mjs", "map", "jpg",  "jpeg", "png",   "gif", "webp",       "avif",
              "svg", "ico",  "bmp", "tif", "tiff", "woff", "woff2", "ttf", "otf",        "eot",
              "mp4", "webm", "mp3", "ogg", "wav",  "json", "xml",   "txt", "webmanifest"}),
      health_checks(
          {"/healthz", "/health", "/livez", "/readyz", "/ping", "/server-status", "/nginx_status"}),
      health_check_agents({"ELB-HealthChecker", "kube-probe", "GoogleHC"}) {}

void ReadAccessLog(TomlTable* root, AccessLogMapping* mapping) {
  TomlTable table = root->Table("access_log");
  ReadLogFormat(&table, &mapping->log);
  mapping->channel = ReadChannel(&table, mapping->channel);
  mapping->origin = std::string(absl::StripSuffix(table.String("origin"), "/"));
  if (!mapping->origin.empty() && !absl::StrContains(mapping->origin, "://")) {
    table.FailAt("origin", "is scheme and host, like https://shop.example");
  }
  ReadList(&table, "hosts", &mapping->hosts);
  ReadPrivacy(&table, mapping);
  ReadProxies(&table, mapping);
  ReadList(&table, "assets", &mapping->assets);
  for (std::string& extension : mapping->assets) absl::AsciiStrToLower(&extension);
  ReadList(&table, "health_checks", &mapping->health_checks);
  ReadList(&table, "health_check_agents", &mapping->health_check_agents);
  table.RefuseOthers();
  for (TomlTable& rule : root->Tables("url")) {
    mapping->urls.push_back(ReadUrlRule(std::move(rule)));
  }
}

}  // namespace vitrine
