#include <random>

#include "absl/strings/str_cat.h"

#include "recommender/offers/tally.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kHourMs = 3'600'000;

TEST(OfferTally, CountsAnOrderOnceForEveryOfferOfTheDay) {
  OfferTally tally;
  EXPECT_TRUE(tally.AddDecision("a", std::vector<std::string>{"x", "y"}, kNow));
  EXPECT_FALSE(tally.AddDecision("a", std::vector<std::string>{"x"}, kNow + kHourMs))
      << "the day is not over";
  EXPECT_FALSE(tally.AddOrder("b", kNow)) << "nobody decided about them";
  EXPECT_TRUE(tally.AddOrder("a", kNow + 2 * kHourMs));
  EXPECT_FALSE(tally.AddOrder("a", kNow + 3 * kHourMs)) << "counted already";
  for (const char* offer : {"x", "y"}) {
    EXPECT_EQ(tally.Of(offer).decisions, 1) << offer;
    EXPECT_EQ(tally.Of(offer).orders, 1) << offer;
  }
  EXPECT_EQ(tally.Control().decisions, 0);
}

TEST(OfferTally, ADayLaterIsAnotherDecision) {
  OfferTally tally;
  EXPECT_TRUE(tally.AddDecision("a", {}, kNow));
  EXPECT_FALSE(tally.AddOrder("a", kNow + OfferTally::kDayMs)) << "the day is over";
  EXPECT_TRUE(tally.AddDecision("a", {}, kNow + OfferTally::kDayMs));
  EXPECT_TRUE(tally.AddOrder("a", kNow + OfferTally::kDayMs + 1));
  EXPECT_EQ(tally.Control().decisions, 2);
  EXPECT_EQ(tally.Control().orders, 1);
}

// An offer that nobody tried is worth trying; one that changes nothing is seen through.
TEST(OfferTally, ThinksWellOfWhatItDoesNotKnow) {
  OfferTally tally;
  const OfferOdds first = tally.OddsOf("new");
  EXPECT_GT(first.buys_with, 1.5 * first.buys_without);
  const uint32_t seed = 11;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto happens = [&random](double part) { return random() < part * 4294967296.0; };
  for (int i = 0; i < 40'000; ++i) {
    const std::string person = absl::StrCat("p", i);
    const int64_t now_ms = kNow + i * 1000;
    const int which = i % 3;  // control, one that moves nobody, one that moves some
    std::vector<std::string> offers;
    if (which == 1) offers = {"idle"};
    if (which == 2) offers = {"good"};
    tally.AddDecision(person, offers, now_ms);
    if (happens(which == 2 ? 0.12 : 0.08)) tally.AddOrder(person, now_ms + 1);
  }
  const OfferOdds idle = tally.OddsOf("idle");
  const OfferOdds good = tally.OddsOf("good");
  EXPECT_NEAR(idle.buys_without, 0.08, 0.01);
  EXPECT_NEAR(idle.buys_with, 0.08, 0.015);
  EXPECT_NEAR(good.buys_with, 0.12, 0.015);
}

}  // namespace
}  // namespace vitrine
