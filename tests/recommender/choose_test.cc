#include "recommender/offers/choose.h"

#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = 1'700'000'000'000;

ShopOffer Offer(const std::string& id, OfferKind kind = MESSAGE, int64_t cost_minor = 0) {
  ShopOffer offer;
  offer.id = id;
  offer.kind = kind;
  offer.currency = "EUR";
  offer.cost_minor = cost_minor;
  return offer;
}

ShopOffer Percent(const std::string& id, double percent, std::vector<std::string> products = {}) {
  ShopOffer offer = Offer(id, DISCOUNT);
  offer.__set_percent(percent);
  offer.products = std::move(products);
  return offer;
}

class ChooseTest : public ::testing::Test {
 protected:
  ChooseTest() {
    facts_.now_ms = kNow;
    facts_.currency = "EUR";
    // Worth 100.00, with a margin of 40.00.
    facts_.products = {{"boot", "Shoes > Boots", 1, 6000, 2500}, {"sock", "Shoes", 4, 1000, 375}};
  }

  void Odds(const std::string& id, double with, double without) {
    facts_.odds[id] = {with, without, 0};
  }

  std::vector<std::string> Made() {
    choice_ = ChooseOffers(offers_, facts_);
    std::vector<std::string> ids;
    for (const OfferDecision& made : choice_.made) ids.push_back(made.offer_id);
    return ids;
  }

  // Why this offer, alone, is not made; "" if it is.
  std::string WhyNot(const ShopOffer& offer) {
    if (!facts_.odds.contains(offer.id)) Odds(offer.id, 0.9, 0);
    offers_ = {offer};
    if (!Made().empty()) return "";
    return std::string(NameOf(choice_.refused.at(0).refusal));
  }

  std::vector<ShopOffer> offers_;
  OfferFacts facts_;
  OfferChoice choice_;
};

TEST_F(ChooseTest, WhatCountsIsTheDifferenceThatTheOfferMakes) {
  offers_ = {Percent("for_who_buys_anyway", 10), Percent("for_who_hesitates", 10)};
  Odds("for_who_buys_anyway", 0.82, 0.80);
  Odds("for_who_hesitates", 0.30, 0.10);
  EXPECT_THAT(Made(), ElementsAre("for_who_hesitates"));
  const OfferDecision& made = choice_.made[0];
  EXPECT_EQ(made.cost_minor, 1000);
  EXPECT_THAT(made.expected_margin_minor, DoubleEq(0.30 * (4000 - 1000) - 0.10 * 4000));
  EXPECT_EQ(made.reason, BEST_MARGIN);
  ASSERT_EQ(choice_.refused.size(), 1u);
  EXPECT_EQ(choice_.refused[0].refusal, NO_GAIN);  // 0.82 * 3000 < 0.80 * 4000
}

TEST_F(ChooseTest, WithoutACartItIsTheUsualOrder) {
  facts_.products.clear();
  facts_.usual_order_minor = 5000;
  facts_.usual_margin_minor = 2000;
  offers_ = {Percent("spring", 20)};
  Odds("spring", 0.5, 0.1);
  EXPECT_THAT(Made(), ElementsAre("spring"));
  EXPECT_THAT(choice_.made[0].expected_margin_minor, DoubleEq(0.5 * (2000 - 1000) - 0.1 * 2000));
}

TEST_F(ChooseTest, CostsAreThoseOfTheKind) {
  EXPECT_EQ(CostOf(Percent("a", 12.5), facts_), 1250);
  EXPECT_EQ(CostOf(Percent("a", 12.5, {"sock"}), facts_), 500);
  EXPECT_EQ(CostOf(Percent("a", 33.333, {"boot"}), facts_), 2000);  // to the nearest cent
  ShopOffer off = Offer("off", DISCOUNT);
  off.__set_amount_minor(15000);
  EXPECT_EQ(CostOf(off, facts_), 10000);  // no more than the cart is worth
  EXPECT_EQ(CostOf(Offer("gift", GIFT, 300), facts_), 300);
}

