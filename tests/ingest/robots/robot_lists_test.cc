#include "ingest/robots/robot_lists.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;

constexpr char kChrome[] =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36";

std::string Write(const TempDir& folder, const std::string& name, const std::string& text) {
  const std::string path = folder.File(name);
  std::ofstream(path) << text;
  return path;
}

// --- Our own rules, without any list ---

std::vector<std::string> OwnVerdict(absl::string_view user_agent, bool is_web = true) {
  const auto lists = RobotLists::Load({.uap_core = ""});
  return lists->Names(lists->Judge(user_agent, is_web));
}

TEST(OwnRules, WhatNamesItselfIsTakenAtItsWord) {
  EXPECT_THAT(OwnVerdict("Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1) AcmeBot/2.1"),
              ElementsAre("generic:robot_name"));
  EXPECT_THAT(OwnVerdict("acme_spider"), Contains("generic:robot_name"));
  EXPECT_THAT(OwnVerdict("Mozilla/5.0 (X11; Linux x86_64; +http://acme.example/why)"),
              ElementsAre("generic:contact"));
  EXPECT_THAT(OwnVerdict("Mozilla/5.0 (Windows NT 5.1; ops@acme.example) Gecko"),
              ElementsAre("generic:contact"));
  EXPECT_THAT(OwnVerdict("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                         "HeadlessChrome/90.0 Safari/537.36"),
              ElementsAre("generic:headless"));
  EXPECT_THAT(OwnVerdict("curl/7.88.1"), Contains("generic:library"));
  EXPECT_THAT(OwnVerdict("python-requests/2.31"), Contains("generic:library"));
  EXPECT_THAT(OwnVerdict("Acme 1.0"), ElementsAre("generic:not_a_browser"));
  EXPECT_THAT(OwnVerdict("Mozilla/5.0 (compatible; Acme)"), ElementsAre("generic:not_a_browser"));
  EXPECT_THAT(OwnVerdict(""), ElementsAre("generic:no_user_agent"));
  EXPECT_THAT(OwnVerdict("-"), ElementsAre("generic:no_user_agent"));
}

TEST(OwnRules, PeopleAreNotTakenForRobots) {
  for (const char* const person :
       {kChrome,
        "Mozilla/5.0 (Linux; U; Android 4.2.1; en-gb; CUBOT ONE Build/JOP40D) AppleWebKit/534.30 "
        "(KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",  // a phone, not a bot
        "Mozilla/5.0 (iPhone; CPU iPhone OS 16_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
        "Gecko) Mobile/15E148 Safari/605.1.15 (Ecosia ios@8.1.3.72)",  // no e-mail address
        "Opera/9.80 (J2ME/MIDP; Opera Mini/4.0; U; en) Presto/2.5",
        "Lynx/2.8.5rel.1 libwww-FM/2.14", "Dalvik/2.1.0 (Linux; U; Android 9; SM-G960F)",
        "Shop/3.1 CFNetwork/978.0.7 Darwin/18.5.0"}) {
    EXPECT_THAT(OwnVerdict(person), IsEmpty()) << person;
  }
}

TEST(OwnRules, AShopsOwnAppMayBeCalledAsTheShopLikes) {
  EXPECT_THAT(OwnVerdict("AcmeShop/3.1", false), IsEmpty());
  EXPECT_THAT(OwnVerdict("okhttp/4.9", false), IsEmpty());
  EXPECT_THAT(OwnVerdict("", false), IsEmpty());
  EXPECT_THAT(OwnVerdict("Googlebot/2.1", false), ElementsAre("generic:robot_name"));
}

// --- Lists ---

TEST(RobotLists, SayWhoSaidIt) {
  TempDir folder;
  const std::string one = Write(folder, "one.json", R"([{"pattern": "Sneaky"}])");
  const std::string two =
      Write(folder, "two.json", R"([{"pattern": "eak[xy]"}, {"pattern": "Z"}])");
  const auto lists = RobotLists::Load({.uap_core = "", .crawler_lists = {two, one}});
  const std::string sneaky = absl::StrCat(kChrome, " Sneaky/1");
  EXPECT_THAT(lists->Names(lists->Judge(sneaky, true)), ElementsAre("list:one", "list:two"));
  EXPECT_EQ(lists->Judge(kChrome, true), 0u);
  EXPECT_EQ(lists->lists()[0].patterns, 2);
}

TEST(RobotLists, PatternsThatRe2CannotTakeAreCountedAndTheOthersUsed) {
  TempDir folder;
  const auto lists = RobotLists::Load(
      {.uap_core = "",
       .crawler_lists = {
           Write(folder, "l.json", R"([{"pattern": "(?=b)a"}, {"pattern": "Sneaky"}])")}});
  EXPECT_EQ(lists->lists()[0].patterns, 1);
  EXPECT_EQ(lists->lists()[0].patterns_not_taken, 1);
  EXPECT_NE(lists->Judge(absl::StrCat(kChrome, " Sneaky"), true), 0u);
}

TEST(RobotLists, AListThatIsMissingOrDamagedSaysSoAndTheOthersWork) {
  TempDir folder;
  const auto lists = RobotLists::Load(
      {.uap_core = folder.File("nowhere.yaml"),
       .crawler_lists = {Write(folder, "not.json", "{"), Write(folder, "an.json", "{}"),
                         Write(folder, "pattern.json", R"([{"pattern": "a"}, {"name": "b"}])"),
                         Write(folder, "good.json", R"([{"pattern": "Sneaky"}])")}});
  ASSERT_EQ(lists->lists().size(), 5u);
  EXPECT_THAT(lists->lists()[0].problem, HasSubstr("nowhere.yaml"));
  EXPECT_THAT(lists->lists()[0].problem, HasSubstr("package uap-core"));
  EXPECT_THAT(lists->lists()[1].problem, HasSubstr("not a JSON list"));
  EXPECT_THAT(lists->lists()[2].problem, HasSubstr("not a JSON list"));
  EXPECT_THAT(lists->lists()[3].problem, HasSubstr("entry 2 has no \"pattern\""));
  EXPECT_EQ(lists->lists()[4].problem, "");
  EXPECT_NE(lists->Judge(absl::StrCat(kChrome, " Sneaky"), true), 0u);

  const std::string yaml = Write(folder, "r.yaml", "a: 1\n}\n");
  EXPECT_THAT(RobotLists::Load({.uap_core = yaml})->lists()[0].problem, HasSubstr("line "));
  const std::string other = Write(folder, "o.yaml", "a: b\n");
  EXPECT_THAT(RobotLists::Load({.uap_core = other})->lists()[0].problem, HasSubstr("regexes.yaml"));
}

TEST(RobotLists, InUapCoreTheFirstDeviceThatMatchesCounts) {
  TempDir folder;
  const std::string yaml = Write(folder, "r.yaml", R"(
device_parsers:
  - {regex: 'WebCopier', device_replacement: 'Spider'}
  - {regex: 'Silk/', device_replacement: 'Kindle'}
  - {regex: '^.{0,100}(silk|holmes)', regex_flag: 'i', device_replacement: 'Spider'}
  - {regex: 'Pixel', device_replacement: 'Phone'}
user_agent_parsers:
  - {regex: '(Watson|acmebot)/(\d+)'}
  - {regex: 'Sneak', family_replacement: 'Sneak Crawler'}
  - {regex: '(Chrome)/(\d+)'}
)");
  const auto lists = RobotLists::Load({.uap_core = yaml});
  ASSERT_EQ(lists->lists()[0].problem, "");
  EXPECT_EQ(lists->lists()[0].patterns, 4);
  const auto knows = [&](absl::string_view token) {
    return lists->Judge(absl::StrCat(kChrome, " ", token), true) != 0;
  };
  EXPECT_TRUE(knows("WebCopier"));
  EXPECT_TRUE(knows("WebCopier Silk/"));
  EXPECT_TRUE(knows("hoLmes"));
  EXPECT_FALSE(knows("Silk/1"));
  EXPECT_FALSE(knows("Pixel"));
  EXPECT_FALSE(knows("Watson/1"));  // a family, and not called a robot
  EXPECT_TRUE(knows("Sneak"));
}

TEST(RobotLists, TheDigestFollowsTheContentOfTheLists) {
  TempDir folder;
  const std::string list = Write(folder, "l.json", R"([{"pattern": "a"}])");
  const auto digest = [](const std::vector<std::string>& files) {
    return RobotLists::Load({.uap_core = "", .crawler_lists = files})->digest();
  };
  const uint64_t before = digest({list});
  EXPECT_EQ(digest({list}), before);
  EXPECT_NE(digest({}), before);
  Write(folder, "l.json", R"([{"pattern": "b"}])");
  EXPECT_NE(digest({list}), before);
}

TEST(AgentJudge, RemembersWithinItsBounds) {
  const auto lists = RobotLists::Load({.uap_core = ""});
  AgentJudge judge(lists.get());
  for (int i = 0; i < 40'000; ++i) {
    const std::string agent = absl::StrCat(i % 2 == 0 ? kChrome : "bot/", i);
    ASSERT_EQ(judge.Judge(agent, true) != 0, i % 2 == 1);
  }
  EXPECT_EQ(judge.Judge("Acme", false), 0u);
  EXPECT_NE(judge.Judge("Acme", true), 0u);
  EXPECT_EQ(judge.Judge("Acme", false), 0u);
}

// --- Against lists that the matcher was not made from ---

constexpr char kShared[] = "../shared/data/crawlers_and_user_agents";

// Debian's list, and the one of npm where the machine has it.
class Recall : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kShared)) GTEST_SKIP() << kShared << " is not here";
    const char* const named = std::getenv("VITRINE_CRAWLER_USER_AGENTS");
    npm_ = named != nullptr ? named : "node_modules/crawler-user-agents/crawler-user-agents.json";
    if (!std::filesystem::exists(npm_)) npm_.clear();
  }

  YAML::Node Unpack(const std::string& name) {
    const std::string file = folder_.File(name);
    const std::string command = absl::StrCat("zstd -dcq '", kShared, "/", name, ".zst' > ", file);
    EXPECT_EQ(std::system(command.c_str()), 0);
    return YAML::LoadFile(file);
  }

  // The share of `agents` that are taken for robots.
  static double Share(const RobotLists& lists, const std::vector<std::string>& agents,
                      std::vector<std::string>* found = nullptr) {
    double robots = 0;
    for (const std::string& agent : agents) {
      if (lists.Judge(agent, true) == 0) continue;
      ++robots;
      if (found != nullptr) found->push_back(agent);
    }
    return robots / static_cast<double>(agents.size());
  }

  std::string npm_;
  TempDir folder_;
};

