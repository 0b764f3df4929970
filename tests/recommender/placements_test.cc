#include <functional>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "recommender/placements/defaults.h"
#include "recommender/placements/validate.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::StartsWith;

TEST(DefaultPlacements, MakeSenseAndSpeakTwoLanguages) {
  EXPECT_OK(ValidatePlacements(DefaultPlacements()));
  std::set<std::string> ids;
  for (const Placement& placement : DefaultPlacements().placements) {
    ids.insert(placement.id);
    EXPECT_EQ(placement.titles.count("en"), 1u) << placement.id;
    EXPECT_EQ(placement.titles.count("fa"), 1u) << placement.id;
  }
  for (const char* id :
       {"home", "trending", "popular", "recently-viewed", "buy-again", "new", "similar",
        "also-viewed", "bought-together", "replacement", "cart", "free-shipping", "order",
        "category", "search-none", "not-found", "email"}) {
    EXPECT_EQ(ids.count(id), 1u) << id;
  }
}

// The default placements, after `spoil`, are refused with a message that begins so.
void ExpectRefused(const std::function<void(PlacementSet*)>& spoil, const std::string& begins) {
  PlacementSet set = DefaultPlacements();
  spoil(&set);
  const absl::Status status = ValidatePlacements(set);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << begins;
  EXPECT_THAT(std::string(status.message()), StartsWith(begins));
}

Rule RuleOf(const char* id, RuleKind kind) {
  Rule rule;
  rule.id = id;
  rule.kind = kind;
  return rule;
}

TEST(ValidatePlacements, NamesThePlaceOfAMistake) {
  ExpectRefused([](PlacementSet* s) { s->placements[0].id = "Home page"; },
                "placements[Home page].id: ");
  ExpectRefused([](PlacementSet* s) { s->placements[1].id = "home"; }, "placements[home]: ");
  ExpectRefused([](PlacementSet* s) { s->placements[0].recipe.clear(); },
                "placements[home].recipe: ");
  ExpectRefused([](PlacementSet* s) { s->placements[0].recipe[0].weight = -1; },
                "placements[home].recipe[0].weight: -1 ");
  ExpectRefused([](PlacementSet* s) { s->placements[0].recipe[1].weight = 1.5; },  // EXPLORE
                "placements[home].recipe[1].weight: 1.5 ");
  ExpectRefused([](PlacementSet* s) { s->placements[0].recipe[0].source = PINNED; },
                "placements[home].recipe[0].source: ");
  ExpectRefused([](PlacementSet* s) { s->placements[0].k = 0; }, "placements[home].k: 0 ");
  ExpectRefused([](PlacementSet* s) { s->rules = {RuleOf("ban", EXCLUDE)}; },
                "rules[ban].products: ");
  ExpectRefused([](PlacementSet* s) { s->rules = {RuleOf("up", BOOST)}; }, "rules[up].factor: ");
  ExpectRefused([](PlacementSet* s) { s->rules = {RuleOf("seen", HIDE_SEEN)}; },
                "placements[home].rules[seen]: ");  // it has one of this id already
  ExpectRefused(
      [](PlacementSet* s) {
        Rule rule = RuleOf("never", HIDE_SEEN);
        rule.__set_from_ms(5);
        rule.__set_to_ms(5);
        s->placements[0].rules = {rule};
      },
      "placements[home].rules[never].to_ms: ");
  ExpectRefused(
      [](PlacementSet* s) {
        Rule rule = RuleOf("ban", EXCLUDE);
        rule.products.emplace_back();
        rule.products[0].attribute = "price";
        rule.products[0].relation = AT_LEAST;
        s->placements[0].rules = {rule};
      },
      "placements[home].rules[ban].products[0].number: ");
}

}  // namespace
}  // namespace vitrine
