#include "recommender/patterns/page_flow.h"

#include <map>
#include <random>

#include "recommender/patterns/funnel.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

TEST(PageFlow, CountsPathsAndWhatComesNext) {
  PageFlow flow(100, 3);
  flow.Add(std::vector<std::string>{"/", "/a", "/a", "/cart"});
  flow.Add(std::vector<std::string>{"/", "/a", "/cart"});
  flow.Add(std::vector<std::string>{"/", "/a", "/b", "/cart"});
  flow.Add({});
  EXPECT_EQ(flow.visits(), 3);
  EXPECT_EQ(flow.error(), 0);
  EXPECT_THAT(flow.TopPaths(5), ElementsAre(PathCount{{"/", "/a", "/cart"}, false, 2, 2.0 / 3},
                                            PathCount{{"/", "/a", "/b"}, true, 1, 1.0 / 3}));
  EXPECT_THAT(flow.TopTransitions(3),
              ElementsAre(Transition{"/", "/a", 3, 1.0}, Transition{"/cart", "", 3, 1.0},
                          Transition{"/a", "/cart", 2, 0.5}));
  EXPECT_THAT(flow.TopTransitions(9), ::testing::Contains(Transition{"/a", "/a", 1, 0.25}));
}

TEST(HeavyHitters, CountsWithinItsBoundWhateverComes) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  constexpr size_t kCapacity = 50;
  HeavyHitters<uint64_t> hitters(kCapacity);
  std::map<uint64_t, int64_t> truth;
  for (int i = 0; i < 50'000; ++i) {
    // Half of the stream is 20 keys, half is noise.
    const uint64_t key = random() % 2 == 0 ? random() % 20 : random() % 100'000;
    hitters.Add(key);
    ++truth[key];
  }
  EXPECT_EQ(hitters.total(), 50'000);
  EXPECT_GT(hitters.error(), 0);
  EXPECT_LE(hitters.error(), hitters.total() / static_cast<int64_t>(kCapacity));
  EXPECT_LE(hitters.Top(1000).size(), 2 * kCapacity);
  for (const auto& [key, count] : truth) {
    EXPECT_LE(hitters.CountOf(key), count);
    EXPECT_GE(hitters.CountOf(key), count - hitters.error());
  }
  for (const auto& entry : hitters.Top(20)) EXPECT_LT(entry.key, 20u);
}

TEST(HeavyHitters, IsExactForFewKeys) {
  HeavyHitters<std::string> hitters(2);
  for (const char* key : {"a", "b", "c", "d", "d", "a", "d"}) hitters.Add(key);
  EXPECT_EQ(hitters.error(), 0);
  using Entry = HeavyHitters<std::string>::Entry;
  EXPECT_THAT(hitters.Top(3), ElementsAre(Entry{"d", 3}, Entry{"a", 2}, Entry{"b", 1}));
}

TEST(Funnel, CountsWhoGotThereOrFarther) {
  EXPECT_THAT(Funnel(std::vector<int64_t>{4, 3, 0, 1}),
              ElementsAre(FunnelStep{8, 1.0, 1.0}, FunnelStep{4, 0.5, 0.5},
                          FunnelStep{1, 0.125, 0.25}, FunnelStep{1, 0.125, 1.0}));
  EXPECT_THAT(Funnel(std::vector<int64_t>{0, 0}),
              ElementsAre(FunnelStep{0, 0, 1.0}, FunnelStep{0, 0, 0}));
}

}  // namespace
}  // namespace vitrine
