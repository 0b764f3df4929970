#include "experiments/off_policy/off_policy.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "experiments/bandit/policy.h"
#include "experiments/off_policy/cross_fit.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TempDir;
using testing::Value;

constexpr uint64_t kSeed = 20240604;

TEST(OffPolicy, FourRowsByHand) {
  SKIP_WITHOUT_VECTORS("scipy/vectors.json");
  const Json hand = ReadVectors("scipy/vectors.json", "ope_hand");
  OffPolicyEvaluator evaluator;
  for (const Json& row : hand["rows"]) {
    LoggedChoice choice = {row["reward"], row["p_log"], row["p_eval_action"]};
    choice.predicted = row["q"][row["action"].get<size_t>()];
    for (size_t a = 0; a < 2; ++a) {
      choice.predicted_target += row["pi_e"][a].get<double>() * row["q"][a].get<double>();
    }
    ASSERT_OK(evaluator.AddUser({&choice, 1}));
  }
  const OffPolicyReport report = Value(evaluator.Report());
  EXPECT_NEAR(report.ips.value.value, hand["ips"], 1e-14);
  EXPECT_NEAR(report.ips.value.se, hand["ips_se"], 1e-14);
  EXPECT_NEAR(report.snips.value.value, hand["snips"], 1e-14);
  EXPECT_NEAR(report.dm, hand["dm"], 1e-14);
  EXPECT_NEAR(report.dr.value.value, hand["dr"], 1e-14);
  EXPECT_NEAR(report.sndr, hand["sndr"], 1e-14);
  EXPECT_NEAR(report.effective_size, hand["ess"], 1e-12);
}

struct ObdRow {
  size_t item = 0, position = 0;
  double click = 0, propensity = 0;
};

// The rows of a log of the Open Bandit Dataset; item, position, click and propensity stand side by
// side from column `first` on.
std::vector<ObdRow> ReadRows(const std::string& path, size_t first) {
  std::ifstream in(path);
  std::vector<ObdRow> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
    ObdRow& row = rows.emplace_back();
    EXPECT_TRUE(absl::SimpleAtoi(cells.at(first), &row.item));
    EXPECT_TRUE(absl::SimpleAtoi(cells.at(first + 1), &row.position));
    EXPECT_TRUE(absl::SimpleAtod(cells.at(first + 2), &row.click));
    EXPECT_TRUE(absl::SimpleAtod(cells.at(first + 3), &row.propensity));
  }
  return rows;
}

std::vector<ObdRow> ReadObd(const std::string& file) { return ReadRows(VectorsFile(file), 1); }

// The same from the dataset as it is published:
// ",timestamp,item_id,position,click,propensity_score" and much else.
std::vector<ObdRow> ReadRawObd(const std::string& file) {
  const TempDir folder;
  const std::string plain = folder.File("rows");
  EXPECT_EQ(std::system(absl::StrCat("zstd -dcfq '", file, "' > '", plain, "'").c_str()), 0);
  return ReadRows(plain, 2);
}

double MeanClicks(const std::vector<ObdRow>& rows) {
  double clicks = 0;
  for (const ObdRow& row : rows) clicks += row.click;
  return clicks / static_cast<double>(rows.size());
}

// Uniform choices judged as if ZOZOTOWN's Bernoulli Thompson sampling had made them.
OffPolicyReport JudgeThompson(const std::vector<ObdRow>& rows, const Json& chances,
                              const OffPolicyOptions& options = {}) {
  const size_t items = chances.size();
  std::vector<double> shown(items), clicked(items), predicted(items);
  for (const ObdRow& row : rows) {
    shown[row.item] += 1;
    clicked[row.item] += row.click;
  }
  const double mean = MeanClicks(rows);
  for (size_t i = 0; i < items; ++i) predicted[i] = (clicked[i] + 10 * mean) / (shown[i] + 10);
  OffPolicyEvaluator evaluator(options);
  for (const ObdRow& row : rows) {
    const size_t position = row.position - 1;
    LoggedChoice choice = {row.click, row.propensity, chances[row.item][position]};
    choice.predicted = predicted[row.item];
    for (size_t i = 0; i < items; ++i) {
      choice.predicted_target += chances[i][position].get<double>() * predicted[i];
    }
    EXPECT_OK(evaluator.AddUser({&choice, 1}));
  }
  return Value(evaluator.Report());
}

