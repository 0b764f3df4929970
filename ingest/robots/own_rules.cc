#include "ingest/robots/own_rules.h"

#include <re2/re2.h>

#include "absl/strings/strip.h"

#include "store/base/check.h"

namespace vitrine {
namespace {

// Never destroyed: threads may outlive main.
struct Patterns {
  const RE2 name{R"((?i)(?:^|[^u])bots?(?:\b|[_\d])|crawl|spider|scrap(?:e|ing|y)|slurp|archiver|)"
                 R"(indexer|fetcher|validator|checker|robot)"};
  const RE2 contact{R"((?i)https?:/|\bwww\.|[\w.+-]+@[a-z\d-]+(?:\.[a-z\d-]+)*\.[a-z]{2,})"};
  const RE2 library{
      R"((?i)^(?:curl|wget|libwww|lwp|python|pycurl|aiohttp|httpx|java[/ ]|jakarta|apache-http|)"
      R"(okhttp|go-http|ruby|perl|php|guzzle|axios|node|got[ /]|undici|reqwest|httpie|postman|)"
      R"(insomnia|scrapy|mechanize|winhttp|typhoeus|faraday|rest-client|unirest|dart[/:])|)"
      R"(libcurl|httpclient|http-client|urllib|python-requests)"};
  const RE2 headless{R"((?i)headless|phantomjs|selenium|puppeteer|playwright|slimerjs|webdriver)"};
  // How what people hold in their hands begins, beside "Mozilla/".
  const RE2 opening{
      R"((?i)^(?:Opera|SAMSUNG|Nokia|BlackBerry|UCWEB|Dalvik|SonyEricsson|LG[-/]|LGE|MOT-|HTC|Lynx|)"
      R"(E?Links|w3m|Dillo|NetSurf|SEC-|SIE-|Sanyo|KDDI|DoCoMo|J-PHONE|Vodafone|SoftBank|ZTE|)"
      R"(HUAWEI|Alcatel|PHILIPS|Pantech|KYOCERA|Sharp|Android|iPhone|iPad|JUC|MQQBrowser|IBrowse|)"
      R"(AmigaVoyager|amaya|Microsoft Internet Explorer|HbbTV|\[FB|\w*Browser/|NCSA|Roku))"};
  // Where it runs: nobody but a person's device says so.
  const RE2 place{
      R"((?i)CFNetwork|Darwin|Dalvik|Android|iOS|iPhone|iPad|iPod|watchOS|tvOS|Windows|Win9|Win3|)"
      R"(WinNT|Macintosh|Mac ?OS|Mac_Power|Linux|X11|SunOS|BSD|OS/2|BeOS|Amiga|RISC OS|HP-UX|IRIX|)"
      R"(AIX|Symbian|Series ?[46]0|MIDP|J2ME|BREW|UCBrowser|Opera|webOS|PlayStation|PSP|Nintendo|)"
      R"(Wii|Dreamcast|Xbox|SMART-TV|Tizen|Profile/|BlackBerry|PalmOS|Nokia)"};
  // What draws the page.
  const RE2 engine{R"(Gecko|WebKit|KHTML|MSIE|Trident|Presto|NetFront|Konqueror|iCab|OmniWeb|)"
                   R"(AvantGo|Danger|\[en\])"};
};

const Patterns& All() {
  static const Patterns* const patterns = new Patterns();
  return *patterns;
}

bool Found(absl::string_view text, const RE2& pattern) {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

bool LooksLikeABrowser(absl::string_view user_agent) {
  const Patterns& all = All();
  if (absl::ConsumePrefix(&user_agent, "Mozilla/")) {
    return Found(user_agent, all.engine) || Found(user_agent, all.place);
  }
  return Found(user_agent, all.opening) || Found(user_agent, all.place);
}

}  // namespace

absl::string_view OwnRuleName(int bit) {
  constexpr absl::string_view kNames[kOwnRules] = {
      "generic:no_user_agent", "generic:robot_name", "generic:contact",
      "generic:library",       "generic:headless",   "generic:not_a_browser"};
  CHECK(bit >= 0 && bit < kOwnRules);
  return kNames[bit];
}

uint32_t OwnRules(absl::string_view user_agent, bool is_web) {
  const Patterns& all = All();
  if (user_agent.empty() || user_agent == "-") return is_web ? uint32_t{kNoUserAgent} : 0;
  uint32_t rules = 0;
  if (Found(user_agent, all.name)) rules |= kRobotName;
  if (Found(user_agent, all.contact)) rules |= kContact;
  if (Found(user_agent, all.headless)) rules |= kHeadless;
  if (!is_web) return rules;
  if (Found(user_agent, all.library)) rules |= kLibrary;
  if (!LooksLikeABrowser(user_agent)) rules |= kNotABrowser;
  return rules;
}

}  // namespace vitrine
