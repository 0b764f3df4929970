#include "recommender/placements/shelf.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace vitrine {
namespace {

using ::testing::ElementsAre;

// A catalogue of products "p0", "p1", ... with brands "b0" to "b3".
class ShelfTest : public ::testing::Test {
 protected:
  ShelfTest() {
    for (int i = 0; i < 40; ++i) {
      Product& product = catalogue_.emplace_back();
      product.id = absl::StrCat("p", i);
      product.__set_brand(absl::StrCat("b", i % 4));
      product.__set_price_minor(100 * i);
    }
  }

  std::vector<ShownProduct> Fill(size_t k) {
    const ShelfRules rules(set_, placement_, facts_);
    const auto refill = [&](size_t place) {
      return place < refill_.size() ? std::optional<uint32_t>(refill_[place]) : std::nullopt;
    };
    const auto product = [&](uint32_t number) { return &catalogue_[number]; };
    const auto find = [&](absl::string_view id) -> std::optional<uint32_t> {
      uint32_t number;
      if (!absl::SimpleAtoi(id.substr(1), &number) || number >= catalogue_.size()) {
        return std::nullopt;
      }
      return number;
    };
    trace_.clear();
    return FillShelf(rules, {.k = k,
                             .scored = scored_,
                             .fillers = fillers_,
                             .tried = tried_,
                             .seed = seed_,
                             .refill = refill,
                             .on_page = &on_page_,
                             .product = product,
                             .find = find,
                             .may_be_short = may_be_short_,
                             .trace = &trace_});
  }
  static std::vector<uint32_t> Numbers(const std::vector<ShownProduct>& shelf) {
    std::vector<uint32_t> numbers;
    for (const ShownProduct& shown : shelf) numbers.push_back(shown.product);
    return numbers;
  }

  Rule& Add(const char* id, RuleKind kind) {
    Rule& rule = placement_.rules.emplace_back();
    rule.id = id;
    rule.kind = kind;
    return rule;
  }
  static ProductCondition OfBrand(const std::string& brand) {
    ProductCondition condition;
    condition.attribute = "brand";
    condition.relation = ONE_OF;
    condition.values = {brand};
    return condition;
  }
  void Pin(const char* id, int position, const std::string& product) {
    Rule& rule = Add(id, PIN);
    rule.__set_position(position);
    rule.__set_product_id(product);
  }

  std::vector<Product> catalogue_;
  PlacementSet set_;
  Placement placement_;
  PersonFacts person_;
  ShelfFacts facts_ = {.now_ms = 1, .person = &person_};
  std::vector<Offer> scored_;
  std::vector<Offer> fillers_;
  std::vector<Offer> tried_;
  uint64_t seed_ = 0;
  std::vector<uint32_t> refill_;
  absl::flat_hash_set<uint32_t> on_page_;
  bool may_be_short_ = false;
  std::vector<TraceLine> trace_;
};

TEST_F(ShelfTest, ScoresThenFillersThenRefill) {
  scored_ = {{1, 1.0, TASTE}, {2, 3.0, TASTE}};
  fillers_ = {{3, 0, SIMILAR}};
  refill_ = {2, 9, 8};
  EXPECT_THAT(Numbers(Fill(4)), ElementsAre(2, 1, 3, 9));
  EXPECT_THAT(Numbers(Fill(2)), ElementsAre(2, 1));
  may_be_short_ = true;
  EXPECT_THAT(Numbers(Fill(4)), ElementsAre(2, 1, 3));
}

TEST_F(ShelfTest, BoostsAndBuries) {
  scored_ = {{0, 1.0, TASTE}, {1, 0.9, TASTE}, {2, 0.8, TASTE}};
  Rule& boost = Add("more-b2", BOOST);
  boost.products = {OfBrand("b2")};
  boost.__set_factor(2);
  Rule& bury = Add("less-b0", BOOST);
  bury.products = {OfBrand("b0")};
  bury.__set_factor(0.5);
  const std::vector<ShownProduct> shelf = Fill(3);
  EXPECT_THAT(Numbers(shelf), ElementsAre(2, 1, 0));
  EXPECT_THAT(shelf[0].rules, ElementsAre("more-b2"));
  EXPECT_TRUE(shelf[1].rules.empty());
}

TEST_F(ShelfTest, PinsStandAtTheirPlaces) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}, {2, 1, TASTE}};
  Pin("second", 2, "p30");
  Pin("second-too", 2, "p31");
  Pin("far", 9, "p32");  // beyond the shelf
  Pin("unknown", 1, "p99");
  const std::vector<ShownProduct> shelf = Fill(5);
  EXPECT_THAT(Numbers(shelf), ElementsAre(0, 30, 31, 1, 2));
  EXPECT_EQ(shelf[1].source, PINNED);
  EXPECT_THAT(shelf[1].rules, ElementsAre("second"));
}

