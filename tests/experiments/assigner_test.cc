#include "experiments/assignment/assigner.h"

#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Assigner Make(AssignerOptions options) { return Value(Assigner::Create(std::move(options))); }

// Of 20,000 units, the correlation (phi) of two experiments' arms, both of two equal ones.
double Correlation(HashVersion version, const std::string& seed, const std::string& other) {
  const UnitHash one(version, seed), two(version, other);
  double both = 0, first = 0, second = 0;
  constexpr int kUnits = 20'000;
  for (int i = 0; i < kUnits; ++i) {
    const std::string unit = absl::StrCat(i);
    const bool a = one.Point(unit) >= 0.5, b = two.Point(unit) >= 0.5;
    both += a && b;
    first += a;
    second += b;
  }
  return (both * kUnits - first * second) /
         std::sqrt(first * (kUnits - first) * second * (kUnits - second));
}

TEST(Assigner, GivesAUnitTheSameArmEveryTimeOnEveryMachine) {
  const Assigner assigner = Make({.seed = "shelf#1", .weights = {1, 1}});
  std::string arms;
  for (int i = 0; i < 32; ++i) arms += absl::StrCat(assigner.Assign(absl::StrCat("c-", i)).arm);
  EXPECT_EQ(arms, "01011100000101110000110110010011");
}

