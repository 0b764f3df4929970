// Real baskets and visits whose patterns others have published.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "recommender/patterns/association_rules.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using ::testing::UnorderedElementsAre;
using testing::Value;

class KnownPatterns : public ::testing::Test {
 protected:
  static bool IsHere(const std::string& name) {
    return std::filesystem::exists("../shared/data/" + name);
  }

  std::vector<std::string> Lines(const std::string& name) {
    const std::string file = folder_.File("lines");
    const std::string unpack =
        absl::StrCat("zstd -dcfq '../shared/data/", name, "' > '", file, "'");
    EXPECT_EQ(std::system(unpack.c_str()), 0) << unpack;
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  Lists Groceries() {
    Lists baskets;
    for (const std::string& line : Lines("groceries_arules/Groceries.data.zst")) {
      const std::vector<absl::string_view> pieces = absl::StrSplit(line, '\t');
      std::vector<uint32_t> basket;
      for (uint32_t item = 0; item < pieces.size(); ++item) {
        if (pieces[item] != "0") basket.push_back(item);
      }
      baskets.Add(basket);
    }
    return baskets;
  }

  // English names by number of column.
  std::vector<std::string> GroceryNames() {
    std::vector<std::string> names;
    for (const std::string& line : Lines("groceries_arules/Groceries.labels")) {
      names.push_back(std::vector<std::string>(absl::StrSplit(line, '\t')).at(1));
    }
    return names;
  }

  TempDir folder_;
};

TEST_F(KnownPatterns, OfTheGroceriesAreThoseOfArules) {
  if (!IsHere("groceries_arules")) GTEST_SKIP() << "../shared/data/groceries_arules is not here";
  const Lists baskets = Groceries();
  const std::vector<std::string> names = GroceryNames();
  ASSERT_EQ(baskets.size(), 9835u);
  ASSERT_EQ(names.size(), 169u);
  EXPECT_EQ(baskets.total(), 43'367u);  // items, as arules' summary has them

  // apriori(Groceries, parameter = list(support = 0.001, confidence = 0.5)) and 0.8.
  const std::vector<Pattern> sets =
      Value(FrequentSets(baskets, {.min_count = 10, .max_length = 10}));
  EXPECT_EQ(Rules(sets, baskets.size(), 0.5).size(), 5668u);
  const std::vector<AssociationRule> strict = Rules(sets, baskets.size(), 0.8);
  EXPECT_EQ(strict.size(), 410u);
  const AssociationRule& top = strict.at(0);
  EXPECT_EQ(names[top.consequent], "bottled beer");
  std::vector<std::string> antecedent;
  for (const uint32_t item : top.antecedent) antecedent.push_back(names[item]);
  EXPECT_THAT(antecedent, UnorderedElementsAre("liquor", "red/blush wine"));
  EXPECT_EQ(top.count, 19);
  EXPECT_NEAR(top.support, 0.001931876, 5e-10);
  EXPECT_NEAR(top.confidence, 0.9047619, 5e-8);
  EXPECT_NEAR(top.lift, 11.23527, 5e-6);
}

TEST_F(KnownPatterns, OfTheGroceriesAtOnePercent) {
  if (!IsHere("groceries_arules")) GTEST_SKIP() << "../shared/data/groceries_arules is not here";
  const Lists baskets = Groceries();
  const std::vector<std::string> names = GroceryNames();
  const std::vector<Pattern> sets =
      Value(FrequentSets(baskets, {.min_count = 99, .max_length = 10}));
  EXPECT_EQ(sets.size(), 333u);
  EXPECT_EQ(Rules(sets, baskets.size(), 0.5).size(), 15u);
  const auto most = std::max_element(
      sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a.count < b.count; });
  EXPECT_EQ(names[most->items.at(0)], "whole milk");
  EXPECT_EQ(most->count, 2513);
}

// Areas of microsoft.com in one week of 1998, in the order of each visitor's first look.
TEST_F(KnownPatterns, OfAWebSiteAreItsNeighbouringPages) {
  if (!IsHere("uci_anonymous_msweb")) {
    GTEST_SKIP() << "../shared/data/uci_anonymous_msweb is not here";
  }
  absl::flat_hash_map<uint32_t, std::string> titles;
  Lists visits;
  std::vector<uint32_t> visit;
  for (const std::string& line : Lines("uci_anonymous_msweb/anonymous-msweb.data.zst")) {
    const std::vector<std::string> fields = absl::StrSplit(line, ',');
    uint32_t area = 0;
    if (fields[0] == "A" && absl::SimpleAtoi(fields[1], &area)) titles[area] = fields[3];
    if (fields[0] == "V" && absl::SimpleAtoi(fields[1], &area)) visit.push_back(area);
    if (fields[0] != "C" || visit.empty()) continue;
    visits.Add(visit);
    visit.clear();
  }
  visits.Add(visit);
  ASSERT_EQ(visits.size(), 32'711u);
  EXPECT_EQ(visits.total(), 98'654u);

  const std::vector<Pattern> sets = Value(FrequentSets(visits, {.min_count = 327}));
  const auto most = std::max_element(
      sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a.count < b.count; });
  EXPECT_EQ(titles[most->items.at(0)], "\"Free Downloads\"");
  EXPECT_EQ(most->count, 10'836);
  // Within each set that is found, each order of it cannot be more frequent.
  const std::vector<Pattern> orders = Value(PrefixSpan(visits, {.min_count = 327}));
  absl::flat_hash_map<std::vector<uint32_t>, int64_t> count_of;
  for (const Pattern& set : sets) count_of[set.items] = set.count;
  for (Pattern order : orders) {
    std::sort(order.items.begin(), order.items.end());
    EXPECT_LE(order.count, count_of.at(order.items));
  }
  const std::vector<AssociationRule> rules = Rules(sets, visits.size(), 0.9);
  const auto windows = std::find_if(rules.begin(), rules.end(), [&](const AssociationRule& rule) {
    return rule.antecedent.size() == 1 && titles[rule.antecedent[0]] == "\"Windows 95\"";
  });
  ASSERT_NE(windows, rules.end());
  EXPECT_EQ(titles[windows->consequent], "\"Windows Family of OSs\"");
  EXPECT_EQ(windows->count, 1061);
  EXPECT_NEAR(windows->confidence, 0.915, 0.0005);
  EXPECT_NEAR(windows->lift, 6.46, 0.005);
}

}  // namespace
}  // namespace vitrine
