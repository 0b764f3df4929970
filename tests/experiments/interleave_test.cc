#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "experiments/interleave/preference.h"
#include "experiments/interleave/team_draft.h"
#include "tests/experiments/vectors.h"
#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr char kVectors[] = "interleaving/tdi_exact_distributions.json";
constexpr uint64_t kSeed = 20240605;

std::vector<std::string> List(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

std::string ItemsOf(const std::vector<Pick>& picks, Team team) {
  std::set<std::string> items;
  for (const Pick& pick : picks) {
    if (pick.team == team) items.insert(pick.item);
  }
  return absl::StrJoin(items, ",");
}

std::string Items(const std::vector<Pick>& picks) {
  return absl::StrJoin(picks, ",",
                       [](std::string* out, const Pick& pick) { out->append(pick.item); });
}

// "1,2,3 A 1 B 2,3"
std::string Outcome(const std::vector<Pick>& picks) {
  return absl::StrCat(Items(picks), " A ", ItemsOf(picks, Team::kA), " B ",
                      ItemsOf(picks, Team::kB));
}

// All sequences of eight coins, each as likely.
std::map<std::string, double> Distribution(const std::vector<std::string>& a,
                                           const std::vector<std::string>& b, size_t k) {
  std::map<std::string, double> chances;
  for (int coins = 0; coins < 256; ++coins) {
    int toss = 0;
    const auto picks = TeamDraft(a, b, k, [&toss, coins] { return (coins >> toss++ & 1) != 0; });
    EXPECT_LE(toss, 8);
    chances[Outcome(picks)] += 1 / 256.0;
  }
  return chances;
}

// "[1, 2]"
std::vector<std::string> ParseList(absl::string_view text) {
  std::vector<std::string> items;
  for (const absl::string_view item :
       absl::StrSplit(text, absl::ByAnyChar("[], "), absl::SkipEmpty())) {
    items.emplace_back(item);
  }
  return items;
}

std::string Joined(const Json& numbers) {
  return absl::StrJoin(numbers.get<std::vector<int>>(), ",");
}

TEST(TeamDraft, HasTheExactDistributions) {
  SKIP_WITHOUT_VECTORS(kVectors);
  int checked = 0;
  const Json all = ReadVectors(kVectors);
  for (const auto& [name, outcomes] : all.items()) {
    // "A=[1, 2] B=[2, 3] k=2"
    const std::vector<std::string> parts = absl::StrSplit(name, absl::ByAnyChar("ABk="));
    size_t k = 0;
    ASSERT_TRUE(absl::SimpleAtoi(parts.back(), &k)) << name;
    std::map<std::string, double> expected;
    for (const Json& one : outcomes) {
      expected[absl::StrCat(Joined(one["ranking"]), " A ", Joined(one["team_a"]), " B ",
                            Joined(one["team_b"]))] += one["p"].get<double>();
    }
    EXPECT_EQ(Distribution(ParseList(parts.at(2)), ParseList(parts.at(4)), k), expected) << name;
    ++checked;
  }
  EXPECT_EQ(checked, 5);
}

TEST(TeamDraft, WhereRankingsAgreeNoTeamIsCredited) {
  for (const auto& [outcome, chance] :
       Distribution(List({"x", "y", "1", "2"}), List({"x", "y", "2", "1"}), 4)) {
    EXPECT_EQ(outcome.substr(0, 4), "x,y,");
  }
  const auto same = TeamDraft(List({"x", "y"}), List({"x", "y"}), 5, "e", "u", "r");
  EXPECT_EQ(Outcome(same), "x,y A  B ");
  const Credit credit = CreditOf(same, std::vector<size_t>{0, 1});
  EXPECT_EQ(credit.a + credit.b, 0);
}

TEST(TeamDraft, AListThatIsLongerWinsNothingByIt) {
  for (int request = 0; request < 50; ++request) {
    const std::vector<std::string> a = List({"1"}), b = List({"2", "3", "4", "5"});
    const auto picks = TeamDraft(a, b, 5, "e", "u", absl::StrCat(request));
    EXPECT_EQ(picks.size(), 5u);
    const Credit credit = CreditOf(picks, std::vector<size_t>{0, 1, 2, 3, 4});
    EXPECT_EQ(credit.a, 1);
    EXPECT_LE(credit.b, 2);
  }
}

TEST(TeamDraft, ARepeatedRequestGetsTheSameListAndCoinsAreFair) {
  const std::vector<std::string> a = List({"1", "2", "3"}), b = List({"4", "5", "6"});
  int first = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto picks = TeamDraft(a, b, 6, "e", "u", absl::StrCat(i));
    EXPECT_EQ(Outcome(picks), Outcome(TeamDraft(a, b, 6, "e", "u", absl::StrCat(i))));
    first += picks[0].team == Team::kA;
  }
  EXPECT_NEAR(first, 5000, 250);
}