TEST_F(Recall, OfMatomosBots) {
  std::vector<std::string> bots;
  for (const YAML::Node& entry : Unpack("matomo_bots_fixtures.yml")) {
    bots.push_back(entry["user_agent"].as<std::string>());
  }
  ASSERT_EQ(bots.size(), 1342u);
  const double own = Share(*RobotLists::Load({.uap_core = ""}), bots);
  const auto debian = RobotLists::Load({});
  ASSERT_EQ(debian->lists()[0].problem, "");
  const double with_debian = Share(*debian, bots);
  std::cout << "recall: our rules " << own << ", and Debian's list " << with_debian;
  EXPECT_GE(with_debian, 0.85);
  if (npm_.empty()) {
    std::cout << "\n";
    GTEST_SKIP() << "no crawler-user-agents.json: name it in VITRINE_CRAWLER_USER_AGENTS";
  }
  const auto both = RobotLists::Load({.crawler_lists = {npm_}});
  ASSERT_EQ(both->lists()[1].problem, "");
  const double with_both = Share(*both, bots);
  std::cout << ", and npm's list " << with_both << " (" << both->lists()[1].patterns
            << " patterns, " << both->lists()[1].patterns_not_taken << " not taken)\n";
  EXPECT_GE(with_both, 0.95);
}

