#include "recommender/offline/visits_builder.h"

#include "store/base/limits.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::Value;
using Ids = std::vector<absl::string_view>;

constexpr int64_t kGapMs = 30 * kMinuteMs;

// "a b|c" for visits of these products.
std::string Shown(const Visits& visits, size_t person) {
  std::string shown;
  for (const Visit& visit : visits.persons[person]) {
    if (!shown.empty()) shown += "|";
    if (visit.test) shown += "?";
    for (size_t a = 0; a < visit.actions.size(); ++a) {
      absl::StrAppend(&shown, a == 0 ? "" : " ", visits.products[visit.actions[a].product]);
    }
  }
  return shown;
}

TEST(VisitsBuilder, PutsRowsInAnyOrderTogetherToVisits) {
  VisitsBuilder builder(kGapMs);
  const auto add = [&](absl::string_view person, int64_t minute, absl::string_view product) {
    ASSERT_OK(builder.Add(
        {.person = person, .product = product, .time_ms = kNewestMs + minute * kMinuteMs}));
  };
  add("ann", 200, "c");
  add("bob", 1, "a");
  add("ann", 20, "b");
  add("ann", 0, "a");
  add("ann", 50, "d");
  const Visits visits = Value(std::move(builder).Build());
  ASSERT_EQ(visits.persons.size(), 2u);
  EXPECT_EQ(Shown(visits, 0), "a b d|c") << "a pause of 30 minutes is none";
  EXPECT_EQ(Shown(visits, 1), "a");
  EXPECT_EQ(visits.persons[0][1].start_ms, kNewestMs + 200 * kMinuteMs);
  EXPECT_TRUE(visits.timed && visits.ordered);
}

TEST(VisitsBuilder, KeepsNamedSessionsApartAndOrdersThemByTheirStart) {
  VisitsBuilder builder(kGapMs);
  ASSERT_OK(builder.Add({.person = "ann", .session = "2", .product = "c", .time_ms = 5000}));
  ASSERT_OK(builder.Add({.person = "ann", .session = "1", .product = "a", .time_ms = 1000}));
  ASSERT_OK(builder.Add({.person = "ann", .session = "1", .product = "b", .time_ms = 9000}));
  ASSERT_OK(builder.Add({.session = "7", .product = "b", .time_ms = 9000}));
  const Visits visits = Value(std::move(builder).Build());
  EXPECT_EQ(Shown(visits, 0), "a b|c");
  EXPECT_EQ(Shown(visits, 1), "b") << "a session without a person is somebody's";
}

TEST(VisitsBuilder, WithoutTimesEachActionIsAVisit) {
  VisitsBuilder builder(kGapMs);
  for (const char* product : {"b", "a", "c"}) {
    ASSERT_OK(builder.Add({.person = "ann", .product = product}));
  }
  const Visits visits = Value(std::move(builder).Build());
  EXPECT_EQ(Shown(visits, 0), "b|a|c");
  EXPECT_FALSE(visits.timed);
}

TEST(VisitsBuilder, PutsQuestionsAboutOneSessionTogether) {
  VisitsBuilder builder(kGapMs);
  ASSERT_OK(builder.AddSession(Ids{"a", "b"}));
  builder.BeginTest();
  ASSERT_OK(builder.AddQuestion(Ids{"a", "b", "c"}, "d"));
  ASSERT_OK(builder.AddQuestion(Ids{"a", "b"}, "c"));
  ASSERT_OK(builder.AddQuestion(Ids{"b"}, "a"));  // another's
  ASSERT_OK(builder.AddQuestion(Ids{"b", "a"}, "a"));
  ASSERT_OK(builder.AddQuestion(Ids{"b", "a"}, "a"));  // and one more, no longer
  const Visits visits = Value(std::move(builder).Build());
  EXPECT_TRUE(visits.asks_clicks);
  ASSERT_EQ(visits.persons.size(), 4u);
  EXPECT_EQ(Shown(visits, 0), "a b");
  EXPECT_EQ(Shown(visits, 1), "?a b c d");
  EXPECT_EQ(visits.persons[1][0].first_asked, 2u);
  EXPECT_EQ(Shown(visits, 2), "?b a a");
  EXPECT_EQ(visits.persons[2][0].first_asked, 1u);
  EXPECT_EQ(visits.persons[3][0].first_asked, 2u);
}

TEST(VisitsBuilder, MakesSetsOnePersonsTrainAndTest) {
  VisitsBuilder builder(kGapMs);
  ASSERT_OK(builder.AddSet("0", Ids{"a", "b"}));
  ASSERT_OK(builder.AddSet("1", Ids{}));
  builder.BeginTest();
  ASSERT_OK(builder.AddSet("0", Ids{"c"}));
  ASSERT_OK(builder.AddSet("1", Ids{"c"}));
  const Visits visits = Value(std::move(builder).Build());
  EXPECT_EQ(Shown(visits, 0), "a b|?c");
  EXPECT_EQ(Shown(visits, 1), "?c");
  EXPECT_FALSE(visits.ordered);
  EXPECT_FALSE(visits.asks_clicks);
}

TEST(VisitsBuilder, RefusesWhatIsNoId) {
  VisitsBuilder builder(kGapMs);
  const std::string long_id(limits::kIdBytesMax + 1, 'x');
  for (const PlainAction& action : {PlainAction{.person = "ann"}, PlainAction{.product = "a"},
                                    PlainAction{.person = "ann", .product = long_id},
                                    PlainAction{.person = long_id, .product = "a"}}) {
    EXPECT_EQ(builder.Add(action).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(builder.AddSession(Ids{}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(builder.AddQuestion(Ids{}, "a").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(builder.AddSet("", Ids{"a"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(builder.actions(), 0u);
}

}  // namespace
}  // namespace vitrine
