// The last visits that a training leaves out, and what they say about a new model.

#include "recommender/offline/gate.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "recommender/learn/trainer.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::DrawProduct;
using ::testing::ElementsAre;
using ::testing::Gt;
using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using ::testing::Lt;
using testing::MakeEvent;
using testing::ProductName;
using testing::TasteShape;
using testing::TempDir;
using testing::Value;

class GateTest : public ::testing::Test {
 protected:
  void Track(std::vector<Event> events) {
    ASSERT_OK(house_->Track(std::move(events), {}, Ack::kApplied).status());
  }

  // Everybody comes on several days and mostly keeps to one group of products.
  void OpenAShop() {
    const TasteShape shape = {.products = 60, .groups = 6};
    std::mt19937 random(5);
    std::vector<Event> events;
    for (int person = 0; person < 150; ++person) {
      const size_t group = random() % shape.groups;
      for (int day = 0; day < 4; ++day) {
        for (int i = 0; i < 4; ++i) {
          events.push_back(MakeEvent(absl::StrCat("e", events.size()), absl::StrCat("c", person),
                                     kNewestMs - day * kDayMs - i * kMinuteMs, VIEW_ITEM,
                                     ProductName(DrawProduct(group, shape, &random))));
        }
      }
    }
    Track(std::move(events));
  }

  Model Train(const Interactions& interactions, uint32_t epochs) {
    return Value(TrainModel(interactions, {.als = {.factors = 8, .epochs = epochs}}));
  }

  TempDir dir_;
  std::unique_ptr<WebHouse> house_ = Value(WebHouse::Open({.directory = dir_.File("db")}));
};

TEST_F(GateTest, TheLastVisitIsLeftOutOfTheTraining) {
  Track({MakeEvent("1", "ann", kNewestMs - kDayMs, PURCHASE, "pear"),
         MakeEvent("2", "ann", kNewestMs - kDayMs, VIEW_ITEM, "plum"),
         MakeEvent("3", "ann", kNewestMs - 20 * kMinuteMs, VIEW_ITEM, "fig"),
         MakeEvent("4", "ann", kNewestMs, VIEW_ITEM, "plum"),
         MakeEvent("5", "ann", kNewestMs, PURCHASE, "pear"),
         MakeEvent("6", "ann", kNewestMs + kDayMs, LOGIN),  // says nothing
         MakeEvent("7", "bob", kNewestMs, VIEW_ITEM, "kiwi")});
  const TrainingData data =
      Value(GatherTraining(*house_, {}, {.visits_max = 10, .one_person_in = 1}));
  ASSERT_EQ(data.held_out.size(), 1u);  // bob was never there before
  const HeldOutVisit& visit = data.held_out[0];
  EXPECT_EQ(visit.start_ms, kNewestMs - 20 * kMinuteMs);
  EXPECT_THAT(visit.products, ::testing::UnorderedElementsAre("fig", "plum"));
  EXPECT_EQ(visit.history.size(), 2u);
  EXPECT_THAT(data.interactions.products, ElementsAre("kiwi", "pear", "plum"));
  EXPECT_EQ(data.interactions.newest_ms, kNewestMs);

  const TrainingData all = Value(GatherTraining(*house_, {}, {}));
  EXPECT_TRUE(all.held_out.empty());
  EXPECT_THAT(all.interactions.products, ElementsAre("fig", "kiwi", "pear", "plum"));
}

