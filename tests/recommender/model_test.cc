#include "recommender/model/model.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

TEST(Model, DerivesTheRestFromTheProducts) {
  Model model;
  model.products = {"apple", "bread", "candle", "dog"};
  model.factors.resize(4, 2);
  model.factors << 1, 0, 2, 1, 0, 3, 1, 1;
  model.popularity = {5, 9, 5, 1};
  model.Derive();
  FactorMatrix gramian(2, 2);
  gramian << 6, 3, 3, 11;
  EXPECT_EQ(model.gramian, gramian);
  EXPECT_THAT(model.by_popularity, ElementsAre(1, 0, 2, 3));
  EXPECT_THAT(model.Find("candle"), Optional(2u));
  EXPECT_EQ(model.Find("eel"), std::nullopt);
  EXPECT_EQ(model.Find(""), std::nullopt);
}

}  // namespace
}  // namespace vitrine
