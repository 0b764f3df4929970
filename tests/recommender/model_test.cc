#include "recommender/model/model.h"

#include <limits>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using testing::Value;

ModelParts SmallParts() {
  ModelParts parts;
  parts.als.factors = 2;
  parts.products = {"apple", "bread", "candle", "dog"};
  parts.factors.resize(4, 2);
  parts.factors << 1, 0, 2, 1, 0, 3, 1, 1;
  parts.popularity = {5, 9, 5, 1};
  return parts;
}

TEST(Model, DerivesTheRestFromTheProducts) {
  const Model model = Value(MakeModel(SmallParts()));
  FactorMatrix gramian(2, 2);
  gramian << 6, 3, 3, 11;
  EXPECT_EQ(model.gramian, gramian);
  EXPECT_THAT(model.by_popularity, ElementsAre(1, 0, 2, 3));
  EXPECT_THAT(model.Find("apple"), Optional(0u));
  EXPECT_THAT(model.Find("candle"), Optional(2u));
  EXPECT_THAT(model.Find("dog"), Optional(3u));
  EXPECT_EQ(model.Find("eel"), std::nullopt);
  EXPECT_EQ(model.Find("candl"), std::nullopt);
  EXPECT_EQ(model.Find(""), std::nullopt);
  EXPECT_EQ(ProductIds().Find("apple"), std::nullopt);
}

TEST(Model, IsMadeOnlyFromPartsThatFit) {
  const auto refusal = [](const auto& change) {
    ModelParts parts = SmallParts();
    change(&parts);
    return std::string(MakeModel(std::move(parts)).status().message());
  };
  EXPECT_EQ(refusal([](ModelParts*) {}), "");
  EXPECT_THAT(refusal([](ModelParts* p) { p->products[1] = "zebra"; }), HasSubstr("product 2"));
  EXPECT_THAT(refusal([](ModelParts* p) { p->products[1] = "apple"; }), HasSubstr("product 1"));
  EXPECT_THAT(refusal([](ModelParts* p) { p->products.pop_back(); }), HasSubstr("factors"));
  EXPECT_THAT(refusal([](ModelParts* p) { p->popularity.pop_back(); }), HasSubstr("popularity"));
  EXPECT_THAT(refusal([](ModelParts* p) { p->als.factors = 3; }), HasSubstr("factors"));
  EXPECT_THAT(refusal([](ModelParts* p) { p->factors(3, 1) = 0.0f / 0.0f; }),
              HasSubstr("not finite"));
  EXPECT_THAT(refusal([](ModelParts* p) {
                p->bought_together = {{0, 1}, {{1, 1, 1}}};
              }),
              HasSubstr("bought_together"));
  EXPECT_THAT(refusal([](ModelParts* p) { *p = ModelParts(); }), HasSubstr("0 products"));
}

TEST(Model, KeepsWhatWasLearnedOfLists) {
  ModelParts parts = SmallParts();
  EXPECT_FALSE(parts.mix.has_value());
  EXPECT_FALSE(parts.learn_lists);
  MixSettings mix = MixSettings::Default();
  mix.depth = 77;
  mix[Situation::kHome][MixSource::kLinks] = {0.1f, 2.5f};
  parts.mix = mix;
  parts.learn_lists = true;
  const testing::TempDir dir;
  ASSERT_OK(WriteModel(Value(MakeModel(parts)), dir.path() + "/m"));
  const auto read = Value(ReadModel(dir.path() + "/m"));
  EXPECT_EQ(read->mix, mix);
  EXPECT_TRUE(read->learn_lists);
  parts.mix->depth = 0;
  EXPECT_TRUE(absl::IsDataLoss(MakeModel(parts).status()));
}

TEST(FactorView, LooksAtOtherFactorsWhenAssigned) {
  FactorMatrix one = FactorMatrix::Constant(2, 3, 1);
  const FactorMatrix two = FactorMatrix::Constant(4, 5, 2);
  FactorView view = one;
  view = FactorView(two);
  EXPECT_EQ(view.data(), two.data());
  EXPECT_EQ(view.rows(), 4);
  EXPECT_EQ(one, FactorMatrix::Constant(2, 3, 1));
}

}  // namespace
}  // namespace vitrine