TEST_F(ChooseTest, ABundleCountsThePiecesThatItBringsIntoTheCart) {
  ShopOffer bundle = Offer("bundle", BUNDLE);
  bundle.products = {"boot", "polish"};
  bundle.__set_amount_minor(200);
  facts_.products.push_back({"polish", "Care", 0, 800, 500});
  Odds("bundle", 0.5, 0);
  EXPECT_EQ(WhyNot(bundle), "");
  EXPECT_THAT(choice_.made[0].expected_margin_minor, DoubleEq(0.5 * (4000 + 500 - 200)));
  facts_.products = {{"sock", "Shoes", 1, 1000, 400}};
  EXPECT_EQ(WhyNot(bundle), "no_such_product");
}

TEST_F(ChooseTest, EveryRefusalSaysWhy) {
  ShopOffer offer = Offer("x");
  EXPECT_EQ(WhyNot(offer), "");
  offer.enabled = false;
  EXPECT_EQ(WhyNot(offer), "not_enabled");
  offer = Offer("x");
  offer.currency = "GBP";
  EXPECT_EQ(WhyNot(offer), "other_currency");
  offer = Offer("x");
  offer.eligibility.channels = {EMAIL, SMS};
  EXPECT_EQ(WhyNot(offer), "wrong_channel");
  offer = Offer("x");
  offer.eligibility.products = {"hat"};
  EXPECT_EQ(WhyNot(offer), "no_such_product");
  offer.eligibility.products = {"hat", "sock"};
  EXPECT_EQ(WhyNot(offer), "");
}

TEST_F(ChooseTest, DatesRunFromInclusiveUntilExclusive) {
  ShopOffer offer = Offer("x");
  offer.eligibility.__set_from_ms(kNow);
  offer.eligibility.__set_to_ms(kNow + 1);
  EXPECT_EQ(WhyNot(offer), "");
  offer.eligibility.__set_to_ms(kNow);
  EXPECT_EQ(WhyNot(offer), "not_running");
  offer.eligibility.__set_from_ms(kNow + 1);
  offer.eligibility.__set_to_ms(kNow + 9);
  EXPECT_EQ(WhyNot(offer), "not_running");
}

TEST_F(ChooseTest, CategoriesHoldOfThoseWithinThem) {
  ShopOffer offer = Offer("x");
  offer.eligibility.categories = {"Shoes"};
  EXPECT_EQ(WhyNot(offer), "");
  facts_.products = {{"boot", "Shoes > Boots", 0, 6000, 2500}};  // on the page
  facts_.usual_margin_minor = 1000;
  EXPECT_EQ(WhyNot(offer), "");
  offer.eligibility.categories = {"Shoes > Boots > Winter", "Shoe"};
  EXPECT_EQ(WhyNot(offer), "no_such_product");
}