// What ua-parser's set calls a browser that people use: on desks, in hands, in other apps. (One of
// the "Chrome" is Google's preview of pages: a robot, and taken for one.)
const std::set<std::string>& Browsers() {
  static const auto* const names = new std::set<std::string>(absl::StrSplit(
      "360 Secure Browser|Aloha Browser|Amazon Silk|Android|AOL|Avast Secure Browser|Baidu Browser|"
      "Baidu Explorer|BlackBerry WebKit|Brave|Camoufox|Chrome|Chrome Frame|Chrome Mobile|"
      "Chrome Mobile iOS|Chrome Mobile WebView|Chromium|Coc Coc|Comodo Dragon|Conkeror|Crosswalk|"
      "Dolfin|Dolphin|DuckDuckGo Mobile|Ecosia Android|Ecosia iOS|Edge|Edge Mobile|Epiphany|Espial|"
      "Facebook|Facebook Messenger|Firefox|Firefox (Shiretoko)|Firefox Beta|Firefox iOS|"
      "Firefox Mobile|FireWeb|Flipboard|Google|HbbTV|HeyTap Browser|HiBrowser|Honor Browser|"
      "IBrowse|IceCat|IE|IE Large Screen|IE Mobile|Instabridge|Instagram|Iron|KakaoTalk|Kindle|"
      "Konqueror|Ladybird|LINE|LuaKit|Lynx|Mail.ru Chromium Browser|Maxthon|Midori|Mobile Safari|"
      "Mobile Safari UI/WKWebView|MozillaDeveloperPreview|Mypal Browser|NCSA Mosaic|NetFront|"
      "NetFront NX|Nokia Browser|Nokia OSS Browser|Obigo|Oculus Browser|ONE Browser|Openwave|Opera|"
      "Opera Coast|Opera GX|Opera Mini|Opera Mobile|Opera Tablet|Opera Touch|Otter|Ovi Browser|"
      "Pale Moon|Phantom Browser|Phoenix Browser|Puffin|QQ Browser|QQ Browser Mini|"
      "QQ Browser Mobile|QtCarBrowser|QupZilla|Rekonq|RockMelt|Safari|Sailfish Browser|"
      "Samsung Internet|SeaMonkey|Seznam prohlížeč|Skyfire|Sleipnir|Smart Lenovo Browser|Snapchat|"
      "Snowshoe|Teleca Browser|TikTok|TopBuzz|Twitter|UC Browser|UP.Browser|Vewd Browser|Vivaldi|"
      "VivoBrowser|WebKit Nightly|webOS Browser|WeChat Browser|Weibo|WeTab|Whale|Yandex Browser|"
      "iBrowser Mini|mDolphin",
      '|'));
  return *names;
}