TEST_F(GateTest, GathersTheProductsOfEachOrder) {
  const auto order = [](Event event, absl::string_view id) {
    event.__set_order_id(std::string(id));
    return event;
  };
  Track({order(MakeEvent("1", "ann", kNewestMs, PURCHASE, "plum"), "A"),
         order(MakeEvent("2", "ann", kNewestMs + 1, PURCHASE, "fig"), "A"),
         order(MakeEvent("3", "ann", kNewestMs + 2, PURCHASE, "pear"), "B"),  // alone
         MakeEvent("4", "bob", kNewestMs, PURCHASE, "pear"),
         MakeEvent("5", "bob", kNewestMs, PURCHASE, "kiwi"),
         MakeEvent("6", "bob", kNewestMs, PURCHASE, "pear"),
         MakeEvent("7", "bob", kNewestMs + 9, PURCHASE, "fig"),
         MakeEvent("8", "bob", kNewestMs, VIEW_ITEM, "plum")});
  const TrainingData data = Value(GatherTraining(*house_, {}, {}));
  ASSERT_THAT(data.interactions.products, ElementsAre("fig", "kiwi", "pear", "plum"));
  ASSERT_EQ(data.baskets.rows(), 2u);
  EXPECT_EQ(data.baskets.columns, 4u);
  EXPECT_THAT(data.baskets.row(0), ElementsAre(Cell{0, 1}, Cell{3, 1}));
  EXPECT_THAT(data.baskets.row(1), ElementsAre(Cell{1, 1}, Cell{2, 1}));
}

TEST_F(GateTest, HoldsOutSoManyAndAlwaysTheSame) {
  OpenAShop();
  const HoldOutOptions options = {.visits_max = 20, .one_person_in = 3};
  const TrainingData data = Value(GatherTraining(*house_, {}, options));
  EXPECT_EQ(data.held_out.size(), 20u);
  EXPECT_EQ(Value(GatherTraining(*house_, {}, options)).interactions.by_person.cells,
            data.interactions.by_person.cells);
}

TEST_F(GateTest, AWorseModelIsToldFromAnEqualOne) {
  OpenAShop();
  const TrainingData data =
      Value(GatherTraining(*house_, {}, {.visits_max = 1000, .one_person_in = 1}));
  Model served = Train(data.interactions, 5);
  served.newest_ms = kNewestMs - 2 * kDayMs;
  const Model equal = Train(data.interactions, 6);
  EXPECT_EQ(JudgeModel(equal, &served, data.held_out).outcome, GateOutcome::kNotWorse);

  // The same products in the order in which chance puts them: nobody's tastes.
  Interactions mixed_up = data.interactions;
  std::mt19937 random(6);
  std::vector<uint32_t> order(mixed_up.products.size());
  for (size_t r = 0; r < mixed_up.by_person.rows(); ++r) {
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::shuffle(order, random);
    const auto begin = static_cast<size_t>(mixed_up.by_person.offsets[r]);
    const auto end = static_cast<size_t>(mixed_up.by_person.offsets[r + 1]);
    std::sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(end - begin));
    for (size_t c = begin; c < end; ++c) mixed_up.by_person.cells[c].index = order[c - begin];
  }
  Model worse = Train(mixed_up, 5);
  worse.newest_ms = served.newest_ms;
  const GateVerdict verdict = JudgeModel(worse, &served, data.held_out);
  EXPECT_EQ(verdict.outcome, GateOutcome::kWorse);
  EXPECT_FALSE(verdict.may_publish());
  EXPECT_THAT(verdict.ndcg, Lt(verdict.served_ndcg));
  EXPECT_THAT(verdict.difference.high, Lt(0));
  EXPECT_EQ(JudgeModel(served, &worse, data.held_out).outcome, GateOutcome::kNotWorse);
}

TEST_F(GateTest, VisitsThatTheServedModelKnowsDoNotSpeakForIt) {
  OpenAShop();
  const TrainingData data =
      Value(GatherTraining(*house_, {}, {.visits_max = 1000, .one_person_in = 1}));
  const Model model = Train(data.interactions, 2);
  Model served = Train(data.interactions, 2);
  served.newest_ms = kNewestMs + 1;
  const GateVerdict verdict = JudgeModel(model, &served, data.held_out);
  EXPECT_EQ(verdict.outcome, GateOutcome::kTooFewVisits);
  EXPECT_EQ(verdict.visits, 0u);
  EXPECT_TRUE(verdict.may_publish());

  const GateVerdict first = JudgeModel(model, nullptr, data.held_out);
  EXPECT_EQ(first.outcome, GateOutcome::kNothingServed);
  EXPECT_THAT(first.visits, Gt(100u));
  EXPECT_THAT(first.ndcg, Gt(0));
}

}  // namespace
}  // namespace vitrine