TEST(OffPolicy, OpenBanditLogsGiveTheKnownEstimates) {
  SKIP_WITHOUT_VECTORS("obp/expected_estimates.json");
  const Json all = ReadVectors("obp/expected_estimates.json");
  for (const std::string campaign : {"men", "women"}) {
    const Json& expected = all[campaign];
    const std::vector<ObdRow> rows =
        ReadObd(absl::StrCat("obp/obd_random_", campaign, "_slim.csv"));
    const Json chances = ReadVectors(absl::StrCat("obp/bts_action_dist_", campaign, ".json"),
                                     "action_dist_item_by_position");
    const OffPolicyReport report = JudgeThompson(rows, chances);
    EXPECT_EQ(report.rows, expected["n"].get<int64_t>());
    EXPECT_NEAR(report.logged_value, expected["behavior_mean"], 1e-12);
    EXPECT_NEAR(report.ips.value.value, expected["ips"], 1e-9) << campaign;
    EXPECT_NEAR(report.ips.value.se, expected["se_ips"], 1e-7) << campaign;
    EXPECT_NEAR(report.snips.value.value, expected["snips"], 1e-9) << campaign;
    EXPECT_NEAR(report.dm, expected["dm_smoothed"], 1e-9) << campaign;
    EXPECT_NEAR(report.dr.value.value, expected["dr_smoothed"], 1e-9) << campaign;
    EXPECT_NEAR(report.sndr, expected["sndr_smoothed"], 1e-9) << campaign;
    EXPECT_NEAR(report.mean_weight, expected["mean_w"], 1e-6) << campaign;
    EXPECT_NEAR(report.max_weight, expected["max_w"], 1e-4) << campaign;
    EXPECT_NEAR(report.effective_size, expected["ess"], 0.1) << campaign;
    EXPECT_THAT(report.objections, IsEmpty());
    const OffPolicyReport clipped = JudgeThompson(rows, chances, {.clip = 10});
    EXPECT_NEAR(clipped.ips.value.value, expected["ips_clip10"], 1e-8) << campaign;
    // What Thompson sampling did earn is inside, in an interval of about half the value each way.
    const double earned = MeanClicks(ReadObd(absl::StrCat("obp/obd_bts_", campaign, "_slim.csv")));
    EXPECT_NEAR(earned, expected["bts_on_policy_mean"], 1e-12);
    EXPECT_LT(std::abs(report.ips.value.value - earned), 3 * report.ips.value.se);
    const OffPolicyReport strict = JudgeThompson(rows, chances, {.effective_size_min = 3000});
    EXPECT_EQ(strict.objections.size(), 1u);
  }
}

