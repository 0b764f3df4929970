#include "recommender/learn/trainer.h"

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "recommender/learn/als/als.h"
#include "recommender/learn/held_out.h"
#include "store/base/atomic_file.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::kDayMs;
using testing::kNewestMs;
using testing::MakeEvent;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::ProductName;
using testing::TempDir;
using testing::Value;

class TrainerTest : public ::testing::Test {
 protected:
  void Track(std::vector<Event> events) {
    ASSERT_OK(house_->Track(std::move(events), {}, Ack::kApplied).status());
  }

  // Customers and visitors who buy from two groups of products.
  void OpenAShop() {
    std::mt19937 random(71);
    std::vector<Event> events;
    for (int person = 0; person < 40; ++person) {
      const std::string name = absl::StrCat(person % 4 == 0 ? "v:" : "", "somebody", person);
      for (int i = 0; i < 8; ++i) {
        const size_t product = random() % 20 * 2 + static_cast<size_t>(person % 2);
        events.push_back(MakeEvent(absl::StrCat("e", events.size()), name,
                                   kNewestMs - static_cast<int64_t>(events.size()) * 1000, PURCHASE,
                                   ProductName(product)));
      }
    }
    events.push_back(MakeEvent("late", "somebody1", kNewestMs + kDayMs, LOGIN));
    Track(events);
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
  const TrainOptions options_ = {
      .als = {.factors = 8, .epochs = 3},
      .now_ms = absl::ToUnixMillis(
          absl::FromCivil(absl::CivilSecond(2026, 11, 22, 10, 15, 0), absl::UTCTimeZone()))};
};

TEST_F(TrainerTest, GathersEachPersonOnceAndCountsAgesFromTheNewestEventThatCounts) {
  Track({MakeEvent("1", "ann", kNewestMs, PURCHASE, "pear"),
         MakeEvent("2", "ann", kNewestMs - 180 * kDayMs, PURCHASE, "apple"),
         MakeEvent("3", "v:ann", kNewestMs, VIEW_ITEM, "apple"),
         MakeEvent("4", "bob", kNewestMs + kDayMs, LOGIN)});
  const Interactions all =
      Value(GatherTraining(*house_, {.view_item = 1, .purchase = 4, .half_life_days = 180}, {}))
          .interactions;
  EXPECT_EQ(all.newest_ms, kNewestMs);
  EXPECT_THAT(all.products, ElementsAre("apple", "pear"));
  ASSERT_EQ(all.by_person.rows(), 2u);
  EXPECT_THAT(all.by_person.row(0), ElementsAre(Cell{0, 2}, Cell{1, 4}));
  EXPECT_THAT(all.by_person.row(1), ElementsAre(Cell{0, 1}));
}

TEST_F(TrainerTest, WhatALoggedInVisitorDidIsTheCustomers) {
  Event login = MakeEvent("2", "ann", kNewestMs, LOGIN);
  login.__set_visitor_id("cookie");
  Track({MakeEvent("1", "v:cookie", kNewestMs, VIEW_ITEM, "apple"), login,
         MakeEvent("3", "ann", kNewestMs, PURCHASE, "pear"),
         MakeEvent("4", "v:other", kNewestMs, VIEW_ITEM, "pear")});
  const Interactions all =
      Value(GatherTraining(*house_, {.view_item = 1, .purchase = 4, .half_life_days = 180}, {}))
          .interactions;
  ASSERT_EQ(all.by_person.rows(), 2u);
  EXPECT_THAT(all.by_person.row(0), ElementsAre(Cell{0, 1}, Cell{1, 4}));
  EXPECT_THAT(all.by_person.row(1), ElementsAre(Cell{1, 1}));
}

TEST_F(TrainerTest, RobotsTeachNothingUntilTheVerdictIsTakenBack) {
  Track({MakeEvent("1", "ann", kNewestMs, PURCHASE, "pear"),
         MakeEvent("2", "v:bot", kNewestMs + kDayMs, VIEW_ITEM, "fig"),
         MakeEvent("3", "v:zoe", kNewestMs, VIEW_ITEM, "apple")});
  Derived bot;
  bot.person = Person::Visitor("bot");
  bot.robot = {"operator"};
  ASSERT_OK(house_->ReplaceDerived({&bot, 1}));
  const Interactions without = Value(GatherTraining(*house_, {}, {})).interactions;
  EXPECT_THAT(without.products, ElementsAre("apple", "pear"));
  EXPECT_EQ(without.newest_ms, kNewestMs);
  bot.robot.clear();
  ASSERT_OK(house_->ReplaceDerived({&bot, 1}));
  EXPECT_THAT(Value(GatherTraining(*house_, {}, {})).interactions.products,
              ElementsAre("apple", "fig", "pear"));
}

TEST_F(TrainerTest, MakesAModelThatSaysWhatItIs) {
  OpenAShop();
  const Model model = Value(TrainModel(*house_, options_));
  EXPECT_THAT(model.id, MatchesRegex("20261122T101500Z-[0-9a-f]{8}"));
  EXPECT_EQ(model.trained_at_ms, options_.now_ms);
  EXPECT_EQ(model.newest_ms, kNewestMs);
  EXPECT_EQ(model.persons, 40);
  EXPECT_EQ(model.products.size(), 40u);
  EXPECT_EQ(model.factors.rows(), 40);
  EXPECT_EQ(model.factors.cols(), 8);
  EXPECT_GT(model.interactions, 100);
  EXPECT_GT(model.train_seconds, 0);
  EXPECT_GE(model.popularity[model.by_popularity[0]], model.popularity[model.by_popularity[1]]);
}

TEST_F(TrainerTest, NamesTheSameContentAlike) {
  OpenAShop();
  const Model first = Value(TrainModel(*house_, options_));
  EXPECT_EQ(Value(TrainModel(*house_, options_)).id, first.id);
  Track({MakeEvent("new", "zoe", kNewestMs, PURCHASE, ProductName(1))});
  EXPECT_NE(Value(TrainModel(*house_, options_)).id, first.id);
}

TEST_F(TrainerTest, WritesNobodyIntoTheModelFile) {
  OpenAShop();
  ASSERT_OK(WriteModel(Value(TrainModel(*house_, options_)), dir_.File("a.model")));
  const std::string bytes = Value(ReadFile(dir_.File("a.model"), 1 << 20));
  EXPECT_THAT(bytes, HasSubstr(ProductName(7)));
  EXPECT_THAT(bytes, Not(HasSubstr("somebody")));
}

TEST_F(TrainerTest, TellsHowLongItTakes) {
  OpenAShop();
  std::vector<TrainProgress> heard;
  TrainOptions options = options_;
  options.on_progress = [&](const TrainProgress& progress) { heard.push_back(progress); };
  Value(TrainModel(*house_, options));
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].epoch, 1u);
  EXPECT_EQ(heard[0].epochs, 3u);
  EXPECT_GT(heard[0].seconds_left, 0);
  EXPECT_EQ(heard[2].seconds_left, 0);
}

