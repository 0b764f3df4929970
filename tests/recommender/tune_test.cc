#include "recommender/offline/tune.h"

#include <random>

#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::DrawProduct;
using ::testing::Each;
using ::testing::Field;
using ::testing::Ge;
using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::ProductName;
using testing::TasteShape;
using testing::Value;

Visits MakeVisits(uint32_t seed) {
  const TasteShape shape = {.products = 80, .groups = 8};
  std::mt19937 random(seed);
  Visits visits;
  for (size_t p = 0; p < shape.products; ++p) visits.products.push_back(ProductName(p));
  for (size_t person = 0; person < 200; ++person) {
    std::vector<Visit>& mine = visits.persons.emplace_back();
    const size_t group = random() % shape.groups;
    for (int day = 3; day >= 0; --day) {
      Visit& visit = mine.emplace_back();
      visit.start_ms = kNewestMs - day * kDayMs;
      for (int i = 0; i < 4; ++i) {
        visit.actions.push_back({visit.start_ms + i * kMinuteMs,
                                 static_cast<uint32_t>(DrawProduct(group, shape, &random)),
                                 VIEW_ITEM});
      }
    }
  }
  return visits;
}

TEST(TuneTest, TriesManyAndTakesFurtherWhatIsBetter) {
  const Visits visits = MakeVisits(3);
  TuneFactorizationOptions options;
  options.start.als = {.factors = 8, .threads = 1};
  options.trials = 9;
  const FactorizationTuning tuning = Value(TuneFactorization(visits, options));
  ASSERT_EQ(tuning.trials.size(), 9u);
  EXPECT_FALSE(tuning.out_of_budget);
  std::vector<uint32_t> rungs;
  for (const Trial& trial : tuning.trials) rungs.push_back(trial.rungs);
  EXPECT_THAT(rungs, ::testing::ElementsAre(4, 2, 2, 1, 1, 1, 1, 1, 1));
  // Of those that were asked the same, the better went on.
  for (size_t t = 4; t < tuning.trials.size(); ++t) {
    EXPECT_GE(tuning.trials[t - 1].quality(), tuning.trials[t].quality());
  }
  EXPECT_EQ(tuning.better_than_start, tuning.gain.low > 0);
  EXPECT_EQ(tuning.chosen.als.factors, 8u);
  EXPECT_EQ(TuningReport(tuning).tables[0].rows.size(), 9u);
}

TEST(TuneTest, LeavesBadSettingsBehind) {
  const Visits visits = MakeVisits(4);
  TuneFactorizationOptions options;
  // Forgets everything at once.
  options.start.als = {.factors = 8, .unobserved_weight = 50, .regularization = 50, .threads = 1};
  options.trials = 9;
  const FactorizationTuning tuning = Value(TuneFactorization(visits, options));
  EXPECT_TRUE(tuning.better_than_start);
  EXPECT_NE(tuning.chosen.als.regularization, 50);
  EXPECT_GT(tuning.gain.low, 0);
}

// A clock that a minute goes by on whenever somebody looks at it.
class FastClock : public Clock {
 public:
  int64_t NowMs() const override { return 0; }
  int64_t SteadyNs() const override { return now_ns_ += 60'000'000'000; }

 private:
  mutable int64_t now_ns_ = 0;
};

TEST(TuneTest, StopsWhenTheBudgetDoesNotLast) {
  const Visits visits = MakeVisits(5);
  const FastClock clock;
  TuneFactorizationOptions options;
  options.start.als = {.factors = 4, .threads = 1};
  options.trials = 50;
  options.budget_seconds = 600;
  options.clock = &clock;
  const FactorizationTuning tuning = Value(TuneFactorization(visits, options));
  EXPECT_TRUE(tuning.out_of_budget);
  EXPECT_LT(tuning.trials.size(), 10u);
  EXPECT_THAT(tuning.trials, Each(Field(&Trial::rungs, Ge(1u))));
}

TEST(TuneTest, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(TuneFactorization(MakeVisits(1), {.trials = 0}).ok());
  EXPECT_FALSE(TuneFactorization(MakeVisits(1), {.budget_seconds = 0}).ok());
  EXPECT_FALSE(TuneFactorization({}, {}).ok());
}

}  // namespace
}  // namespace vitrine