TEST(OffPolicy, OpenBanditDatasetItselfGivesThem) {
  const std::string folder = "../shared/data/open_bandit_small/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  SKIP_WITHOUT_VECTORS("obp/bts_action_dist_men.json");
  struct Known {
    const char* campaign;
    double ips, snips, effective_size, earned;
  };
  for (const Known& known : {Known{"men", 0.00453356, 0.00460423, 2467, 0.0069},
                             Known{"women", 0.00681347, 0.00681097, 1954, 0.0046}}) {
    const auto rows = [&](absl::string_view policy) {
      return ReadRawObd(
          absl::StrCat(folder, policy, "_", known.campaign, "_", known.campaign, ".csv.zst"));
    };
    const std::vector<ObdRow> random = rows("random");
    const Json chances = ReadVectors(absl::StrCat("obp/bts_action_dist_", known.campaign, ".json"),
                                     "action_dist_item_by_position");
    const OffPolicyReport report = JudgeThompson(random, chances);
    EXPECT_EQ(report.rows, 10'000);
    EXPECT_NEAR(report.logged_value, 0.0046, 1e-12) << known.campaign;
    EXPECT_NEAR(report.ips.value.value, known.ips, 5e-9) << known.campaign;
    EXPECT_NEAR(report.snips.value.value, known.snips, 5e-9) << known.campaign;
    EXPECT_NEAR(report.effective_size, known.effective_size, 0.5) << known.campaign;
    EXPECT_NEAR(MeanClicks(rows("bts")), known.earned, 1e-12) << known.campaign;
    for (const ObdRow& row : random) {
      ASSERT_NEAR(row.propensity, 1.0 / static_cast<double>(chances.size()), 1e-12);
    }
  }
}

// Logs of our own bandit, whose truth is known.
struct Shop {
  std::vector<double> rates = {0.05, 0.10, 0.02};
  std::vector<double> logged = {0.5, 0.2, 0.3};
  std::vector<double> target = {0.1, 0.8, 0.1};
  double Truth() const {
    return target[0] * rates[0] + target[1] * rates[1] + target[2] * rates[2];
  }
};

OffPolicyReport Judge(const Shop& shop, uint64_t seed, int users, bool with_model = false,
                      double propensity_error = 1) {
  std::mt19937_64 random(seed);
  const BanditPolicy policy =
      Value(BanditPolicy::Create(absl::StrCat("log-", seed), 1, {{"", shop.logged}}));
  OffPolicyEvaluator evaluator;
  for (int user = 0; user < users; ++user) {
    std::vector<LoggedChoice> rows;
    const int visits = 1 + static_cast<int>(random() % 4);
    const double taste = random() % 2 == 0 ? 0.2 : 1.8;  // rows of a user are alike
    for (int visit = 0; visit < visits; ++visit) {
      const BanditChoice choice = policy.Choose("", absl::StrCat(user, "-", visit));
      const bool bought = std::bernoulli_distribution(taste * shop.rates[choice.arm])(random);
      LoggedChoice& row = rows.emplace_back();
      row = {bought ? 1.0 : 0.0, choice.propensity * propensity_error, shop.target[choice.arm]};
      if (with_model) {
        row.predicted = shop.rates[choice.arm];
        row.predicted_target = shop.Truth();
      }
    }
    EXPECT_OK(evaluator.AddUser(rows));
  }
  return Value(evaluator.Report());
}

TEST(OffPolicy, IntervalsHoldTheTruthAsOftenAsTheySay) {
  constexpr int kLogs = 400;
  const Shop shop;
  double logged_truth = 0;
  for (size_t a = 0; a < 3; ++a) logged_truth += shop.logged[a] * shop.rates[a];
  int ips = 0, snips = 0, dr = 0, improvement = 0;
  double ips_se = 0, dr_se = 0;
  for (int log = 0; log < kLogs; ++log) {
    const OffPolicyReport report = Judge(shop, kSeed + static_cast<uint64_t>(log), 800, true);
    const auto holds = [&](const PolicyValue& value) {
      return value.low <= shop.Truth() && shop.Truth() <= value.high;
    };
    ips += holds(report.ips);
    snips += holds(report.snips);
    dr += holds(report.dr);
    const double more = shop.Truth() - logged_truth;
    improvement += report.dr.improvement_low <= more && more <= report.dr.improvement_high;
    ips_se += report.ips.value.se;
    dr_se += report.dr.value.se;
  }
  const double error = 3.5 * std::sqrt(0.05 * 0.95 * kLogs);
  for (const int held : {ips, snips, dr, improvement}) {
    EXPECT_NEAR(held, 0.95 * kLogs, error) << "seed " << kSeed;
  }
  EXPECT_LT(dr_se, ips_se);
}

TEST(CrossFit, PredictsFromOtherUsersOnly) {
  CrossFitMeans means(/*shrinkage=*/0);
  EXPECT_EQ(means.Predict("ann", "p"), 0);
  for (int i = 0; i < 100; ++i) means.Add("ann", "p", 1);
  EXPECT_EQ(means.Predict("ann", "p"), 0);
  for (int user = 0; user < 300; ++user) means.Add(absl::StrCat(user), "p", 0.25);
  EXPECT_EQ(means.Predict("ann", "p"), 0.25);
  EXPECT_EQ(means.Predict("ann", "never shown"), 0.25);
}

// Many cells, few rows of each: fit to the rows it judges, the model takes their noise for
// knowledge.
TEST(CrossFit, KeepsIntervalsHonest) {
  constexpr int kLogs = 300, kUsers = 400, kCells = 100;
  std::mt19937_64 random(kSeed + 1);
  int crossed = 0, own = 0;
  for (int log = 0; log < kLogs; ++log) {
    CrossFitMeans means(/*shrinkage=*/0.5);
    std::vector<double> sums(kCells), counts(kCells), rewards;
    std::vector<int> cells;
    for (int user = 0; user < kUsers; ++user) {
      cells.push_back(static_cast<int>(random() % kCells));
      rewards.push_back(std::normal_distribution<double>(1, 1)(random));
      means.Add(absl::StrCat(user), absl::StrCat(cells.back()), rewards.back());
      sums[cells.back()] += rewards.back();
      counts[cells.back()] += 1;
    }
    OffPolicyEvaluator by_others, by_itself;
    for (int user = 0; user < kUsers; ++user) {
      LoggedChoice row = {rewards[user], 1.0 / kCells, 1.0 / kCells};
      for (int cell = 0; cell < kCells; ++cell) {
        row.predicted_target += means.Predict(absl::StrCat(user), absl::StrCat(cell)) / kCells;
      }
      row.predicted = means.Predict(absl::StrCat(user), absl::StrCat(cells[user]));
      ASSERT_OK(by_others.AddUser({&row, 1}));
      row.predicted_target = 0;
      for (int cell = 0; cell < kCells; ++cell) {
        row.predicted_target += (sums[cell] + 0.5) / (counts[cell] + 0.5) / kCells;
      }
      row.predicted = (sums[cells[user]] + 0.5) / (counts[cells[user]] + 0.5);
      ASSERT_OK(by_itself.AddUser({&row, 1}));
    }
    const PolicyValue others = Value(by_others.Report()).dr, itself = Value(by_itself.Report()).dr;
    crossed += others.low <= 1 && 1 <= others.high;
    own += itself.low <= 1 && 1 <= itself.high;
  }
  EXPECT_GE(crossed, 0.95 * kLogs - 3.5 * std::sqrt(0.05 * 0.95 * kLogs)) << "seed " << kSeed + 1;
  EXPECT_LT(own, 0.93 * kLogs) << "seed " << kSeed + 1;
  std::printf(
      "of %d intervals of 95 %%, %d hold the truth if others predict, %d if rows do themselves\n",
      kLogs, crossed, own);
}

TEST(OffPolicy, ObjectsToWrongPropensities) {
  EXPECT_THAT(Judge({}, kSeed, 3000).objections, IsEmpty());
  const OffPolicyReport wrong = Judge({}, kSeed, 3000, false, 0.8);
  ASSERT_EQ(wrong.objections.size(), 1u);
  EXPECT_THAT(wrong.objections[0], HasSubstr("propensities are wrong"));
}

TEST(OffPolicy, ObjectsWithoutSupport) {
  OffPolicyEvaluator evaluator({.effective_size_min = 2});
  for (int i = 0; i < 100; ++i) {
    LoggedChoice row = {1, 0.5, 0.5};
    row.target_unsupported = 0.25;
    ASSERT_OK(evaluator.AddUser({&row, 1}));
  }
  const OffPolicyReport report = Value(evaluator.Report());
  ASSERT_EQ(report.objections.size(), 1u);
  EXPECT_THAT(report.objections[0], HasSubstr("no support"));
}

TEST(OffPolicy, RefusesPropensitiesThatAreNone) {
  OffPolicyEvaluator evaluator;
  for (const LoggedChoice& row :
       {LoggedChoice{1, 0, 0.5}, LoggedChoice{1, 1.5, 0.5}, LoggedChoice{1, 0.5, -0.1},
        LoggedChoice{NAN, 0.5, 0.5}, LoggedChoice{1, NAN, 0.5}}) {
    const LoggedChoice rows[] = {{1, 0.5, 0.5}, row};
    EXPECT_EQ(evaluator.AddUser(rows).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(evaluator.Report().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace vitrine::experiments