TEST_F(ChooseTest, CartAndValueAndSegments) {
  ShopOffer offer = Offer("x");
  offer.eligibility.__set_cart_min_minor(10'000);
  offer.eligibility.__set_cart_max_minor(10'000);
  EXPECT_EQ(WhyNot(offer), "");
  offer.eligibility.__set_cart_min_minor(10'001);
  EXPECT_EQ(WhyNot(offer), "wrong_cart");
  offer = Offer("x");
  offer.eligibility.__set_value_min_minor(500);
  EXPECT_EQ(WhyNot(offer), "wrong_value");  // not known
  facts_.value_minor = 500;
  EXPECT_EQ(WhyNot(offer), "");
  offer.eligibility.segments = {"loyal", "new"};
  EXPECT_EQ(WhyNot(offer), "wrong_segment");
  facts_.segments = {"new"};
  EXPECT_EQ(WhyNot(offer), "");
  offer.eligibility.not_segments = {"new"};
  EXPECT_EQ(WhyNot(offer), "wrong_segment");
}

TEST_F(ChooseTest, WhatIsLeftIsNeverExceeded) {
  const ShopOffer offer = Percent("x", 10);  // costs 1000
  facts_.left["x"] = {1000, 1, 1};
  EXPECT_EQ(WhyNot(offer), "");
  facts_.left["x"] = {999, 1, 1};
  EXPECT_EQ(WhyNot(offer), "budget_spent");
  facts_.left["x"] = {1000, 0, 1};
  EXPECT_EQ(WhyNot(offer), "used_up");
  facts_.left["x"] = {1000, std::nullopt, 0};
  EXPECT_EQ(WhyNot(offer), "used_up_by_customer");
}

TEST_F(ChooseTest, TheMarginFloorHolds) {
  ShopOffer offer = Percent("x", 10);  // leaves 30.00 of 100.00
  offer.__set_margin_floor(0.30);
  EXPECT_EQ(WhyNot(offer), "");
  offer.__set_margin_floor(0.31);
  EXPECT_EQ(WhyNot(offer), "below_margin_floor");
}

TEST_F(ChooseTest, OfThoseThatDoNotGoTogetherTheBetterOneStands) {
  offers_ = {Offer("a"), Offer("b"), Offer("c"), Offer("d")};
  offers_[0].excludes = {"b"};
  offers_[2].group = offers_[3].group = "codes";
  Odds("a", 0.1, 0);
  Odds("b", 0.4, 0);
  Odds("c", 0.2, 0);
  Odds("d", 0.3, 0);
  EXPECT_THAT(Made(), ElementsAre("b", "d"));
  ASSERT_EQ(choice_.refused.size(), 2u);
  EXPECT_EQ(choice_.refused[0].refusal, EXCLUDED);
  EXPECT_EQ(choice_.refused[0].excluded_by, "b");
  EXPECT_EQ(choice_.refused[1].excluded_by, "d");
  facts_.k = 1;
  EXPECT_THAT(Made(), ElementsAre("b"));
  EXPECT_EQ(choice_.refused[2].refusal, NOT_AMONG_BEST);  // d
}

TEST_F(ChooseTest, NoOfferIsMadeAgainstTheContactPolicy) {
  ContactPolicy policy;
  PurposeRule rule;
  rule.purpose = "service";
  rule.basis = OPT_OUT;
  policy.purposes = {rule};
  HoursWindow night;
  night.from_minute = 22 * 60;
  night.to_minute = 23 * 60;  // kNow is 22:13:20 UTC
  policy.quiet_hours = {night};
  const ContactPreference preference;
  const ContactFacts contact = {policy, preference, {}, {}};
  facts_.contact = &contact;
  offers_ = {Offer("a"), Offer("b"), Offer("c")};
  offers_[1].purpose = offers_[2].purpose = "service";
  offers_[2].eligibility.__set_to_ms(kNow + 1000);
  for (const char* const id : {"a", "b", "c"}) Odds(id, 0.5, 0);
  EXPECT_THAT(Made(), IsEmpty());
  ASSERT_EQ(choice_.refused.size(), 3u);
  for (const OfferDecision& refused : choice_.refused) {
    EXPECT_EQ(refused.refusal, BY_CONTACT_POLICY);
  }
  EXPECT_EQ(choice_.refused[0].contact.rule, NO_CONSENT);
  EXPECT_EQ(choice_.refused[1].contact.outcome, CONTACT_HELD);
  EXPECT_EQ(choice_.refused[1].contact.until_ms, 1'700'002'800'000);  // 23:00
  EXPECT_EQ(choice_.refused[2].contact.rule, OUTSIDE_DATES);          // over by then
  facts_.now_ms = 1'700'002'800'000;
  EXPECT_THAT(Made(), ElementsAre("b"));
}

TEST_F(ChooseTest, WhatIsTriedOutStandsFirstAsOftenAsItSays) {
  offers_ = {Offer("a"), Offer("b"), Offer("c"), Offer("unknown")};
  Odds("a", 0.9, 0);
  Odds("b", 0.5, 0);
  Odds("c", 0.1, 0);
  facts_.explore = 0.2;
  facts_.k = 1;
  const uint64_t seed = 20240506;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> draw(0, 1);
  std::map<std::string, int> first;
  constexpr int kRounds = 40'000;
  for (int i = 0; i < kRounds; ++i) {
    facts_.draw_whether = draw(random);
    facts_.draw_which = draw(random);
    ASSERT_EQ(Made().size(), 1u);
    const OfferDecision& made = choice_.made[0];
    ++first[made.offer_id];
    EXPECT_EQ(made.reason, made.offer_id == "a" ? BEST_MARGIN : TRIED_OUT);
    EXPECT_THAT(made.probability, DoubleEq(made.offer_id == "a" ? 0.8 + 0.05 : 0.05));
  }
  for (const auto& [id, times] : first) {
    EXPECT_NEAR(times, kRounds * (id == "a" ? 0.85 : 0.05), 300) << id << ", seed " << seed;
  }
  EXPECT_EQ(first.size(), 4u);
}

// Beside plain rules about the answer, over random offers.
TEST_F(ChooseTest, EachOfferHasOneAnswerAndNoneBetterIsPassedOver) {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto below = [&random](int end) { return static_cast<int>(random() % end); };
  for (int round = 0; round < 2000; ++round) {
    offers_.clear();
    facts_.odds.clear();
    facts_.k = static_cast<size_t>(below(4));
    const int count = below(8);
    for (int i = 0; i < count; ++i) {
      ShopOffer& offer = offers_.emplace_back(Percent(absl::StrCat("o", i), 1 + below(60)));
      offer.enabled = below(5) != 0;
      if (below(4) == 0) offer.excludes = {absl::StrCat("o", below(8))};
      if (below(4) == 0) offer.group = absl::StrCat("g", below(2));
      Odds(offer.id, below(10) / 10.0, below(4) / 10.0);
    }
    Made();
    ASSERT_EQ(choice_.made.size() + choice_.refused.size(), offers_.size());
    ASSERT_LE(choice_.made.size(), facts_.k);
    std::map<std::string, const ShopOffer*> by_id;
    for (const ShopOffer& offer : offers_) by_id[offer.id] = &offer;
    const auto clash = [&by_id](const std::string& a, const std::string& b) {
      const ShopOffer& x = *by_id[a];
      const ShopOffer& y = *by_id[b];
      return (x.group != "" && x.group == y.group) ||
             std::count(x.excludes.begin(), x.excludes.end(), b) > 0 ||
             std::count(y.excludes.begin(), y.excludes.end(), a) > 0;
    };
    double before = 1e18;
    for (size_t i = 0; i < choice_.made.size(); ++i) {
      const OfferDecision& made = choice_.made[i];
      EXPECT_GT(made.expected_margin_minor, 0);
      EXPECT_LE(made.expected_margin_minor, before);
      before = made.expected_margin_minor;
      for (size_t j = 0; j < i; ++j) EXPECT_FALSE(clash(made.offer_id, choice_.made[j].offer_id));
    }
    // One that was left out, though it gains, has somebody above who is in its way, or no place.
    for (const OfferDecision& out : choice_.refused) {
      if (!by_id[out.offer_id]->enabled || out.expected_margin_minor <= 0) continue;
      size_t above = 0;
      bool in_the_way = false;
      for (const OfferDecision& made : choice_.made) {
        if (made.expected_margin_minor < out.expected_margin_minor) continue;
        ++above;
        in_the_way = in_the_way || clash(out.offer_id, made.offer_id);
      }
      EXPECT_TRUE(in_the_way || above == facts_.k) << "seed " << seed << " round " << round;
    }
  }
}

}  // namespace
}  // namespace vitrine
