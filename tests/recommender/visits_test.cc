#include "recommender/offline/visits.h"

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

Derived SessionsOf(const Person& person, const std::vector<std::pair<int64_t, int64_t>>& spans) {
  Derived derived{.person = person, .sessions = {}, .customer = {}};
  for (const auto& [start_ms, end_ms] : spans) {
    Session session;
    session.start_ms = start_ms;
    session.end_ms = end_ms;
    derived.sessions.push_back(session);
  }
  return derived;
}

class VisitsTest : public ::testing::Test {
 protected:
  VisitsTest() {
    Event basket = MakeEvent("3", "ann", kNewestMs + kMinuteMs, PURCHASE, "pear");
    basket.items.push_back(basket.items[0]);
    basket.items[1].product_id = "apple";
    EXPECT_OK(house_
                  ->Track({MakeEvent("1", "ann", kNewestMs - kDayMs, VIEW_ITEM, "pear"),
                           MakeEvent("2", "ann", kNewestMs, VIEW_ITEM, "fig"), basket,
                           MakeEvent("4", "ann", kNewestMs + kDayMs, LOGIN),
                           MakeEvent("5", "v:ann", kNewestMs, VIEW_ITEM, "fig")},
                          {}, Ack::kApplied)
                  .status());
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  const Derived ann_ =
      SessionsOf(Person::Customer("ann"), {{kNewestMs - kDayMs, kNewestMs - kDayMs},
                                           {kNewestMs, kNewestMs + kMinuteMs},
                                           {kNewestMs + kDayMs, kNewestMs + kDayMs}});
  const Derived visitor_ = SessionsOf(Person::Visitor("ann"), {{kNewestMs, kNewestMs}});
};

TEST_F(VisitsTest, AreTheStoresSessionsOldestFirst) {
  ASSERT_OK(house_->ReplaceDerived({{ann_, visitor_}}));
  const Visits visits = Value(LoadVisits(*house_, WeightSettings()));
  ASSERT_EQ(visits.persons.size(), 2u);
  const std::vector<Visit>& ann = visits.persons[0];
  ASSERT_EQ(ann.size(), 2u) << "a login is no visit that says anything about taste";
  EXPECT_EQ(ann[0].start_ms, kNewestMs - kDayMs);
  std::vector<std::string> products;
  for (const Action& action : ann[1].actions) products.push_back(visits.products[action.product]);
  EXPECT_THAT(products, ::testing::ElementsAre("fig", "pear", "apple"));
  EXPECT_EQ(ann[1].actions[0].kind, VIEW_ITEM);
  EXPECT_EQ(ann[1].actions[1].kind, PURCHASE);
  ASSERT_EQ(visits.persons[1].size(), 1u);
  EXPECT_EQ(visits.persons[1][0].actions[0].time_ms, kNewestMs);
}

TEST_F(VisitsTest, OfRobotsAreLeftOut) {
  Derived robot = visitor_;
  for (Session& session : robot.sessions) session.robot = {"operator"};
  ASSERT_OK(house_->ReplaceDerived({{ann_, robot}}));
  EXPECT_EQ(Value(LoadVisits(*house_, WeightSettings())).persons.size(), 1u);
}

TEST_F(VisitsTest, AreRefusedWhereSessionsAreNotUpToDate) {
  ASSERT_OK(house_->ReplaceDerived({{ann_}}));
  EXPECT_EQ(LoadVisits(*house_, WeightSettings()).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine
