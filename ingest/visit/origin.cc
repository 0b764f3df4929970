#include "ingest/visit/origin.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "ingest/percent.h"
#include "store/base/limits.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

struct KnownHost {
  absl::string_view name;
  ReferrerClass kind;
};

// A host belongs to the first row whose name it is or lies below; "x.*" stands for x under any
// country's domain. Mail comes before the search engines whose hosts it shares.
constexpr KnownHost kKnownHosts[] = {
    {"mail.google.com", ReferrerClass::MAIL},
    {"com.google.android.gm", ReferrerClass::MAIL},
    {"mail.yahoo.*", ReferrerClass::MAIL},
    {"outlook.live.com", ReferrerClass::MAIL},
    {"outlook.office.com", ReferrerClass::MAIL},
    {"outlook.office365.com", ReferrerClass::MAIL},
    {"com.microsoft.office.outlook", ReferrerClass::MAIL},
    {"mail.aol.com", ReferrerClass::MAIL},
    {"mail.yandex.*", ReferrerClass::MAIL},
    {"e.mail.ru", ReferrerClass::MAIL},
    {"mail.proton.me", ReferrerClass::MAIL},
    {"mail.zoho.com", ReferrerClass::MAIL},
    {"navigator.gmx.net", ReferrerClass::MAIL},
    {"navigator.web.de", ReferrerClass::MAIL},
    {"email.seznam.cz", ReferrerClass::MAIL},
    {"mail.163.com", ReferrerClass::MAIL},
    {"mail.qq.com", ReferrerClass::MAIL},
    {"mail.naver.com", ReferrerClass::MAIL},
    {"plus.google.com", ReferrerClass::SOCIAL},
    {"docs.google.com", ReferrerClass::REFERRAL},
    {"sites.google.com", ReferrerClass::REFERRAL},
    {"groups.google.com", ReferrerClass::REFERRAL},
    {"translate.google.com", ReferrerClass::REFERRAL},
    {"google.*", ReferrerClass::SEARCH_ENGINE},
    {"com.google.android.googlequicksearchbox", ReferrerClass::SEARCH_ENGINE},
    {"bing.com", ReferrerClass::SEARCH_ENGINE},
    {"search.yahoo.*", ReferrerClass::SEARCH_ENGINE},
    {"search.yahoo.co.jp", ReferrerClass::SEARCH_ENGINE},
    {"duckduckgo.com", ReferrerClass::SEARCH_ENGINE},
    {"yandex.*", ReferrerClass::SEARCH_ENGINE},
    {"ya.ru", ReferrerClass::SEARCH_ENGINE},
    {"baidu.com", ReferrerClass::SEARCH_ENGINE},
    {"ecosia.org", ReferrerClass::SEARCH_ENGINE},
    {"startpage.com", ReferrerClass::SEARCH_ENGINE},
    {"qwant.com", ReferrerClass::SEARCH_ENGINE},
    {"search.brave.com", ReferrerClass::SEARCH_ENGINE},
    {"kagi.com", ReferrerClass::SEARCH_ENGINE},
    {"mojeek.com", ReferrerClass::SEARCH_ENGINE},
    {"ask.com", ReferrerClass::SEARCH_ENGINE},
    {"search.aol.com", ReferrerClass::SEARCH_ENGINE},
    {"lycos.com", ReferrerClass::SEARCH_ENGINE},
    {"search.seznam.cz", ReferrerClass::SEARCH_ENGINE},
    {"search.naver.com", ReferrerClass::SEARCH_ENGINE},
    {"search.daum.net", ReferrerClass::SEARCH_ENGINE},
    {"sogou.com", ReferrerClass::SEARCH_ENGINE},
    {"so.com", ReferrerClass::SEARCH_ENGINE},
    {"go.mail.ru", ReferrerClass::SEARCH_ENGINE},
    {"nova.rambler.ru", ReferrerClass::SEARCH_ENGINE},
    {"suche.t-online.de", ReferrerClass::SEARCH_ENGINE},
    {"suche.web.de", ReferrerClass::SEARCH_ENGINE},
    {"suche.gmx.net", ReferrerClass::SEARCH_ENGINE},
    {"coccoc.com", ReferrerClass::SEARCH_ENGINE},
    {"gerdoo.me", ReferrerClass::SEARCH_ENGINE},
    {"facebook.com", ReferrerClass::SOCIAL},
    {"fb.me", ReferrerClass::SOCIAL},
    {"messenger.com", ReferrerClass::SOCIAL},
    {"instagram.com", ReferrerClass::SOCIAL},
    {"threads.net", ReferrerClass::SOCIAL},
    {"t.co", ReferrerClass::SOCIAL},
    {"twitter.com", ReferrerClass::SOCIAL},
    {"x.com", ReferrerClass::SOCIAL},
    {"bsky.app", ReferrerClass::SOCIAL},
    {"linkedin.com", ReferrerClass::SOCIAL},
    {"lnkd.in", ReferrerClass::SOCIAL},
    {"com.linkedin.android", ReferrerClass::SOCIAL},
    {"pinterest.*", ReferrerClass::SOCIAL},
    {"reddit.com", ReferrerClass::SOCIAL},
    {"youtube.com", ReferrerClass::SOCIAL},
    {"tiktok.com", ReferrerClass::SOCIAL},
    {"snapchat.com", ReferrerClass::SOCIAL},
    {"tumblr.com", ReferrerClass::SOCIAL},
    {"vk.com", ReferrerClass::SOCIAL},
    {"ok.ru", ReferrerClass::SOCIAL},
    {"weibo.com", ReferrerClass::SOCIAL},
    {"t.me", ReferrerClass::SOCIAL},
    {"telegram.org", ReferrerClass::SOCIAL},
    {"org.telegram.messenger", ReferrerClass::SOCIAL},
    {"whatsapp.com", ReferrerClass::SOCIAL},
    {"wa.me", ReferrerClass::SOCIAL},
    {"discord.com", ReferrerClass::SOCIAL},
    {"quora.com", ReferrerClass::SOCIAL},
    {"news.ycombinator.com", ReferrerClass::SOCIAL},
    {"xing.com", ReferrerClass::SOCIAL},
    {"aparat.com", ReferrerClass::SOCIAL},
};

// "www.shop.example" is `name` or lies below it.
bool IsOrBelow(absl::string_view host, absl::string_view name) {
  if (!absl::ConsumeSuffix(&host, name)) return false;
  return host.empty() || host.back() == '.';
}

// "google.co.uk" has name "google" before its country: the rest is one or two short labels.
bool IsUnderAnyCountry(absl::string_view host, absl::string_view name) {
  for (size_t at = host.find(name); at != absl::string_view::npos; at = host.find(name, at + 1)) {
    const bool begins = at == 0 || host[at - 1] == '.';
    absl::string_view rest = host.substr(at + name.size());
    if (!begins || !absl::ConsumePrefix(&rest, ".")) continue;
    const size_t dots = static_cast<size_t>(std::count(rest.begin(), rest.end(), '.'));
    if (dots == 0 && rest.size() >= 2) return true;
    if (dots == 1 && rest.size() <= 6) return true;  // "co.uk", "com.br"
  }
  return false;
}

ReferrerClass ClassOf(absl::string_view host) {
  for (const KnownHost& known : kKnownHosts) {
    absl::string_view name = known.name;
    const bool fits =
        absl::ConsumeSuffix(&name, ".*") ? IsUnderAnyCountry(host, name) : IsOrBelow(host, name);
    if (fits) return known.kind;
  }
  return ReferrerClass::REFERRAL;
}

// The value of a query parameter; nothing if that is no text.
std::string Decode(absl::string_view value) {
  // Three bytes at most stand for one.
  std::string text;
  AppendPercentDecoded(value.substr(0, 3 * limits::kIdBytesMax), /*plus_is_blank=*/true, &text);
  const bool clean = IsUtf8(text) && std::none_of(text.begin(), text.end(), absl::ascii_iscntrl);
  if (!clean) return "";
  if (text.size() > limits::kIdBytesMax) {
    size_t end = limits::kIdBytesMax;  // not inside a character
    while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

// Click ids, by who makes them: Google (three), Meta, Microsoft, TikTok, X, LinkedIn, Yandex.
constexpr std::array<absl::string_view, 9> kClickIds = {
    "gclid", "gbraid", "wbraid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "yclid"};

}  // namespace

absl::string_view HostOf(absl::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == absl::string_view::npos || scheme == 0) {
    if (!absl::ConsumePrefix(&url, "//")) return "";
  } else {
    // A URL inside a query is no scheme.
    if (url.substr(0, scheme).find_first_of("/?#") != absl::string_view::npos) return "";
    url.remove_prefix(scheme + 3);
  }
  url = url.substr(0, url.find_first_of("/?#"));
  const size_t at = url.rfind('@');
  if (at != absl::string_view::npos) url.remove_prefix(at + 1);
  if (absl::StartsWith(url, "[")) return url.substr(0, url.find(']') + 1);
  return url.substr(0, url.find(':'));
}

std::string CampaignOf(absl::string_view url) {
  const size_t question = url.find('?');
  if (question == absl::string_view::npos) return "";
  absl::string_view query = url.substr(question + 1);
  query = query.substr(0, query.find('#'));
  std::string source, click;
  for (const absl::string_view parameter : absl::StrSplit(query, '&')) {
    const size_t equals = parameter.find('=');
    if (equals == absl::string_view::npos || equals + 1 == parameter.size()) continue;
    const absl::string_view name = parameter.substr(0, equals);
    const absl::string_view value = parameter.substr(equals + 1);
    if (name == "utm_campaign") {
      std::string campaign = Decode(value);
      if (!campaign.empty()) return campaign;
    } else if (name == "utm_source" && source.empty()) {
      source = Decode(value);
    } else if (click.empty() &&
               std::find(kClickIds.begin(), kClickIds.end(), name) != kClickIds.end()) {
      click = std::string(name);
    }
  }
  return source.empty() ? click : source;
}

Origin OriginOf(const Event& landing, std::span<const std::string> hosts) {
  Origin origin;
  origin.campaign = CampaignOf(landing.url);
  const std::string host = absl::AsciiStrToLower(HostOf(landing.referrer));
  const bool own = host.empty() || absl::EqualsIgnoreCase(host, HostOf(landing.url)) ||
                   std::any_of(hosts.begin(), hosts.end(),
                               [&host](const std::string& name) { return IsOrBelow(host, name); });
  if (!own) {
    origin.referrer = landing.referrer;
    origin.referrer_class = ClassOf(host);
  }
  if (!origin.campaign.empty()) origin.referrer_class = ReferrerClass::CAMPAIGN;
  return origin;
}

}  // namespace vitrine