TEST(Assigner, SharesUnitsOutByWeightAndCoverage) {
  const Assigner assigner = Make({.seed = "x", .weights = {1, 2, 1}, .coverage = 0.5});
  std::map<int, int> units;
  for (int i = 0; i < 100'000; ++i) ++units[assigner.Assign(absl::StrCat("visitor-", i)).arm];
  EXPECT_NEAR(units[-1], 50'000, 800);  // five standard deviations
  EXPECT_NEAR(units[0], 12'500, 530);
  EXPECT_NEAR(units[1], 25'000, 690);
  EXPECT_NEAR(units[2], 12'500, 530);
  EXPECT_THAT(assigner.shares(), ElementsAre(DoubleNear(0.25, 1e-12), DoubleNear(0.5, 1e-12),
                                             DoubleNear(0.25, 1e-12)));
}

TEST(Assigner, MoreCoverageMovesNobody) {
  const Assigner narrow = Make({.seed = "x", .weights = {1, 1, 1}, .coverage = 0.2});
  const Assigner wide = Make({.seed = "x", .weights = {1, 1, 1}, .coverage = 0.9});
  for (int i = 0; i < 10'000; ++i) {
    const int before = narrow.Assign(absl::StrCat(i)).arm;
    if (before < 0) continue;
    EXPECT_EQ(wide.Assign(absl::StrCat(i)).arm, before);
  }
}

TEST(Assigner, CoversNobodyWithoutCoverage) {
  for (const HashVersion hash : {HashVersion::kNative, HashVersion::kGrowthBook2}) {
    const Assigner assigner =
        Make({.seed = "x", .hash = hash, .weights = {0.5, 0.5}, .coverage = 0});
    for (int i = 0; i < 50'000; ++i) {  // in GrowthBook's version about five have the point 0
      ASSERT_FALSE(assigner.Assign(absl::StrCat(i)).assigned());
    }
  }
}

TEST(Assigner, TwoExperimentsDoNotKnowOfOneAnother) {
  EXPECT_NEAR(Correlation(HashVersion::kNative, "exp-1", "exp-2"), 0, 0.03);
  EXPECT_NEAR(Correlation(HashVersion::kGrowthBook2, "exp-1", "exp-2"), 0, 0.03);
  // Why version 1 is for namespaces only: seeds that end alike give arms that are alike.
  EXPECT_GT(std::abs(Correlation(HashVersion::kGrowthBook1, "exp-1", "exp-2")), 0.03);
}

TEST(Assigner, HashesBytesOfUtf8) {
  const UnitHash hash(HashVersion::kGrowthBook2, "seed");
  EXPECT_EQ(hash.Point("us\xc3\xa9r"), 0.9507);  // UTF-16 units, as in JavaScript, give 0.5147
}

TEST(Assigner, TellsSeedAndUnitApart) {
  EXPECT_NE(UnitHash(HashVersion::kNative, "ab").Point("c"),
            UnitHash(HashVersion::kNative, "a").Point("bc"));
  EXPECT_EQ(UnitHash(HashVersion::kGrowthBook2, "ab").Point("c"),
            UnitHash(HashVersion::kGrowthBook2, "a").Point("bc"));
}

// 10,000 buckets cannot be cut into three alike, and SRM would find the difference one day.
TEST(Assigner, KnowsTheSharesThatItsBucketsGive) {
  const Assigner assigner = Make(
      {.seed = "x", .hash = HashVersion::kGrowthBook2, .weights = {1 / 3.0, 1 / 3.0, 1 / 3.0}});
  EXPECT_THAT(assigner.shares(), ElementsAre(0.3334, 0.3333, 0.3333));
}

TEST(Assigner, RefusesWeightsThatItWouldHaveToGuess) {
  const auto code = [](AssignerOptions options) {
    return Assigner::Create(std::move(options)).status().code();
  };
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({.seed = "x", .weights = {1}}), invalid);
  EXPECT_EQ(code({.seed = "x", .weights = {0, 0}}), invalid);
  EXPECT_EQ(code({.seed = "x", .weights = {1, -1}}), invalid);
  EXPECT_EQ(code({.seed = "x", .weights = {1, std::nan("")}}), invalid);
  EXPECT_EQ(code({.seed = "", .weights = {1, 1}}), invalid);
  EXPECT_EQ(code({.seed = "x", .weights = {1, 1}, .coverage = 1.1}), invalid);
  EXPECT_EQ(code({.seed = "x", .hash = HashVersion::kGrowthBook2, .weights = {0.7, 0.6}}), invalid);
  EXPECT_EQ(code({.seed = "x", .ranges = {{0, 0.6}, {0.5, 1}}}), invalid);
  EXPECT_EQ(code({.seed = "x", .ranges = {{0, 0.6}, {0.6, 1.5}}}), invalid);
}

TEST(Assigner, TheFirstAssignmentStays) {
  const Assigner assigner =
      Make({.seed = "x", .weights = {1, 1}, .coverage = 0, .bucket_version = 1});
  const RememberedArm as_customer{1, 0}, as_visitor{1, 1};
  UnitFacts facts{.in_audience = false};
  facts.remembered_before = {&as_visitor, 1};
  EXPECT_EQ(assigner.Assign("ann", facts).arm, 1);
  facts.remembered = {&as_customer, 1};
  EXPECT_EQ(assigner.Assign("ann", facts).arm, 0);
  facts.held_out = true;
  EXPECT_EQ(assigner.Assign("ann", facts).reason, AssignmentReason::kHeldOut);
}

TEST(Assigner, ForcesNoArmThatThereIsNot) {
  const Assigner assigner = Make({.seed = "x", .weights = {1, 0}});
  EXPECT_EQ(assigner.Assign("ann", {.forced_arm = 1}).arm, 1);
  EXPECT_FALSE(assigner.Assign("ann", {.forced_arm = 1}).analysed());
  EXPECT_EQ(assigner.Assign("ann", {.forced_arm = 2}).arm, 0);
}

TEST(Layer, ItsExperimentsNeverMeet) {
  const std::vector<BucketRange> first = Value(FreeSlots({}, 0.3));
  const std::vector<BucketRange> second = Value(FreeSlots(first, 0.7));
  const Assigner one = Make({.seed = "1", .weights = {1, 1}, .layers = {LayerPart("home", first)}});
  const Assigner two =
      Make({.seed = "2", .weights = {1, 1}, .layers = {LayerPart("home", second)}});
  int in_first = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string unit = absl::StrCat("v", i);
    ASSERT_NE(one.Assign(unit).assigned(), two.Assign(unit).assigned());
    in_first += one.Assign(unit).assigned();
  }
  EXPECT_NEAR(in_first, 15'000, 520);
}

TEST(Layer, GivesAwayWhatIsFreeAndNoMore) {
  const std::vector<BucketRange> taken = {{0.1, 0.2}, {0.5, 0.9}};
  const std::vector<BucketRange> free = Value(FreeSlots(taken, 0.25));
  EXPECT_THAT(free, ElementsAre(BucketRange{0, 0.1}, BucketRange{0.2, 0.35}));
  EXPECT_EQ(FreeSlots(taken, 0.6).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(FreeSlots(taken, 0).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Holdout, HoldsItsShareWhateverTheExperiment) {
  const Holdout holdout("shop", 0.05);
  const Assigner assigner = Make({.seed = "shop", .weights = {1, 1}});
  int held = 0, held_and_second = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string unit = absl::StrCat("v", i);
    held += holdout.Holds(unit);
    held_and_second += holdout.Holds(unit) && assigner.Assign(unit).arm == 1;
  }
  EXPECT_NEAR(held, 5000, 350);
  EXPECT_NEAR(held_and_second, 2500, 250);
  EXPECT_FALSE(Holdout("shop", 0).Holds("v1"));
}

}  // namespace
}  // namespace vitrine::experiments