TEST(TeamDraft, ShowsNothingTwiceAndNoMoreThanAsked) {
  const std::vector<std::string> a = List({"1", "1", "2"}), b = List({"3", "1", "3"}), none;
  EXPECT_EQ(TeamDraft(a, b, 9, "e", "u", "r").size(), 3u);
  EXPECT_EQ(TeamDraft(a, b, 2, "e", "u", "r").size(), 2u);
  EXPECT_EQ(Items(TeamDraft(a, none, 9, "e", "u", "r")), "1,2");
  EXPECT_TRUE(TeamDraft(none, none, 9, "e", "u", "r").empty());
  EXPECT_TRUE(TeamDraft(a, b, 0, "e", "u", "r").empty());
}

TEST(TeamDraft, CreditsAPositionOnce) {
  const std::vector<Pick> picks = {{"1", Team::kA}, {"2", Team::kB}, {"3", Team::kB, true}};
  const Credit credit = CreditOf(picks, std::vector<size_t>{0, 0, 1, 2, 7});
  EXPECT_EQ(credit.a, 1);
  EXPECT_EQ(credit.b, 1);
}

TEST(Preference, AgreesWithTheBinomialByHand) {
  PreferenceTally tally;
  const Credit a = {2, 1}, b = {0, 1}, tie = {1, 1};
  for (int i = 0; i < 8; ++i) tally.AddUser(std::vector<Credit>{b});
  for (int i = 0; i < 2; ++i) tally.AddUser(std::vector<Credit>{a});
  tally.AddUser(std::vector<Credit>{tie, tie});
  tally.AddUser({});
  const Preference preference = Value(tally.Compute(0.05));
  EXPECT_EQ(preference.users, 11);
  EXPECT_EQ(preference.lists, 12);
  EXPECT_NEAR(preference.delta, 8.5 / 11 - 0.5, 1e-12);
  EXPECT_NEAR(preference.p, 2 * 56 / 1024.0, 1e-12);
  EXPECT_EQ(PreferenceTally().Compute(0.05).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Whoever clicks at random prefers neither; one who sees few lists counts as much as one who sees
// many, so that a heavy user cannot decide.
TEST(Preference, KeepsItsLevelWithUsersOfManyLists) {
  constexpr int kTests = 600;
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> a = List({"1", "2", "3", "4"}), b = List({"3", "5", "1", "6"});
  int found = 0, held = 0;
  for (int test = 0; test < kTests; ++test) {
    PreferenceTally tally;
    for (int user = 0; user < 100; ++user) {
      std::vector<Credit> lists(user == 0 ? 200 : 1 + random() % 4);
      for (size_t i = 0; i < lists.size(); ++i) {
        const auto picks =
            TeamDraft(a, b, 4, absl::StrCat(test), absl::StrCat(user), absl::StrCat(i));
        lists[i] = CreditOf(picks, std::vector<size_t>{random() % 4});
      }
      tally.AddUser(lists);
    }
    const Preference preference = Value(tally.Compute(0.05));
    found += preference.p < 0.05;
    held += preference.low <= 0 && 0 <= preference.high;
  }
  EXPECT_LE(found, 0.05 * kTests + 3 * std::sqrt(0.05 * 0.95 * kTests)) << "seed " << kSeed;
  EXPECT_GE(held, 0.95 * kTests - 4 * std::sqrt(0.05 * 0.95 * kTests)) << "seed " << kSeed;
}

TEST(Preference, FindsTheBetterRankingWithFewUsers) {
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> good = List({"g1", "g2", "g3"}), bad = List({"x1", "x2", "x3"});
  PreferenceTally tally;
  for (int user = 0; user < 400; ++user) {
    const auto picks = TeamDraft(bad, good, 6, "e", absl::StrCat(user), "r");
    std::vector<size_t> chosen;
    for (size_t p = 0; p < picks.size(); ++p) {
      if (random() % 100 < (picks[p].item[0] == 'g' ? 15u : 8u)) chosen.push_back(p);
    }
    tally.AddUser(std::vector<Credit>{CreditOf(picks, chosen)});
  }
  const Preference preference = Value(tally.Compute(0.05));
  EXPECT_LT(preference.p, 0.01) << "seed " << kSeed;
  EXPECT_GT(preference.low, 0) << "seed " << kSeed;
}

}  // namespace
}  // namespace vitrine::experiments
