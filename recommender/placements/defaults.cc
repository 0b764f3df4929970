#include "recommender/placements/defaults.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace vitrine {
namespace {

RecipeSource From(Source source, double weight = 1) {
  RecipeSource recipe;
  recipe.source = source;
  recipe.weight = weight;
  return recipe;
}

RecipeSource Lately(Source source, int32_t days, double weight = 1) {
  RecipeSource recipe = From(source, weight);
  recipe.__set_days(days);
  return recipe;
}

RecipeSource Filler(Source source) { return From(source, 0); }

Rule Hide(const char* id, RuleKind kind) {
  Rule rule;
  rule.id = id;
  rule.kind = kind;
  return rule;
}

Rule BoughtWithin(int32_t days) {
  Rule rule = Hide("bought-lately", HIDE_BOUGHT);
  rule.__set_days(days);
  return rule;
}

Rule ShownOften(int32_t most, int32_t days) {
  Rule rule = Hide("shown-often", HIDE_SHOWN_OFTEN);
  rule.__set_most(most);
  rule.__set_days(days);
  return rule;
}

Rule Price(const char* id, PriceBase base, double at_least, double at_most) {
  Rule rule = Hide(id, PRICE_WINDOW);
  PriceWindow window;
  window.base = base;
  window.__set_at_least(at_least);
  window.__set_at_most(at_most);
  rule.__set_price(window);
  return rule;
}

Rule OfThisCategory() {
  Rule rule = Hide("this-category", INCLUDE);
  ProductCondition& condition = rule.products.emplace_back();
  condition.attribute = "category";
  condition.relation = AS_CURRENT;
  return rule;
}

struct Words {
  const char* english;
  const char* persian;
};

enum class Length { kFull, kMayBeShort };

Placement Make(const char* id, Words title, std::vector<RecipeSource> recipe,
               std::vector<Rule> rules, Length length = Length::kFull) {
  Placement placement;
  placement.id = id;
  placement.titles = {{"en", title.english}, {"fa", title.persian}};
  placement.recipe = std::move(recipe);
  placement.rules = std::move(rules);
  placement.may_be_short = length == Length::kMayBeShort;
  return placement;
}

// The part of home shelves of a new site that try a new product: each of them costs what the
// shelf's last product would have brought.
constexpr double kExploredShare = 0.05;

PlacementSet MakeDefaults() {
  constexpr Length kMayBeShort = Length::kMayBeShort;
  const Rule bought = Hide("bought", HIDE_BOUGHT);
  const Rule seen = Hide("seen", HIDE_SEEN);
  const Rule in_cart = Hide("in-cart", HIDE_IN_CART);
  PlacementSet set;
  set.placements = {
      Make("home", {"For you", "برای شما"}, {From(FOR_YOU), From(EXPLORE, kExploredShare)},
           {bought, seen, in_cart}),
      Make("trending", {"Trending now", "پرطرفدار این روزها"},
           {From(TRENDING), {Lately(POPULAR, 7, 0)}, {Lately(POPULAR, 30, 0)}}, {in_cart}),
      Make("popular", {"Most popular", "محبوب‌ترین‌ها"}, {From(POPULAR)}, {in_cart}),
      Make("recently-viewed", {"You looked at", "دیده‌های شما"},
           {From(RECENTLY_VIEWED)}, {}, kMayBeShort),
      Make("buy-again", {"Buy it again", "دوباره بخرید"}, {From(BUY_AGAIN)},
           {BoughtWithin(14), in_cart}, kMayBeShort),
      Make("new", {"New in the shop", "تازه‌های فروشگاه"}, {Lately(NEWEST, 90)},
           {bought}, kMayBeShort),

      Make("similar", {"Similar products", "کالاهای مشابه"},
           {From(SIMILAR), From(ALIKE, 0.3), Filler(ALSO_VIEWED), Filler(FOR_YOU)}, {in_cart}),
      Make("also-viewed", {"Others also viewed", "دیگران این‌ها را هم دیدند"},
           {From(ALSO_VIEWED), Filler(SIMILAR), Filler(ALIKE), Filler(FOR_YOU)}, {in_cart}),
      Make("bought-together", {"Bought together", "با هم خریده می‌شوند"},
           {From(BOUGHT_TOGETHER)}, {in_cart}, kMayBeShort),
      Make("replacement", {"Instead of it", "به جای آن"},
           {From(SIMILAR), From(ALIKE, 0.7), From(ALSO_VIEWED, 0.5), Filler(FOR_YOU)},
           {in_cart, Price("like-price", CURRENT_PRODUCT, 0.5, 2)}),

      Make("cart", {"Goes with your cart", "همراه سبد شما"},
           {From(BOUGHT_TOGETHER), Filler(TOGETHER), Filler(FOR_YOU)}, {in_cart}),
      Make("free-shipping", {"For free shipping", "تا ارسال رایگان"},
           {From(BOUGHT_TOGETHER), From(FOR_YOU, 0.5)}, {in_cart, Price("gap", CART_GAP, 1, 2)}),
      Make("order", {"You may also like", "شاید این‌ها را هم بپسندید"},
           {From(BOUGHT_TOGETHER), Filler(FOR_YOU)}, {bought, in_cart}),

      Make("category", {"In this category", "در این دسته"}, {From(FOR_YOU), From(POPULAR, 0.3)},
           {OfThisCategory()}),
      Make("search-none", {"Perhaps you meant", "شاید منظورتان این بود"},
           {From(SEARCH_TERMS), Filler(FOR_YOU)}, {in_cart}),
      Make("not-found", {"You may like", "شاید بپسندید"}, {From(FOR_YOU), Filler(TRENDING)},
           {in_cart}),
      Make("email", {"Picked for you", "برگزیده برای شما"}, {From(FOR_YOU)},
           {bought, ShownOften(5, 14)}),
  };
  return set;
}

}  // namespace

const PlacementSet& DefaultPlacements() {
  static const PlacementSet* const set = new PlacementSet(MakeDefaults());
  return *set;
}

}  // namespace vitrine