TEST_F(ShelfTest, AnOfferThatIsPinnedStandsOnlyThere) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}, {2, 1, TASTE}};
  Pin("last", 3, "p0");
  EXPECT_THAT(Numbers(Fill(3)), ElementsAre(1, 2, 0));
}

TEST_F(ShelfTest, AForbiddenPinIsNotShown) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}};
  Pin("first", 1, "p2");
  catalogue_[2].__set_stock(0);
  EXPECT_THAT(Numbers(Fill(2)), ElementsAre(0, 1));
}

TEST_F(ShelfTest, WishesGiveWayToAnEmptyPlace) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}};
  refill_ = {4};
  Add("seen", HIDE_SEEN);
  person_.seen = {0};
  EXPECT_THAT(Numbers(Fill(2)), ElementsAre(1, 4));
  EXPECT_THAT(Numbers(Fill(3)), ElementsAre(1, 4, 0));
  may_be_short_ = true;
  EXPECT_THAT(Numbers(Fill(3)), ElementsAre(1));
}

// Whatever place is drawn: all others keep their order, and what is in front stays there.
TEST_F(ShelfTest, WhatIsTriedTakesOnePlaceAndNeverTheFirst) {
  for (uint32_t i = 0; i < 8; ++i) scored_.push_back({i, 9.0 - i, TASTE});
  Pin("third", 3, "p30");
  tried_ = {{20, 0.02, EXPLORE}, {21, 0.01, EXPLORE}};
  Rule& ban = Add("ban", EXCLUDE);
  ban.products = {OfBrand("b0")};  // of 20, and of 0 and 4
  std::set<size_t> places;
  for (seed_ = 0; seed_ < 100; ++seed_) {
    const std::vector<ShownProduct> shelf = Fill(6);
    std::vector<uint32_t> others = Numbers(shelf);
    ASSERT_EQ(others.size(), 6u);
    EXPECT_EQ(others[2], 30u);
    const auto tried = std::ranges::find(others, 21u);
    ASSERT_NE(tried, others.end());
    const auto place = static_cast<size_t>(tried - others.begin());
    EXPECT_EQ(shelf[place].source, EXPLORE);
    places.insert(place);
    others.erase(tried);
    std::erase(others, 30u);
    EXPECT_THAT(others, ElementsAre(1, 2, 3, 5));
  }
  EXPECT_THAT(places, ElementsAre(1, 3, 4, 5));
}

TEST_F(ShelfTest, NothingIsTriedWhereItWouldStandAlone) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}};
  tried_ = {{20, 0.02, EXPLORE}};
  EXPECT_THAT(Numbers(Fill(1)), ElementsAre(0));
  Pin("second", 2, "p30");
  EXPECT_THAT(Numbers(Fill(2)), ElementsAre(0, 30));
}

TEST_F(ShelfTest, WhatIsTriedIsOnTheShelfOnceAndUnderItsCaps) {
  scored_ = {{20, 9, TASTE}, {0, 3, TASTE}, {4, 2, TASTE}, {1, 1, TASTE}, {2, 0.5, TASTE}};
  tried_ = {{20, 0.02, EXPLORE}};
  Rule& cap = Add("cap", CAP);
  cap.__set_attribute("brand");
  cap.__set_most(2);  // 20, 0 and 4 are of one brand
  for (seed_ = 0; seed_ < 20; ++seed_) {
    std::vector<uint32_t> numbers = Numbers(Fill(4));
    EXPECT_EQ(numbers[0], 0u);
    std::ranges::sort(numbers);
    EXPECT_THAT(numbers, ElementsAre(0, 1, 2, 20));
  }
}

