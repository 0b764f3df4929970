#include "recommender/placements/rules.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace vitrine {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kDayMs = 86'400'000;
using Kind = RuleVerdict::Kind;

Product Mug() {
  Product product;
  product.id = "mug";
  product.__set_category("Kitchen > Mugs");
  product.__set_brand("Anar");
  product.__set_price_minor(1200);
  product.__set_stock(3);
  product.__set_attributes({{"colour", "blue"}, {"volume", "350"}});
  return product;
}

ProductCondition Condition(const char* attribute, Relation relation,
                           std::vector<std::string> values) {
  ProductCondition condition;
  condition.attribute = attribute;
  condition.relation = relation;
  condition.values = std::move(values);
  return condition;
}

ProductCondition Bound(const char* attribute, Relation relation, double number) {
  ProductCondition condition = Condition(attribute, relation, {});
  condition.__set_number(number);
  return condition;
}

Rule MakeRule(RuleKind kind, std::vector<ProductCondition> products = {}) {
  Rule rule;
  rule.id = "rule";
  rule.kind = kind;
  rule.products = std::move(products);
  return rule;
}

// What one rule says of the mug, which has number 7.
class RulesTest : public ::testing::Test {
 protected:
  Kind JudgeBy(const Rule& rule) { return JudgeBy(rule, Mug()); }
  Kind JudgeBy(const Rule& rule, const Product& product) {
    PlacementSet set;
    Placement placement;
    placement.rules = {rule};
    return ShelfRules(set, placement, facts_).Judge(7, product).kind;
  }
  bool IsExcludedBy(ProductCondition condition) {
    return JudgeBy(MakeRule(EXCLUDE, {std::move(condition)})) == Kind::kNever;
  }

  PersonFacts person_;
  ShelfFacts facts_ = {.now_ms = kNow, .person = &person_};
};

TEST(IsInCategory, HoldsOfItselfAndWhatIsUnderIt) {
  EXPECT_TRUE(IsInCategory("Shoes > Boots", "Shoes"));
  EXPECT_TRUE(IsInCategory("Shoes > Boots", "Shoes > Boots"));
  EXPECT_FALSE(IsInCategory("Shoes", "Shoes > Boots"));
  EXPECT_FALSE(IsInCategory("Shoes2", "Shoes"));
  EXPECT_FALSE(IsInCategory("Shoes>Boots", "Shoes"));
}

TEST_F(RulesTest, ConditionsHoldOfWhatTheCatalogueSays) {
  EXPECT_TRUE(IsExcludedBy(Condition("brand", ONE_OF, {"Sib", "Anar"})));
  EXPECT_FALSE(IsExcludedBy(Condition("brand", ONE_OF, {"Sib"})));
  EXPECT_TRUE(IsExcludedBy(Condition("category", ONE_OF, {"Kitchen"})));
  EXPECT_TRUE(IsExcludedBy(Condition("colour", NONE_OF, {"red"})));
  EXPECT_TRUE(IsExcludedBy(Condition("material", NONE_OF, {"steel"})));  // it has none at all
  EXPECT_FALSE(IsExcludedBy(Condition("material", ONE_OF, {"steel"})));
  EXPECT_TRUE(IsExcludedBy(Condition("id", ONE_OF, {"mug"})));
  EXPECT_TRUE(IsExcludedBy(Bound("price", AT_LEAST, 1200)));
  EXPECT_FALSE(IsExcludedBy(Bound("price", AT_LEAST, 1201)));
  EXPECT_TRUE(IsExcludedBy(Bound("stock", AT_MOST, 3)));
  EXPECT_TRUE(IsExcludedBy(Bound("volume", AT_LEAST, 300)));  // an attribute that is a number
  EXPECT_FALSE(IsExcludedBy(Bound("colour", AT_LEAST, 0)));   // one that is none
  EXPECT_FALSE(IsExcludedBy(Bound("margin", AT_MOST, 1e9)));  // one that it does not have
}

TEST_F(RulesTest, AllConditionsOfARuleMustHold) {
  Rule rule = MakeRule(
      EXCLUDE, {Condition("brand", ONE_OF, {"Anar"}), Condition("colour", ONE_OF, {"red"})});
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  rule.products.pop_back();
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
}

TEST_F(RulesTest, ComparesWithThePagesProductAndCategory) {
  EXPECT_FALSE(IsExcludedBy(Condition("brand", AS_CURRENT, {})));  // the page has none
  EXPECT_FALSE(IsExcludedBy(Condition("brand", NOT_AS_CURRENT, {})));
  Product cup = Mug();
  cup.id = "cup";
  facts_.current = &cup;
  EXPECT_TRUE(IsExcludedBy(Condition("brand", AS_CURRENT, {})));
  cup.__set_brand("Sib");
  EXPECT_TRUE(IsExcludedBy(Condition("brand", NOT_AS_CURRENT, {})));
  facts_.current = nullptr;
  facts_.category = "Kitchen";
  EXPECT_EQ(JudgeBy(MakeRule(INCLUDE, {Condition("category", AS_CURRENT, {})})), Kind::kShow);
  facts_.category = "Garden";
  EXPECT_EQ(JudgeBy(MakeRule(INCLUDE, {Condition("category", AS_CURRENT, {})})), Kind::kNever);
}

