#include "ingest/money.h"

#include <cinttypes>
#include <cstdio>
#include <gtest/gtest.h>
#include <random>
#include <string>

#include "absl/strings/match.h"

#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

int64_t Minor(absl::string_view text, absl::string_view currency) {
  int64_t minor = -1;
  EXPECT_OK(ParsePrice(text, MinorDigits(currency), &minor)) << text;
  return minor;
}

bool Refused(absl::string_view text, absl::string_view currency) {
  int64_t minor;
  const absl::Status status = ParsePrice(text, MinorDigits(currency), &minor);
  return absl::StartsWith(status.message(), "bad_price: ");
}

TEST(Money, DecimalTextBecomesMinorUnitsOfItsCurrency) {
  EXPECT_EQ(Minor("2.55", "GBP"), 255);
  EXPECT_EQ(Minor("28", "USD"), 2'800);
  EXPECT_EQ(Minor("1.1", "GBP"), 110);
  EXPECT_EQ(Minor("1200", "JPY"), 1'200);
  EXPECT_EQ(Minor("1.234", "KWD"), 1'234);
  EXPECT_EQ(Minor("15000.00", "IRR"), 1'500'000);
  EXPECT_EQ(Minor("1.2345", "CLF"), 12'345);
  EXPECT_EQ(Minor(".5", "GBP"), 50);
  EXPECT_EQ(Minor("5.", "GBP"), 500);
  EXPECT_EQ(Minor("0.0", "GBP"), 0);
}

TEST(Money, ZerosBeyondTheLastDigitOfTheCurrencySayNothing) {
  EXPECT_EQ(Minor("2.5500", "GBP"), 255);
  EXPECT_EQ(Minor("7.00", "JPY"), 7);
}

TEST(Money, AFinerPriceThanTheCurrencyHasIsRefusedNotRounded) {
  EXPECT_TRUE(Refused("0.001", "GBP"));
  EXPECT_TRUE(Refused("2.555", "GBP"));
  EXPECT_TRUE(Refused("7.5", "JPY"));
}

TEST(Money, WhatIsNoPlainDecimalIsRefused) {
  for (const char* text : {"", ".", "-1", "-0.01", "1,5", "1e3", "+1", "1.2.3", "0x10", " 1", "NaN",
                           "99999999999999999999999999", "10000000000.01"}) {
    EXPECT_TRUE(Refused(text, "GBP")) << text;
  }
  EXPECT_EQ(Minor("10000000000.00", "GBP"), limits::kPriceMinorMax);
}

TEST(Money, EveryAmountSurvivesBeingWrittenAndRead) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const int64_t minor = static_cast<int64_t>(random() % (limits::kPriceMinorMax + 1));
    char text[40];
    std::snprintf(text, sizeof(text), "%" PRId64 ".%02d", minor / 100,
                  static_cast<int>(minor % 100));
    ASSERT_EQ(Minor(text, "EUR"), minor) << text;
  }
}

TEST(Money, ACurrencyCodeIsThreeCapitalLetters) {
  EXPECT_TRUE(IsCurrencyCode("GBP"));
  EXPECT_FALSE(IsCurrencyCode("gbp"));
  EXPECT_FALSE(IsCurrencyCode("GB"));
  EXPECT_FALSE(IsCurrencyCode(""));
  EXPECT_EQ(MinorDigits("F C"), 2);  // not found between two codes
}

}  // namespace
}  // namespace vitrine
