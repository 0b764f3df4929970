#include "ingest/robots/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "ingest/sessionizer.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::MakeEvent;

constexpr char kBrowser[] = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120 Safari";

Event Page(int64_t time_ms, const std::string& url) {
  Event event = MakeEvent(absl::StrCat(time_ms, url), "v:x", time_ms, EventKind::PAGE_VIEW);
  event.__set_url(url);
  event.__set_referrer("https://shop.example/");
  event.__set_user_agent(kBrowser);
  return event;
}

// `n` pages, each another one, `pause_ms` apart.
std::vector<Event> Pages(int n, int64_t pause_ms) {
  std::vector<Event> events;
  for (int i = 0; i < n; ++i) events.push_back(Page(i * pause_ms, absl::StrCat("/p/", i)));
  return events;
}

std::vector<std::string> Verdict(const std::vector<Event>& events,
                                 std::optional<bool> decided = std::nullopt) {
  static const auto lists = RobotLists::Load({.uap_core = ""});
  AgentJudge judge(lists.get());
  return VerdictOf(events, Sessionize(events, SiteSettings()), decided, &judge);
}

TEST(Verdict, APersonIsNoRobot) {
  EXPECT_THAT(Verdict({}), IsEmpty());
  EXPECT_THAT(Verdict(Pages(100, 5'000)), IsEmpty());
}

TEST(Verdict, MostOfTheUserAgentsMustBeARobots) {
  std::vector<Event> events = Pages(4, 60'000);
  events[0].user_agent = events[1].user_agent = "AcmeBot/1.0";
  EXPECT_THAT(Verdict(events), IsEmpty());
  events[2].__isset.user_agent = false;  // says nothing either way
  EXPECT_THAT(Verdict(events), ElementsAre("generic:not_a_browser", "generic:robot_name"));
}

TEST(Verdict, AUserAgentThatWasNotToldIsNotAnEmptyOne) {
  std::vector<Event> events = Pages(1, 0);
  events[0].user_agent = "";
  EXPECT_THAT(Verdict(events), ElementsAre("generic:no_user_agent"));
  events[0].__isset.user_agent = false;
  EXPECT_THAT(Verdict(events), IsEmpty());
}

TEST(Verdict, WhoAsksForRobotsTxtIsOne) {
  for (const char* const url :
       {"/robots.txt", "https://shop.example/robots.txt", "http://shop.example:80/robots.txt?x"}) {
    EXPECT_THAT(Verdict({Page(1, "/"), Page(2, url)}), ElementsAre("behaviour:robots_txt")) << url;
  }
  for (const char* const url : {"/help/robots.txt", "/search?q=/robots.txt",
                                "https://shop.example/a/robots.txt", "/robots.txt.html"}) {
    EXPECT_THAT(Verdict({Page(1, url)}), IsEmpty()) << url;
  }
}

TEST(Verdict, NobodyReadsTwoPagesASecondForAMinute) {
  EXPECT_THAT(Verdict(Pages(120, 504)), ElementsAre("behaviour:rate"));
  EXPECT_THAT(Verdict(Pages(120, 505)), IsEmpty());
  EXPECT_THAT(Verdict(Pages(119, 1)), IsEmpty());  // tabs that a browser opens again at its start
  std::vector<Event> reloaded = Pages(200, 100);
  for (Event& event : reloaded) event.url = "/same";
  EXPECT_THAT(Verdict(reloaded), IsEmpty());
  std::vector<Event> inferred = Pages(200, 100);
  for (Event& event : inferred) event.__set_inferred(true);
  EXPECT_THAT(Verdict(inferred), IsEmpty());
  std::vector<Event> clicks = Pages(200, 100);
  for (Event& event : clicks) event.kind = EventKind::SELECT_ITEM;
  EXPECT_THAT(Verdict(clicks), IsEmpty());
}

TEST(Verdict, NobodyReadsFiveHundredPagesInOneSitting) {
  EXPECT_THAT(Verdict(Pages(500, 10'000)), ElementsAre("behaviour:session_pages"));
  EXPECT_THAT(Verdict(Pages(499, 10'000)), IsEmpty());
  std::vector<Event> two_sittings = Pages(600, 10'000);
  for (size_t i = 300; i < 600; ++i) two_sittings[i].time_ms += 86'400'000;
  EXPECT_THAT(Verdict(two_sittings), IsEmpty());
}

TEST(Verdict, FiftyPagesThatNothingLedToAreARobots) {
  std::vector<Event> events = Pages(50, 60'000);
  for (Event& event : events) event.referrer = "";
  EXPECT_THAT(Verdict(events), ElementsAre("behaviour:no_referrer"));
  events[7].referrer = "https://shop.example/";
  EXPECT_THAT(Verdict(events), IsEmpty());
  events[7].referrer = "-";
  EXPECT_THAT(Verdict(events), ElementsAre("behaviour:no_referrer"));
  events[7].__isset.referrer = false;  // a source that does not tell
  EXPECT_THAT(Verdict(events), IsEmpty());
  events[7].__isset.referrer = true;
  events.pop_back();
  EXPECT_THAT(Verdict(events), IsEmpty());
}

TEST(Verdict, WhoPaysIsNotConvictedForBehaviourButStillForTheName) {
  std::vector<Event> events = Pages(120, 100);
  events[5].kind = EventKind::PURCHASE;
  EXPECT_THAT(Verdict(events), IsEmpty());
  for (Event& event : events) event.user_agent = "AcmeBot/1.0 (Linux)";
  EXPECT_THAT(Verdict(events), ElementsAre("generic:robot_name"));
}

TEST(Verdict, AnOperatorHasTheLastWord) {
  EXPECT_THAT(Verdict(Pages(1, 0), true), ElementsAre("operator"));
  EXPECT_THAT(Verdict({}, true), ElementsAre("operator"));
  EXPECT_THAT(Verdict({Page(1, "/robots.txt")}, true),
              ElementsAre("behaviour:robots_txt", "operator"));
  EXPECT_THAT(Verdict({Page(1, "/robots.txt")}, false), IsEmpty());
}

}  // namespace
}  // namespace vitrine
