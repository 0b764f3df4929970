#include "recommender/offline/list_learning.h"

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "recommender/offline/session_log.h"
#include "tests/recommender/hourly_sessions.h"
#include "tests/recommender/session_sets.h"
#include "tests/recommender/taste_data.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::ProductName;
using testing::Value;

constexpr uint32_t kSeed = 5;
constexpr uint32_t kProducts = 120;
constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kGapMs = kHourMs / 2;
constexpr ListLearningOptions kOptions = {.questions_max = 500,
                                          .questions_min = 300,
                                          .session_answers_max = 30'000,
                                          .mix_answers_max = 20'000,
                                          .threads = 1};

// Products whose factors say nothing; each is linked to the next one.
Model ChainModel() {
  std::mt19937 random(kSeed);
  ModelParts parts;
  parts.als.factors = 8;
  parts.factors.resize(kProducts, 8);
  for (float& x : parts.factors.reshaped()) x = std::normal_distribution<float>()(random);
  parts.viewed_also_viewed.offsets = {0};
  for (uint32_t p = 0; p < kProducts; ++p) {
    parts.products.push_back(ProductName(p));
    parts.popularity.push_back(1);
    parts.viewed_also_viewed.links.push_back({(p + 1) % kProducts, 9, 0.5f});
    parts.viewed_also_viewed.offsets.push_back(p + 1);
  }
  return Value(MakeModel(std::move(parts)));
}

// Whoever viewed a product looks at the one that `next` says.
std::vector<HeldOutVisit> Visits(size_t count, const std::function<uint32_t(uint32_t)>& next) {
  std::mt19937 random(kSeed);
  std::vector<HeldOutVisit> visits(count);
  for (HeldOutVisit& visit : visits) {
    const uint32_t product = random() % kProducts;
    visit.start_ms = 10 * kHourMs;
    visit.history = {testing::MakeEvent("e", "c", kHourMs, VIEW_ITEM, ProductName(product))};
    visit.products = {ProductName(next(product))};
  }
  return visits;
}

NewestSessions NoSessions() {
  NewestSessions sessions(kGapMs, {});
  sessions.Finish();
  return sessions;
}

TEST(ListLearning, MixesMoreOfTheSourceThatIsRight) {
  const Model model = ChainModel();
  const std::vector<HeldOutVisit> visits =
      Visits(600, [](uint32_t product) { return (product + 1) % kProducts; });
  const LearnedLists learned = Value(LearnLists(model, NoSessions(), visits, kOptions));
  EXPECT_EQ(learned.home.cases, 300u);
  EXPECT_TRUE(learned.home.used);
  EXPECT_GT(learned.home.after, learned.home.before + 0.1);
  ASSERT_TRUE(learned.mix.has_value());
  const MixRecipe& home = (*learned.mix)[Situation::kHome];
  EXPECT_GT(home[MixSource::kLinks].weight, home[MixSource::kTaste].weight);
  EXPECT_EQ((*learned.mix)[Situation::kVisit], MixSettings::Default()[Situation::kVisit]);
  EXPECT_EQ(learned.session.cases, 0u);
  EXPECT_FALSE(learned.blend.has_value());
}

TEST(ListLearning, LeavesTheDefaultsWhereNothingIsBetter) {
  const Model model = ChainModel();
  std::mt19937 random(kSeed + 1);
  const std::vector<HeldOutVisit> visits =
      Visits(600, [&](uint32_t) { return static_cast<uint32_t>(random() % kProducts); });
  const LearnedLists learned = Value(LearnLists(model, NoSessions(), visits, kOptions));
  EXPECT_EQ(learned.home.cases, 300u);
  EXPECT_FALSE(learned.home.used) << learned.home.before << " " << learned.home.after;
  EXPECT_FALSE(learned.mix.has_value());
}

TEST(ListLearning, SaysSoWhereThereIsTooLittle) {
  const Model model = ChainModel();
  const std::vector<HeldOutVisit> visits = Visits(30, [](uint32_t product) { return product; });
  const LearnedLists learned = Value(LearnLists(model, NoSessions(), visits, kOptions));
  EXPECT_EQ(learned.home.cases, 0u);
  EXPECT_EQ(learned.session.cases, 0u);
}

// Every other click follows from the one before the last; those between mean nothing, which the
// defaults, who trust the last click most, cannot know.
TEST(ListLearning, FindsHowVisitsGoOnHere) {
  std::mt19937 random(kSeed);
  SessionLog log;
  for (int s = 0; s < 1500; ++s) {
    uint32_t product = random() % kProducts;
    std::vector<uint32_t> clicks;
    for (int i = 0; i < 4; ++i) {
      clicks.push_back(product);
      clicks.push_back(static_cast<uint32_t>(random() % kProducts));
      product = (product * 7 + 3) % kProducts;
    }
    log.Append(clicks);
  }
  const Model model = ChainModel();
  const LearnedLists learned = Value(LearnLists(model, testing::HourlySessions(log), {}, kOptions));
  EXPECT_EQ(learned.session.cases, 500u);
  EXPECT_TRUE(learned.session.used) << learned.session.before << " " << learned.session.after;
  EXPECT_GT(learned.session.after, learned.session.before);
  const LearnedLists again = Value(LearnLists(model, testing::HourlySessions(log), {}, kOptions));
  EXPECT_EQ(again.blend, learned.blend);
}

}  // namespace
}  // namespace vitrine