TEST_F(ShelfTest, SaysWhatBecameOfProducts) {
  scored_ = {{0, 3, TASTE}, {1, 2, TASTE}, {5, 1, TASTE}};
  on_page_ = {1};
  Rule& ban = Add("ban", EXCLUDE);
  ban.products = {OfBrand("b0")};
  refill_ = {2};
  EXPECT_THAT(Numbers(Fill(2)), ElementsAre(5, 2));
  std::vector<std::string> lines;
  for (const TraceLine& line : trace_) {
    lines.push_back(absl::StrCat(line.product, " ", line.what, " ", line.by));
  }
  EXPECT_THAT(lines, ElementsAre("0 removed ban", "1 repeated page", "2 refilled popular"));
}

// Random catalogues, rules and offers; seeds are printed where one fails.
TEST_F(ShelfTest, KeepsEveryRuleAndIsFullWheneverItCanBe) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
    placement_.rules.clear();
    person_ = {};
    on_page_.clear();
    scored_.clear();
    for (Product& product : catalogue_) {
      product.__isset.stock = false;
      if (draw(8) == 0) product.__set_stock(0);
    }
    std::set<std::string> banned;
    if (draw(2) == 0) {
      banned.insert(absl::StrCat("b", draw(4)));
      Add("ban", EXCLUDE).products = {OfBrand(*banned.begin())};
    }
    const int most = draw(2) == 0 ? 1 + draw(4) : 1000;
    if (most < 1000) {
      Rule& cap = Add("cap", CAP);
      cap.__set_attribute("brand");
      cap.__set_most(most);
    }
    if (draw(2) == 0) Add("seen", HIDE_SEEN);
    for (int i = 0; i < draw(10); ++i) person_.seen.insert(static_cast<uint32_t>(draw(40)));
    for (int i = 0; i < draw(6); ++i) on_page_.insert(static_cast<uint32_t>(draw(40)));
    for (int i = 0; i < draw(30); ++i) {
      const auto product = static_cast<uint32_t>(draw(40));
      if (std::none_of(scored_.begin(), scored_.end(),
                       [&](const Offer& o) { return o.product == product; })) {
        scored_.push_back({product, 1.0 + draw(5), TASTE});
      }
    }
    refill_.resize(40);
    for (uint32_t i = 0; i < 40; ++i) refill_[i] = i;
    std::shuffle(refill_.begin(), refill_.end(), random);
    const uint32_t pinned = static_cast<uint32_t>(draw(40));
    const int position = 1 + draw(6);
    const bool pins = draw(2) == 0;
    if (pins) Pin("pin", position, absl::StrCat("p", pinned));
    const size_t k = 1 + static_cast<size_t>(draw(20));
    tried_.clear();
    for (int i = 0; i < draw(3); ++i)
      tried_.push_back({static_cast<uint32_t>(draw(40)), 1, EXPLORE});
    seed_ = seed;

    const std::vector<uint32_t> shelf = Numbers(Fill(k));

    // What may be shown, worked out product by product.
    const auto allowed = [&](uint32_t p) {
      return !on_page_.contains(p) && !catalogue_[p].__isset.stock &&
             !banned.contains(catalogue_[p].brand);
    };
    std::map<std::string, int> of_brand;
    for (uint32_t p = 0; p < 40; ++p) of_brand[catalogue_[p].brand] += allowed(p);
    size_t possible = 0;
    for (const auto& [brand, count] : of_brand) possible += std::min(count, most);
    EXPECT_EQ(shelf.size(), std::min(k, possible));

    std::map<std::string, int> shown;
    for (const uint32_t p : shelf) {
      EXPECT_TRUE(allowed(p)) << p;
      EXPECT_LE(++shown[catalogue_[p].brand], most);
    }
    EXPECT_EQ(std::set<uint32_t>(shelf.begin(), shelf.end()).size(), shelf.size());
    if (pins && allowed(pinned) && static_cast<size_t>(position) <= shelf.size()) {
      EXPECT_EQ(shelf[static_cast<size_t>(position - 1)], pinned);
    }
  }
}

}  // namespace
}  // namespace vitrine
