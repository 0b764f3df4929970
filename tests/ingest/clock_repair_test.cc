#include "ingest/clock_repair.h"

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/base/limits.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;

// received - (sent - original): a phone two hours slow, a minute offline, 3 s on the way.
TEST(ClockRepair, SnowplowsAndSegmentsFormula) {
  constexpr int64_t kHour = 3'600'000;
  const int64_t happened = 1'700'000'000'000;
  const int64_t original = happened - 2 * kHour;
  const int64_t sent = original + 60'000;
  const int64_t received = happened + 60'000 + 3'000;
  EXPECT_EQ(RepairedTimeMs(original, sent, received), happened + 3'000);
  EXPECT_EQ(RepairedTimeMs(5, 5, 1'000), 1'000);
}

TEST(ClockRepair, NumbersThatAreNoTimesChangeNothing) {
  EXPECT_EQ(RepairedTimeMs(INT64_MIN, INT64_MAX, 0), INT64_MIN);
  EXPECT_EQ(RepairedTimeMs(7, INT64_MIN, 0), 7);
  EXPECT_EQ(RepairedTimeMs(INT64_MAX, 0, INT64_MAX), INT64_MAX);
}

TEST(ClockRepair, WhatCannotBeIsRefusedByName) {
  const int64_t now = 1'700'000'000'000;
  const int64_t day = 86'400'000;
  EXPECT_OK(CheckEventTime(now + limits::kEventFutureMsMax, now, 0));
  EXPECT_THAT(CheckEventTime(now + limits::kEventFutureMsMax + 1, now, 0).message(),
              HasSubstr("time_in_future: "));
  EXPECT_OK(CheckEventTime(now - 10'000 * day, now, 0));
  EXPECT_OK(CheckEventTime(now - 30 * day, now, 30 * day));
  EXPECT_THAT(CheckEventTime(now - 30 * day - 1, now, 30 * day).message(),
              HasSubstr("time_too_old: "));
}

}  // namespace
}  // namespace vitrine
