#include "recommender/learn/newest_sessions.h"

#include <map>
#include <random>

#include "recommender/model/catalogue.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

std::vector<std::vector<uint32_t>> All(const NewestSessions& sessions) {
  std::vector<std::vector<uint32_t>> all;
  for (size_t s = 0; s < sessions.size(); ++s) {
    all.emplace_back(sessions[s].begin(), sessions[s].end());
  }
  return all;
}

TEST(NewestSessionsTest, APauseLongerThanTheGapEndsASession) {
  NewestSessions sessions(30 * kMinuteMs, {});
  sessions.Add(kNewestMs + 61 * kMinuteMs + 1, VIEW_ITEM, 4);
  sessions.Add(kNewestMs + 60 * kMinuteMs, VIEW_ITEM, 3);
  sessions.Add(kNewestMs + 30 * kMinuteMs, VIEW_ITEM, 2);
  sessions.Add(kNewestMs - 1, VIEW_ITEM, 1);
  sessions.EndPerson();
  sessions.Add(kNewestMs, VIEW_ITEM, 9);  // another person, within the gap
  sessions.Finish();
  EXPECT_THAT(All(sessions), ElementsAre(ElementsAre(1), ElementsAre(9), ElementsAre(2, 3, 4)));
  EXPECT_EQ(sessions.end_ms(2), kNewestMs + 61 * kMinuteMs + 1);
}

TEST(NewestSessionsTest, LoadingAPageAnewAndBuyingWhatWasSeenAreNoClicks) {
  NewestSessions sessions(30 * kMinuteMs, {});
  int64_t t = kNewestMs;
  // Newest first.
  for (const uint32_t bought : {8u, 2u, 1u}) sessions.Add(t, PURCHASE, bought);
  sessions.Add(t -= 1000, VIEW_ITEM, 1);
  sessions.Add(t -= 1000, ADD_TO_CART, 2);
  sessions.Add(t -= 1000, VIEW_ITEM, 2);
  sessions.Add(t -= 1000, VIEW_ITEM, 1);
  sessions.Add(t -= 1000, VIEW_ITEM, 1);
  sessions.Finish();
  EXPECT_THAT(All(sessions), ElementsAre(ElementsAre(1, 2, 1, 8)));
}

// However much is pruned on the way, what is left are the newest, as if all had been kept.
TEST(NewestSessionsTest, KeepsTheNewestThatFit) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const SessionIndexSettings max = {.sessions = 5 + random() % 20, .clicks = 30 + random() % 90};
    NewestSessions kept(1000, max);
    std::vector<std::pair<int64_t, std::vector<uint32_t>>> plain;
    for (uint32_t s = 0; s < 300; ++s) {
      // Ends are all different.
      const int64_t end_ms = static_cast<int64_t>(random() % 1000 * 1000 + s) * 1'000'000;
      std::vector<uint32_t> clicks(1 + random() % 8);
      for (size_t i = 0; i < clicks.size(); ++i) clicks[i] = s * 8 + static_cast<uint32_t>(i);
      for (size_t i = clicks.size(); i-- > 0;) {
        kept.Add(end_ms - static_cast<int64_t>(clicks.size() - 1 - i), VIEW_ITEM, clicks[i]);
      }
      kept.EndPerson();
      plain.emplace_back(end_ms, clicks);
    }
    kept.Finish();
    std::ranges::sort(plain);
    size_t first = plain.size(), clicks = 0;
    while (first > 0 && plain.size() - first < max.sessions &&
           clicks + plain[first - 1].second.size() <= max.clicks) {
      clicks += plain[--first].second.size();
    }
    std::vector<std::vector<uint32_t>> expected;
    for (size_t s = first; s < plain.size(); ++s) expected.push_back(plain[s].second);
    EXPECT_EQ(All(kept), expected);
    EXPECT_EQ(kept.clicks(), clicks);
  }
}

TEST(NewestSessionsTest, ReadsPeopleAndNoRobots) {
  const TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  std::vector<Event> events = {
      MakeEvent("1", "ann", kNewestMs, VIEW_ITEM, "pear"),
      MakeEvent("2", "ann", kNewestMs + 1000, VIEW_ITEM, "apple"),
      MakeEvent("3", "ann", kNewestMs + 2000, LOGIN),
      MakeEvent("4", "v:bot", kNewestMs + 3000, VIEW_ITEM, "pear"),
      MakeEvent("5", "v:bob", kNewestMs + 90 * kMinuteMs, VIEW_ITEM, "plum"),
      MakeEvent("6", "v:bob", kNewestMs - 1000, VIEW_ITEM, "unknown"),
  };
  ASSERT_OK(house->Track(events, {}, Ack::kApplied).status());
  const Person bot = Person::Visitor("bot");
  Derived robot;
  robot.person = bot;
  robot.mark = Value(house->MarkOf(bot));
  robot.robot = {"list:x"};
  ASSERT_OK(house->ReplaceDerived({&robot, 1}));
  const std::map<std::string, uint32_t, std::less<>> numbers = {
      {"apple", 1}, {"pear", 2}, {"plum", 3}};
  const NewestSessions sessions = Value(
      ReadNewestSessions(*house, {}, {}, [&](absl::string_view id) -> std::optional<uint32_t> {
        const auto it = numbers.find(std::string(id));
        if (it == numbers.end()) return std::nullopt;
        return it->second;
      }));
  EXPECT_THAT(All(sessions), ElementsAre(ElementsAre(2, 1), ElementsAre(3)));
}

}  // namespace
}  // namespace vitrine