TEST_F(Recall, OfBrowsersIsNextToNone) {
  std::vector<std::string> browsers;
  for (const YAML::Node& entry : Unpack("uap_test_ua.yaml")["test_cases"]) {
    if (Browsers().count(entry["family"].as<std::string>()) != 0) {
      browsers.push_back(entry["user_agent_string"].as<std::string>());
    }
  }
  ASSERT_GE(browsers.size(), 400u);
  RobotLists::Options options;
  if (!npm_.empty()) options.crawler_lists = {npm_};
  const auto lists = RobotLists::Load(options);
  std::vector<std::string> taken;
  const double share = Share(*lists, browsers, &taken);
  std::cout << "of " << browsers.size() << " browsers " << share << " are taken for robots"
            << (npm_.empty() ? " (without npm's list)\n" : "\n");
  for (const std::string& agent : taken) {
    std::cout << "  " << absl::StrJoin(lists->Names(lists->Judge(agent, true)), " ") << ": "
              << agent << "\n";
  }
  EXPECT_LE(share, 0.005);
}

// Processor time of this thread: the machine may be busy with others.
double CpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// The user agents of a real log, line by line: the last quoted field.
std::vector<std::string> AgentsOfLog() {
  const std::string packed = "../shared/data/apache_logs_elastic/apache_logs.zst";
  TempDir folder;
  const std::string file = folder.File("log");
  EXPECT_EQ(std::system(absl::StrCat("zstd -dcq '", packed, "' > ", file).c_str()), 0);
  std::ifstream lines(file);
  std::vector<std::string> agents;
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, '"');
    if (parts.size() >= 7) agents.push_back(parts[parts.size() - 2]);
  }
  return agents;
}

TEST_F(Recall, CostsAboutAMicrosecondALineOfARealLog) {
  const std::vector<std::string> agents = AgentsOfLog();
  ASSERT_GT(agents.size(), 9'900u);
  RobotLists::Options options;
  if (!npm_.empty()) options.crawler_lists = {npm_};
  const auto lists = RobotLists::Load(options);
  AgentJudge judge(lists.get());
  double ns[2];
  size_t robots = 0;
  for (double& round : ns) {
    const double start = CpuNs();
    for (const std::string& agent : agents) robots += judge.Judge(agent, true) != 0;
    round = (CpuNs() - start) / static_cast<double>(agents.size());
  }
  std::cout << "a line of a log of 10,000 costs " << ns[0] << " ns, of one ten times as long about "
            << ns[0] / 10 + ns[1] * 0.9 << " ns; " << robots / 2 << " lines of robots\n";
#ifdef NDEBUG  // three times what it is: a test is no benchmark
  EXPECT_LT(ns[0] / 10 + ns[1] * 0.9, 3'000);
#endif
}

// Checked by hand: who these are, by what they call themselves.
TEST_F(Recall, OfARealLogsMostFrequentAgentsAreJudgedAsAPersonWould) {
  const auto lists = RobotLists::Load({});
  const std::pair<const char*, bool> checked[] = {
      {"Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/32.0.1700.107 Safari/537.36",
       false},
      {"UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/", true},
      {"Mozilla/5.0 (Windows NT 6.1; WOW64; rv:27.0) Gecko/20100101 Firefox/27.0", false},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 6_0 like Mac OS X) AppleWebKit/536.26 (KHTML, like "
       "Gecko) Version/6.0 Mobile/10A5376e Safari/8536.25 (compatible; Googlebot/2.1; "
       "+http://www.google.com/bot.html)",
       true},
      {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", true},
      {"Mozilla/5.0 (X11; Linux x86_64; rv:27.0) Gecko/20100101 Firefox/27.0", false},
      {"Tiny Tiny RSS/1.11 (http://tt-rss.org/)", true},
      {"Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)", false},
      {"-", true},
  };
  for (const auto& [agent, robot] : checked) {
    EXPECT_EQ(lists->Judge(agent, true) != 0, robot) << agent;
  }
}

}  // namespace
}  // namespace vitrine
