#include "recommender/offline/holdout.h"

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::Value;

enum Product : uint32_t { kApple, kBread, kCheese, kDate, kEgg };

Visit VisitOn(int64_t day, std::vector<std::pair<uint32_t, EventKind>> what) {
  Visit visit{.start_ms = kNewestMs + day * kDayMs};
  for (const auto& [product, kind] : what) {
    visit.actions.push_back(
        {visit.start_ms + static_cast<int64_t>(visit.actions.size()) * kMinuteMs, product, kind});
  }
  return visit;
}

Visits Shop() {
  return {.products = {"apple", "bread", "cheese", "date", "egg"},
          .persons = {{VisitOn(0, {{kApple, PURCHASE}, {kBread, VIEW_ITEM}}),
                       VisitOn(5, {{kApple, PURCHASE},
                                   {kBread, PURCHASE},
                                   {kCheese, VIEW_ITEM},
                                   {kCheese, PURCHASE},
                                   {kEgg, PURCHASE}})},
                      {VisitOn(1, {{kCheese, PURCHASE}, {kDate, VIEW_ITEM}})}}};
}

TEST(Holdout, LeaveLastOutAsksForTheLastVisitOfThoseWhoCameTwice) {
  const Visits visits = Shop();
  const Holdout holdout = Value(Holdout::Split(visits, {}));
  EXPECT_THAT(holdout.training().products, ElementsAre("apple", "bread", "cheese", "date"));
  EXPECT_EQ(holdout.training().by_person.rows(), 2u);
  EXPECT_EQ(holdout.training().newest_ms, visits.persons[1][0].actions[1].time_ms);
  ASSERT_EQ(holdout.cases().size(), 1u);
  const Question question = holdout.Ask(holdout.cases()[0]);
  EXPECT_THAT(question.history, ::testing::ElementsAreArray(holdout.training().by_person.row(0)));
  EXPECT_THAT(question.session, IsEmpty());
  EXPECT_TRUE(question.exclude.Contains(kApple)) << "bought before";
  EXPECT_FALSE(question.exclude.Contains(kBread)) << "seen, not bought";
  EXPECT_THAT(question.targets, ElementsAre(kBread, kCheese)) << "once each, and no egg";
}

TEST(Holdout, SessionsAsksForEachProductAfterThoseBeforeIt) {
  const Visits visits = Shop();
  const Holdout holdout = Value(Holdout::Split(
      visits, {.protocol = EvaluateOptions::Protocol::kSessions, .holdout_fraction = 0.3}));
  EXPECT_EQ(holdout.training().by_person.rows(), 2u);
  std::vector<std::vector<uint32_t>> targets;
  std::vector<size_t> session_cells;
  for (const Case& asked : holdout.cases()) {
    const Question question = holdout.Ask(asked);
    targets.push_back(question.targets);
    session_cells.push_back(question.session.size());
    EXPECT_GE(question.history.size(), 2u) << "the earlier visit is known";
    for (const uint32_t target : question.targets) EXPECT_FALSE(question.exclude.Contains(target));
  }
  EXPECT_THAT(targets, ElementsAre(ElementsAre(kBread), ElementsAre(kCheese)));
  EXPECT_THAT(session_cells, ElementsAre(1, 2));
}

TEST(Holdout, TimeSplitAsksForAllThatCameLaterAlsoOfThoseWhoAreNew) {
  Visits visits = Shop();
  visits.persons.push_back({VisitOn(6, {{kDate, VIEW_ITEM}, {kEgg, VIEW_ITEM}})});
  // In the middle of the second visit of the first person.
  const int64_t split_ms = visits.persons[0][1].actions[2].time_ms;
  const Holdout holdout = Value(Holdout::Split(
      visits, {.protocol = EvaluateOptions::Protocol::kTimeSplit, .split_ms = split_ms}));
  EXPECT_THAT(holdout.training().products, ElementsAre("apple", "bread", "cheese", "date"));
  EXPECT_LT(holdout.training().newest_ms, split_ms);
  ASSERT_EQ(holdout.cases().size(), 2u);
  const Question known = holdout.Ask(holdout.cases()[0]);
  EXPECT_THAT(known.targets, ElementsAre(kCheese));
  EXPECT_EQ(known.known, 4u);
  EXPECT_THAT(known.path, ElementsAre(kApple, kBread, kApple, kBread));
  EXPECT_THAT(known.clicks(), ElementsAre(kApple, kBread)) << "the visit goes on";
  const Question fresh = holdout.Ask(holdout.cases()[1]);
  EXPECT_EQ(fresh.known, 0u);
  EXPECT_THAT(fresh.history, IsEmpty());
  EXPECT_THAT(fresh.targets, ElementsAre(kDate));
  EXPECT_EQ(holdout.unknown_targets(), 2) << "two eggs";
}

