#include "recommender/placements/trials.h"

#include "gtest/gtest.h"

namespace vitrine {
namespace {

TEST(Trials, CountsAShelfOnceHoweverMuchFollowsFromIt) {
  Trials trials;
  EXPECT_EQ(trials.Of("a").shown, 0u);
  for (int i = 0; i < 3; ++i) trials.AddShown("a");
  trials.AddShown("b");
  trials.AddTaken("a", "r1");
  trials.AddTaken("a", "r1");  // clicked, then put into the cart
  trials.AddTaken("a", "r2");
  trials.AddTaken("b", "r1");  // the same shelf tried both
  EXPECT_EQ(trials.Of("a").shown, 3u);
  EXPECT_EQ(trials.Of("a").taken, 2u);
  EXPECT_EQ(trials.Of("b").shown, 1u);
  EXPECT_EQ(trials.Of("b").taken, 1u);
}

}  // namespace
}  // namespace vitrine