// A catalogue in which everything that a person did not touch outweighs what they did.
TEST(Trainer, ChoosesAnUnobservedWeightThatLeavesSomethingOfALargeCatalogue) {
  const Interactions many =
      testing::MakeInteractions({.persons = 3000, .products = 20'000, .groups = 20}, 5);
  TrainOptions options{.als = {.factors = 8, .epochs = 4}};
  const Model fitted = Value(TrainModel(many, options));
  EXPECT_GT(fitted.factors.cwiseAbs().maxCoeff(), 0.1f);
  EXPECT_EQ(fitted.als.unobserved_weight, SuitableUnobservedWeight(many.by_person));
  EXPECT_LT(fitted.als.unobserved_weight, 0.1f);

  options.als.fit_unobserved_weight = false;  // what is given is kept, wise or not
  const Model given = Value(TrainModel(many, options));
  EXPECT_EQ(given.als.unobserved_weight, options.als.unobserved_weight);
  EXPECT_LT(given.factors.cwiseAbs().maxCoeff(), 0.01f);

  const Interactions few = testing::MakeInteractions({}, 5);
  EXPECT_EQ(SuitableUnobservedWeight(few.by_person), AlsSettings().unobserved_weight);
}

TEST_F(TrainerTest, RefusesToLearnFromNothing) {
  EXPECT_EQ(TrainModel(*house_, options_).status().code(), absl::StatusCode::kFailedPrecondition);
  Track(
      {MakeEvent("1", "ann", kNewestMs, LOGIN), MakeEvent("2", "ann", kNewestMs, REFUND, "pear")});
  EXPECT_EQ(TrainModel(*house_, options_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TrainModel(Interactions(), options_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(TrainerTest, RefusesSettingsOutOfRange) {
  OpenAShop();
  TrainOptions options = options_;
  options.als.factors = 0;
  EXPECT_EQ(TrainModel(*house_, options).status().code(), absl::StatusCode::kInvalidArgument);
  options = options_;
  options.weights.half_life_days = -1;
  EXPECT_EQ(TrainModel(*house_, options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