TEST(Holdout, TimeSplitNeedsTimes) {
  Visits visits = Shop();
  visits.timed = false;
  EXPECT_EQ(
      Holdout::Split(visits, {.protocol = EvaluateOptions::Protocol::kTimeSplit}).status().code(),
      absl::StatusCode::kFailedPrecondition);
}

TEST(Holdout, HidesWhatItIsToldTo) {
  using Hide = EvaluateOptions::Hide;
  const Visits visits = Shop();
  const auto targets = [&](Hide hide) {
    const Holdout holdout = Value(Holdout::Split(visits, {.hide = hide}));
    return holdout.Ask(holdout.cases()[0]).targets;
  };
  EXPECT_THAT(targets(Hide::kServed), ElementsAre(kBread, kCheese));
  EXPECT_THAT(targets(Hide::kKnown), ElementsAre(kCheese));
  EXPECT_THAT(targets(Hide::kNothing), ElementsAre(kApple, kBread, kCheese));
}

TEST(Holdout, GivenSplitAsksForTheTestPart) {
  Visits visits = Shop();
  visits.persons[0][1].test = true;
  const EvaluateOptions options{.protocol = EvaluateOptions::Protocol::kGivenSplit,
                                .hide = EvaluateOptions::Hide::kNothing};
  const Holdout all = Value(Holdout::Split(visits, options));
  ASSERT_EQ(all.cases().size(), 1u);
  EXPECT_THAT(all.Ask(all.cases()[0]).targets, ElementsAre(kApple, kBread, kCheese));
  visits.asks_clicks = true;
  visits.persons[0][1].first_asked = 2;
  const Holdout clicks = Value(Holdout::Split(visits, options));
  ASSERT_EQ(clicks.cases().size(), 2u) << "cheese twice, and nobody knows eggs";
  const Question question = clicks.Ask(clicks.cases()[1]);
  EXPECT_THAT(question.targets, ElementsAre(kCheese)) << "a repeat";
  EXPECT_THAT(question.clicks(), ElementsAre(kApple, kBread, kCheese));
  EXPECT_EQ(Holdout::Split(Shop(), options).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Holdout, TrainsOnSessionsInTheOrderOfTheirEnds) {
  const Visits visits = Shop();
  const Holdout holdout = Value(Holdout::Split(visits, {}));
  const SessionLog sessions = holdout.TrainingSessions();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_THAT(sessions[0], ElementsAre(kApple, kBread));
  EXPECT_THAT(sessions[1], ElementsAre(kCheese, kDate));
}

TEST(Holdout, DrawsTheSameCasesForASeed) {
  Visits visits;
  visits.products = Shop().products;
  for (int person = 0; person < 100; ++person) visits.persons.push_back(Shop().persons[0]);
  EvaluateOptions options{.cases_max = 10, .seed = 3};
  const auto drawn = [&] {
    std::vector<uint32_t> persons;
    const Holdout holdout = Value(Holdout::Split(visits, options));
    for (const Case& asked : holdout.cases()) persons.push_back(asked.person);
    EXPECT_EQ(holdout.all_cases(), 100);
    return persons;
  };
  const std::vector<uint32_t> first = drawn();
  EXPECT_EQ(first.size(), 10u);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  EXPECT_EQ(drawn(), first);
  options.seed = 4;
  EXPECT_NE(drawn(), first);
}

TEST(Holdout, SaysSoWhenNothingCanBeHeldOut) {
  Visits visits = Shop();
  visits.persons.erase(visits.persons.begin());
  const EvaluateOptions options{};
  EXPECT_EQ(Holdout::Split(visits, options).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Holdout::Split({}, options).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine
