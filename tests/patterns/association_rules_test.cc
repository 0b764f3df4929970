#include "recommender/patterns/association_rules.h"

#include <algorithm>
#include <bit>
#include <random>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;
using Items = std::vector<uint32_t>;

constexpr uint32_t kItems = 8;

bool ByItems(const Pattern& a, const Pattern& b) { return a.items < b.items; }

// The plain twin: every subset of kItems items, counted.
std::vector<Pattern> Plain(const Lists& baskets, const PatternOptions& options) {
  std::vector<Pattern> found;
  for (uint32_t subset = 1; subset < (1u << kItems); ++subset) {
    if (static_cast<size_t>(std::popcount(subset)) > options.max_length) continue;
    Pattern set;
    for (uint32_t item = 0; item < kItems; ++item) {
      if ((subset >> item & 1) != 0) set.items.push_back(item);
    }
    for (size_t i = 0; i < baskets.size(); ++i) {
      uint32_t basket = 0;
      for (const uint32_t item : baskets[i]) basket |= 1u << item;
      if ((basket & subset) == subset) ++set.count;
    }
    if (set.count >= options.min_count) found.push_back(std::move(set));
  }
  std::sort(found.begin(), found.end(), ByItems);
  return found;
}

TEST(FrequentSets, AgreesWithThePlainTwin) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 40; ++round) {
    Lists baskets;
    for (size_t n = random() % 25; n > 0; --n) {
      Items basket;  // some items more than once
      for (size_t size = random() % 7; size > 0; --size) {
        basket.push_back(static_cast<uint32_t>(std::min(random() % kItems, random() % kItems)));
      }
      baskets.Add(basket);
    }
    const PatternOptions options{.min_count = 1 + static_cast<int64_t>(random() % 4),
                                 .max_length = 1 + random() % 5};
    std::vector<Pattern> sets = Value(FrequentSets(baskets, options));
    std::sort(sets.begin(), sets.end(), ByItems);
    EXPECT_EQ(sets, Plain(baskets, options));
  }
}

TEST(Rules, HaveTheFiguresOfTheTextbook) {
  // Bread (0) in 4 of 5 baskets, butter (1) in 2, both in 2.
  Lists baskets;
  for (const Items& basket : {Items{0, 1}, {0, 1}, {0}, {0}, {2}}) baskets.Add(basket);
  const std::vector<AssociationRule> rules =
      Rules(Value(FrequentSets(baskets, {.min_count = 1})), baskets.size(), 0);
  ASSERT_EQ(rules.size(), 2u);
  const AssociationRule& rule = rules[0].antecedent == Items{1} ? rules[0] : rules[1];
  EXPECT_EQ(rule.antecedent, Items{1});
  EXPECT_EQ(rule.consequent, 0u);
  EXPECT_EQ(rule.count, 2);
  EXPECT_DOUBLE_EQ(rule.support, 0.4);
  EXPECT_DOUBLE_EQ(rule.confidence, 1.0);
  EXPECT_DOUBLE_EQ(rule.lift, 1.25);
  EXPECT_DOUBLE_EQ(rule.leverage, 0.4 - 0.4 * 0.8);
}

TEST(Rules, LeavesOutWhatIsTooUncertainAndPutsTheStrongestFirst) {
  Lists baskets;
  for (const Items& basket : {Items{0, 1}, {0, 1}, {0}, {0}, {2, 3}, {4}}) baskets.Add(basket);
  const std::vector<Pattern> sets = Value(FrequentSets(baskets, {.min_count = 1}));
  const std::vector<AssociationRule> rules = Rules(sets, baskets.size(), 0.6);
  ASSERT_EQ(rules.size(), 3u);  // not "bread, then butter", which holds in half of the cases
  EXPECT_DOUBLE_EQ(rules[0].lift, 6.0);
  EXPECT_EQ(rules[2].antecedent, Items{1});
}

}  // namespace
}  // namespace vitrine
