#include "experiments/verdict/cuts.h"

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::Value;

MetricSums Bought(int64_t units, int64_t bought) {
  return MetricSums::Of(units, static_cast<double>(bought), static_cast<double>(bought));
}

const MetricDefinition kConversion = {.name = "conversion", .kind = MetricKind::kProportion};
const std::vector<double> kShares = {1, 1};
const TestPlan kPlan = {.sequential = false, .planned_units = 40'000};

TEST(Cuts, PayForTheirNumber) {
  std::vector<Cut> cuts;
  for (int i = 0; i < 10; ++i) {
    const int64_t bought = i == 3 ? 240 : i == 5 ? 290 : 200;
    cuts.push_back({absl::StrCat("channel ", i), {Bought(2000, 200), Bought(2000, bought)}});
  }
  const std::vector<CutVerdict> verdicts = Value(JudgeCuts(kPlan, kConversion, kShares, cuts));
  ASSERT_THAT(verdicts, SizeIs(10));
  const MetricVerdict& lucky = verdicts[3].comparisons[0];
  EXPECT_LT(lucky.p, 0.05);
  EXPECT_GT(lucky.p_adjusted, 0.05);
  EXPECT_EQ(lucky.direction, Direction::kUndecided);
  EXPECT_NEAR(lucky.interval_alpha, 0.005, 1e-15);
  EXPECT_EQ(verdicts[5].comparisons[0].direction, Direction::kBetter);
}

TEST(Cuts, WithholdTheNumbersOfOneThatIsBroken) {
  const std::vector<Cut> cuts = {{"desktop", {Bought(2000, 200), Bought(2010, 200)}},
                                 {"mobile", {Bought(2000, 200), Bought(1600, 300)}},
                                 {"watch", {Bought(50, 1), Bought(60, 9)}}};
  const std::vector<CutVerdict> verdicts = Value(JudgeCuts(kPlan, kConversion, kShares, cuts));
  EXPECT_FALSE(verdicts[0].invalid);
  EXPECT_THAT(verdicts[0].comparisons, SizeIs(1));
  EXPECT_TRUE(verdicts[1].invalid);
  EXPECT_THAT(verdicts[1].comparisons, IsEmpty());
  EXPECT_FALSE(verdicts[2].invalid);
  EXPECT_THAT(verdicts[2].comparisons, IsEmpty());
}

TEST(Cuts, RefuseOtherArms) {
  const std::vector<Cut> cuts = {{"desktop", {Bought(2000, 200)}}};
  EXPECT_FALSE(JudgeCuts(kPlan, kConversion, kShares, cuts).ok());
  EXPECT_FALSE(JudgeCuts({}, kConversion, kShares, {}).ok());
  EXPECT_THAT(Value(JudgeCuts(kPlan, kConversion, kShares, {})), IsEmpty());
}

}  // namespace
}  // namespace vitrine::experiments
