#include "recommender/rank/ranker.h"

#include <algorithm>
#include <set>

#include "recommender/rank/fold_in.h"
#include "tests/recommender/taste_data.h"

namespace vitrine {
namespace {

using testing::GroupOf;
using testing::kDayMs;
using testing::kMinuteMs;
using testing::kNewestMs;
using testing::MakeEvent;
using testing::ProductName;
using testing::TasteShape;

constexpr TasteShape kShape = {.persons = 600, .products = 200, .groups = 10, .purchases = 15};

const Model& Shop() {
  static const Model& model = *new Model(testing::MakeModel(kShape, 61, {.factors = 24}));
  return model;
}

RankOptions OptionsAt(int64_t now_ms, size_t k = 10) { return {.k = k, .now_ms = now_ms}; }

std::vector<uint32_t> ProductsOf(const RankedList& list) {
  std::vector<uint32_t> products;
  for (const Ranked& ranked : list.products) products.push_back(ranked.product);
  return products;
}

size_t CountNew(const RankedList& list, const RankedList& before) {
  const std::vector<uint32_t> old = ProductsOf(before);
  const std::vector<uint32_t> products = ProductsOf(list);
  return static_cast<size_t>(std::count_if(products.begin(), products.end(), [&](uint32_t p) {
    return std::find(old.begin(), old.end(), p) == old.end();
  }));
}

// `count` purchases of products of two groups, newest first, the last a week ago.
std::vector<Event> LongHistory(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Event> history;
  for (size_t i = 0; i < count; ++i) {
    const size_t product = testing::DrawProduct(random() % 2, kShape, &random);
    history.push_back(MakeEvent("e", "c", kNewestMs - static_cast<int64_t>(7 + i) * kDayMs,
                                PURCHASE, ProductName(product)));
  }
  return history;
}

// Three clicks on products of `group`, a minute apart, before the history.
std::vector<Event> WithClicks(std::vector<Event> history, size_t group, int64_t now_ms) {
  for (size_t i = 0; i < 3; ++i) {
    history.insert(history.begin(),
                   MakeEvent("e", "c", now_ms - static_cast<int64_t>(3 - i) * kMinuteMs, VIEW_ITEM,
                             ProductName(group + i * kShape.groups)));
  }
  return history;
}

TEST(CurrentSession, EndsAtTheFirstLongPause) {
  std::vector<Act> acts;
  for (const int64_t minutes_ago : {5, 30, 55, 90, 95}) {
    acts.push_back({.time_ms = kNewestMs - minutes_ago * kMinuteMs});
  }
  EXPECT_EQ(CurrentSession(acts, kNewestMs, 30 * kMinuteMs), 3u);
  EXPECT_EQ(CurrentSession(acts, kNewestMs + 26 * kMinuteMs, 30 * kMinuteMs), 0u);
  EXPECT_EQ(CurrentSession(acts, kNewestMs, 60 * kMinuteMs), 5u);
  EXPECT_EQ(CurrentSession({}, kNewestMs, 30 * kMinuteMs), 0u);
}

TEST(Recommend, SuggestsWhatPeopleOfTheSameTasteBought) {
  std::vector<Event> history;
  for (const size_t p : {4, 14, 24, 34}) {
    history.push_back(MakeEvent("e", "c", kNewestMs - kDayMs, PURCHASE, ProductName(p)));
  }
  const RankedList list = Recommend(Shop(), history, OptionsAt(kNewestMs));
  EXPECT_EQ(list.history_events, 4);
  ASSERT_EQ(list.products.size(), 10u);
  size_t same_group = 0;
  for (const Ranked& ranked : list.products) {
    EXPECT_EQ(ranked.source, ListSource::kTaste);
    same_group += GroupOf(ranked.product, kShape) == 4;
  }
  EXPECT_GE(same_group, 8u);
}

TEST(Recommend, MovesTheListAtOnceWithTheSession) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    const std::vector<Event> history = LongHistory(100, seed);
    const std::vector<Event> clicked = WithClicks(history, /*group=*/7, kNewestMs);
    absl::flat_hash_set<uint32_t> seen;
    for (size_t i = 0; i < 3; ++i) seen.insert(*Shop().Find(clicked[i].items[0].product_id));
    RankOptions options = OptionsAt(kNewestMs);
    options.exclude = &seen;  // so that what changes is not only that these are gone
    const RankedList before = Recommend(Shop(), history, options);
    const RankedList after = Recommend(Shop(), clicked, options);
    EXPECT_GE(CountNew(after, before), 3u) << "seed " << seed;

    options.session_share = 0;
    EXPECT_LT(CountNew(Recommend(Shop(), clicked, options), before), CountNew(after, before))
        << "what the session's share is for; seed " << seed;
  }
}

TEST(Recommend, WithoutASessionIsThePlainFoldIn) {
  const std::vector<Event> history = WithClicks(LongHistory(20, 3), 7, kNewestMs);
  const int64_t later = kNewestMs + kDayMs;
  RankOptions no_share = OptionsAt(later);
  no_share.session_share = 0;
  const RankedList list = Recommend(Shop(), history, OptionsAt(later));
  const RankedList plain = Recommend(Shop(), history, no_share);
  EXPECT_EQ(ProductsOf(list), ProductsOf(plain));
  const Eigen::VectorXf taste = MakeProfile(Shop(), history).taste;
  for (const Ranked& ranked : list.products) {
    EXPECT_NEAR(ranked.score, Shop().factors.row(ranked.product).dot(taste), 1e-5);
  }
}

TEST(Recommend, LeavesOutWhatWasBoughtAndWhatIsBeingLookedAt) {
  const std::vector<Event> history = WithClicks(LongHistory(30, 4), 7, kNewestMs);
  std::set<uint32_t> bought, seen;
  for (size_t i = 0; i < history.size(); ++i) {
    (i < 3 ? seen : bought).insert(*Shop().Find(history[i].items[0].product_id));
  }
  const auto listed = [&](const RankOptions& options, const std::set<uint32_t>& products) {
    const std::vector<uint32_t> list = ProductsOf(Recommend(Shop(), history, options));
    return std::any_of(list.begin(), list.end(), [&](uint32_t p) { return products.contains(p); });
  };
  RankOptions options = OptionsAt(kNewestMs, 100);
  EXPECT_FALSE(listed(options, bought));
  EXPECT_FALSE(listed(options, seen));
  options.exclude_bought = false;
  EXPECT_TRUE(listed(options, bought));
  EXPECT_FALSE(listed(options, seen));
  options.exclude_seen = false;
  EXPECT_TRUE(listed(options, seen));
}

TEST(Recommend, ShowsWhatIsPopularToAStranger) {
  const RankedList list = Recommend(Shop(), std::vector<Event>(), OptionsAt(kNewestMs));
  EXPECT_EQ(list.history_events, 0);
  ASSERT_EQ(list.products.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(list.products[i].product, Shop().by_popularity[i]);
    EXPECT_EQ(list.products[i].source, ListSource::kPopular);
  }
  const std::vector<Event> unknown = {MakeEvent("e", "c", kNewestMs, PURCHASE, "unheard of")};
  EXPECT_EQ(ProductsOf(Recommend(Shop(), unknown, OptionsAt(kNewestMs))), ProductsOf(list));
}

TEST(Recommend, IsNeverShortUnlessTheCatalogueIs) {
  std::vector<Event> history;  // someone who bought nearly everything
  for (size_t p = 0; p < 195; ++p) {
    history.push_back(MakeEvent("e", "c", kNewestMs - kDayMs, PURCHASE, ProductName(p)));
  }
  for (const size_t k : {5, 10, 200, 500}) {
    const std::vector<uint32_t> list =
        ProductsOf(Recommend(Shop(), history, OptionsAt(kNewestMs, k)));
    EXPECT_EQ(list.size(), std::min<size_t>(k, 200));
    EXPECT_EQ(std::set(list.begin(), list.end()).size(), list.size()) << "a product is there twice";
    for (size_t i = 0; i < 5; ++i) EXPECT_GE(list[i], 195u) << "what is new comes first";
  }
}

TEST(Recommend, NeverListsWhatTheCallerExcludes) {
  absl::flat_hash_set<uint32_t> exclude = {1'000'000};  // not even there
  for (uint32_t p = 0; p < 195; ++p) exclude.insert(p);
  for (const std::vector<Event>& history : {std::vector<Event>(), LongHistory(30, 5)}) {
    RankOptions options = OptionsAt(kNewestMs);
    options.exclude = &exclude;
    const std::vector<uint32_t> list = ProductsOf(Recommend(Shop(), history, options));
    EXPECT_EQ(list.size(), 5u);
    for (const uint32_t product : list) EXPECT_GE(product, 195u);
  }
}

TEST(Similar, FindsProductsOfTheSameGroupByCosine) {
  const Model& shop = Shop();
  const RankedList list = Similar(shop, 33, 10);
  ASSERT_EQ(list.products.size(), 10u);
  size_t same_group = 0;
  for (const Ranked& ranked : list.products) {
    EXPECT_NE(ranked.product, 33u);
    EXPECT_EQ(ranked.source, ListSource::kSimilar);
    const Eigen::VectorXf a = shop.factors.row(33).normalized();
    const Eigen::VectorXf b = shop.factors.row(ranked.product).normalized();
    EXPECT_NEAR(ranked.score, a.dot(b), 1e-5);
    same_group += GroupOf(ranked.product, kShape) == 3;
  }
  EXPECT_GE(same_group, 8u);
  EXPECT_EQ(Similar(shop, 33, 1000).products.size(), 199u);
}

}  // namespace
}  // namespace vitrine
