// Public A/B tests, from their rows to a verdict.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "experiments/statistics/winsorise.h"
#include "experiments/verdict/verdict.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;
using testing::Value;

constexpr char kCats[] = "../shared/data/ab_cookie_cats/cookie_cats.csv.zst";

struct Player {
  size_t arm = 0;
  double rounds = 0, day_1 = 0, day_7 = 0;
};

std::vector<Player> ReadPlayers() {
  const TempDir folder;
  const std::string file = folder.File("cats");
  EXPECT_EQ(std::system(absl::StrCat("zstd -dcfq '", kCats, "' > '", file, "'").c_str()), 0);
  std::ifstream in(file);
  std::vector<Player> players;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
    Player& player = players.emplace_back();
    player.arm = cells.at(1) == "gate_40" ? 1 : 0;
    EXPECT_TRUE(absl::SimpleAtod(cells.at(2), &player.rounds)) << line;
    player.day_1 = cells.at(3) == "True" ? 1 : 0;
    player.day_7 = absl::StartsWith(cells.at(4), "True") ? 1 : 0;
  }
  return players;
}

class CookieCats : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kCats)) GTEST_SKIP() << kCats << " is not here";
    players_ = ReadPlayers();
    ASSERT_EQ(players_.size(), 90'189u);
  }

  // Retention after seven days decides; rounds are winsorised at this part of all players.
  std::vector<ArmSums> Arms(double cap_at = 1) const {
    std::vector<double> rounds;
    for (const Player& player : players_) rounds.push_back(player.rounds);
    const Caps caps = PooledCaps(std::move(rounds), 0, cap_at);
    std::vector<ArmSums> arms = {{"gate_30", {{}, {}, {}}}, {"gate_40", {{}, {}, {}}}};
    for (const Player& player : players_) {
      std::vector<MetricSums>& sums = arms[player.arm].metrics;
      sums[0].Add({.value = player.day_7});
      sums[1].Add({.value = player.day_1});
      sums[2].Add({.value = caps.Capped(player.rounds)});
    }
    return arms;
  }

  static Verdict Judged(const std::vector<ArmSums>& arms, const TestPlan& plan) {
    const std::vector<MetricDefinition> metrics = {
        {.name = "day 7", .kind = MetricKind::kProportion, .role = MetricRole::kPrimary},
        {.name = "day 1", .kind = MetricKind::kProportion},
        {.name = "rounds"}};
    Health health;
    health.exposed = {{{arms[0].metrics[0].units, arms[1].metrics[0].units}, {1, 1}}};
    return Value(Judge(plan, metrics, arms, health, true));
  }

  std::vector<Player> players_;
};

TEST_F(CookieCats, AreFoundByTheFixedTestAndByASequenceThatWasPlannedForThem) {
  const std::vector<ArmSums> arms = Arms();
  const Verdict fixed = Judged(arms, {.sequential = false, .planned_units = 90'000});
  EXPECT_EQ(fixed.decision, Decision::kControlWins);
  EXPECT_NEAR(fixed.validity.sample_ratio.p, 0.00860799, 1e-8);
  const Verdict planned = Judged(arms, {.planned_units = 90'000});
  EXPECT_EQ(planned.decision, Decision::kControlWins);
  EXPECT_NEAR(planned.comparisons[0].p, 0.0351, 5e-5);
  EXPECT_NEAR(planned.comparisons[0].bayesian.chance_to_win, 0.00077734, 5e-9);
  EXPECT_NEAR(planned.comparisons[0].bayesian.loss_of_treatment, 0.0082017, 5e-8);
  const Verdict badly_planned = Judged(arms, {.planned_units = 5000});
  EXPECT_EQ(badly_planned.decision, Decision::kUndecided);
  EXPECT_NEAR(badly_planned.comparisons[0].p, 0.0833, 5e-5);
}

TEST_F(CookieCats, AreInvalidWhereSrmIsTakenMoreStrictly) {
  TestPlan plan = {.planned_units = 90'000};
  plan.limits.sample_ratio_alpha = 0.01;
  const Verdict verdict = Judged(Arms(), plan);
  EXPECT_EQ(verdict.decision, Decision::kInvalid);
  EXPECT_THAT(verdict.comparisons, IsEmpty());
  EXPECT_THAT(verdict.validity.objections[0].text, HasSubstr("44700 : 45489"));
}

// One player of 49,854 rounds makes the mean look as if gate_40 lost a whole round.
TEST_F(CookieCats, OnePlayerDecidesNothingOnceWinsorised) {
  const TestPlan plan = {.sequential = false, .planned_units = 90'000};
  const MetricVerdict raw = Judged(Arms(), plan).comparisons[2];
  EXPECT_NEAR(raw.p, 0.37592438409326223, 1e-9);
  EXPECT_NEAR(raw.effect->absolute.value, -1.157488453953249, 1e-9);
  const MetricVerdict capped = Judged(Arms(0.9999), plan).comparisons[2];
  EXPECT_LT(std::abs(capped.effect->absolute.value), 0.1);
  EXPECT_GT(capped.p, 0.9);
  EXPECT_LT(capped.effect->absolute.se, 0.55 * raw.effect->absolute.se);
}

// Rows whose group and page disagree are units of both arms: 1.3 %, which is worth a warning.
TEST(AbData, WarnsOfItsMixedUnitsAndFindsNothing) {
  SKIP_WITHOUT_VECTORS("public_ab/aggregates.json");
  const Json all = ReadVectors("public_ab/aggregates.json", "ab_data_clean");
  const auto arm = [&all](const char* name) {
    const int64_t units = all[name]["n"];
    const double converted = all[name]["converted"];
    return ArmSums{name, {MetricSums::Of(units, converted, converted)}};
  };
  const std::vector<ArmSums> arms = {arm("control"), arm("treatment")};
  const std::vector<MetricDefinition> metrics = {
      {.name = "conversion", .kind = MetricKind::kProportion, .role = MetricRole::kPrimary}};
  Health health;
  health.exposed = {{{arms[0].metrics[0].units, arms[1].metrics[0].units}, {1, 1}}};
  health.units_mixed = all["mismatched_rows"];
  const Verdict verdict =
      Value(Judge({.sequential = false, .planned_units = 290'000}, metrics, arms, health, true));
  EXPECT_EQ(verdict.decision, Decision::kUndecided);
  EXPECT_THAT(verdict.warnings, ElementsAre(HasSubstr("1.3% of units")));
  EXPECT_NEAR(verdict.comparisons[0].p, 0.1898834, 1e-5);
  EXPECT_NEAR(verdict.comparisons[0].bayesian.chance_to_win, 0.0949442, 5e-8);
}

}  // namespace
}  // namespace vitrine::experiments
