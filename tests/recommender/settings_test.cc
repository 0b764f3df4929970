#include "recommender/model/settings.h"

#include <limits>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;

TEST(Settings, DefaultsAreValid) {
  EXPECT_OK(Validate(WeightSettings()));
  EXPECT_OK(Validate(AlsSettings()));
}

TEST(Settings, OnlyWhatAPersonDoesWithAProductSaysSomethingAboutTaste) {
  const WeightSettings weights;
  EXPECT_GT(weights.Of(PURCHASE), weights.Of(ADD_TO_CART));
  EXPECT_GT(weights.Of(ADD_TO_CART), weights.Of(VIEW_ITEM));
  EXPECT_GT(weights.Of(ADD_TO_WISHLIST), weights.Of(VIEW_ITEM));
  EXPECT_GT(weights.Of(VIEW_ITEM), weights.Of(PAGE_VIEW));
  for (const EventKind kind : {VIEW_ITEM_LIST, REFUND, REMOVE_FROM_CART, CONTACT, LOGIN}) {
    EXPECT_EQ(weights.Of(kind), 0) << kind;
  }
}

TEST(Settings, NamesEachSolverAndKnowsTheNames) {
  for (const AlsSolver solver :
       {AlsSolver::kExact, AlsSolver::kConjugateGradient, AlsSolver::kBlocks}) {
    EXPECT_EQ(SolverOfName(SolverName(solver)), solver);
  }
  EXPECT_EQ(SolverOfName("magic"), std::nullopt);
}

TEST(Settings, RefusesWhatCannotBeTrainedWithAndNamesIt) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Validate(WeightSettings{.purchase = static_cast<float>(nan)}).message(),
              HasSubstr("purchase"));
  EXPECT_THAT(Validate(WeightSettings{.view_item = -1}).message(), HasSubstr("view_item"));
  EXPECT_THAT(Validate(WeightSettings{.half_life_days = 0}).message(), HasSubstr("half_life_days"));
  EXPECT_THAT(Validate(AlsSettings{.factors = 0}).message(), HasSubstr("factors"));
  EXPECT_THAT(Validate(AlsSettings{.factors = 1025}).message(), HasSubstr("factors"));
  EXPECT_THAT(Validate(AlsSettings{.cg_steps = 0}).message(), HasSubstr("cg_steps"));
  EXPECT_THAT(Validate(AlsSettings{.block = 24}).message(), HasSubstr("block"));
  EXPECT_THAT(Validate(AlsSettings{.epochs = 0}).message(), HasSubstr("epochs"));
  EXPECT_THAT(Validate(AlsSettings{.regularization = 0}).message(), HasSubstr("regularization"));
}

}  // namespace
}  // namespace vitrine