TEST_F(RulesTest, HoldsFromItsFirstInstantUntilItsLast) {
  Rule rule = MakeRule(EXCLUDE, {Condition("brand", ONE_OF, {"Anar"})});
  rule.__set_from_ms(kNow);
  rule.__set_to_ms(kNow + 1);
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
  facts_.now_ms = kNow - 1;
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  facts_.now_ms = kNow + 1;
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
}

TEST_F(RulesTest, HoldsWhereItIsMeantTo) {
  Rule rule = MakeRule(EXCLUDE, {Condition("brand", ONE_OF, {"Anar"})});
  rule.channels = {APP};
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  facts_.channel = APP;
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
  rule.countries = {"IR", "DE"};
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  facts_.country = "DE";
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
  rule.devices = {MOBILE};
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  facts_.device = MOBILE;
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
}

TEST_F(RulesTest, WhatIsSensitiveIsShownInItsOwnCategory) {
  Rule rule = MakeRule(EXCLUDE, {Condition("category", ONE_OF, {"Kitchen > Mugs"})});
  rule.except_categories = {"Kitchen"};
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
  facts_.category = "Kitchen > Plates";
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  facts_.category = "Garden";
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
}

TEST_F(RulesTest, PriceWindowsAreAbsoluteOrRelative) {
  Rule rule = MakeRule(PRICE_WINDOW);
  PriceWindow window;
  window.base = ABSOLUTE;
  window.__set_at_least(1200);
  window.__set_at_most(1200);
  rule.__set_price(window);
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  rule.price.__set_at_least(1201);
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);

  rule.price.base = CURRENT_PRODUCT;
  rule.price.__set_at_least(0.5);
  rule.price.__set_at_most(2);
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);  // no product, no window
  Product cheap = Mug();
  cheap.__set_price_minor(500);
  facts_.current = &cheap;
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);  // 2.4 times its price
  cheap.__set_price_minor(600);
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);

  rule.price.base = CART_GAP;
  facts_.cart_gap_minor = 2401;
  EXPECT_EQ(JudgeBy(rule), Kind::kNever);
  facts_.cart_gap_minor = 2400;
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
}

TEST_F(RulesTest, BoughtAgainAfterTheInterval) {
  Rule rule = MakeRule(HIDE_BOUGHT);
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  person_.bought_ms[7] = kNow - 10 * kDayMs;
  EXPECT_EQ(JudgeBy(rule), Kind::kLast);
  rule.__set_days(10);
  EXPECT_EQ(JudgeBy(rule), Kind::kLast);
  rule.__set_days(9);
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
  rule.__set_days(10);
  facts_.hide_bought = false;
  EXPECT_EQ(JudgeBy(rule), Kind::kShow);
}

TEST_F(RulesTest, SeenAndShownTooOftenAreWishesTheCartIsNot) {
  person_.seen.insert(7);
  EXPECT_EQ(JudgeBy(MakeRule(HIDE_SEEN)), Kind::kLast);
  Rule often = MakeRule(HIDE_SHOWN_OFTEN);
  often.__set_most(2);
  often.__set_days(3);
  person_.shown_ms[7] = {kNow - kDayMs, kNow - 4 * kDayMs};
  EXPECT_EQ(JudgeBy(often), Kind::kShow);
  person_.shown_ms[7] = {kNow - kDayMs, kNow - 2 * kDayMs};
  EXPECT_EQ(JudgeBy(often), Kind::kLast);
  const std::vector<uint32_t> cart = {3, 7};
  facts_.cart = cart;
  EXPECT_EQ(JudgeBy(MakeRule(HIDE_IN_CART)), Kind::kNever);
  facts_.person = nullptr;
  EXPECT_EQ(JudgeBy(MakeRule(HIDE_SEEN)), Kind::kShow);
}

TEST_F(RulesTest, WhatIsNotOnSaleIsNeverShown) {
  const Rule none = MakeRule(HIDE_SEEN);
  Product product = Mug();
  product.__set_stock(0);
  EXPECT_EQ(JudgeBy(none, product), Kind::kNever);
  product = Mug();
  product.__set_available_from_ms(kNow + 1);
  EXPECT_EQ(JudgeBy(none, product), Kind::kNever);
  product.__set_available_from_ms(kNow);
  EXPECT_EQ(JudgeBy(none, product), Kind::kShow);
  product.__set_available_to_ms(kNow);
  EXPECT_EQ(JudgeBy(none, product), Kind::kNever);
  product = Mug();
  product.__set_withdrawn(true);
  EXPECT_EQ(JudgeBy(none, product), Kind::kNever);
}

}  // namespace
}  // namespace vitrine
