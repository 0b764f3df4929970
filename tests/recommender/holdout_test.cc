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

TEST(Holdout, SaysSoWhenNothingCanBeHeldOut) {
  Visits visits = Shop();
  visits.persons.erase(visits.persons.begin());
  const EvaluateOptions options{};
  EXPECT_EQ(Holdout::Split(visits, options).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Holdout::Split({}, options).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine
