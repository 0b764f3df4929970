#include "ingest/reasons.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "store/base/atomic_file.h"
#include "store/base/utf8.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

TEST(Reasons, AllAreExplainedInTheReadme) {
  const std::string readme = testing::Value(ReadFile("ingest/README.md", 1 << 20));
  for (const absl::string_view reason : reasons::kAll) {
    EXPECT_TRUE(absl::StrContains(readme, absl::StrCat("`", reason, "`"))) << reason;
  }
}

TEST(Reasons, AFaultSplitsIntoReasonAndDetail) {
  const absl::Status fault = Fault(reasons::kBadTime, "x: y: ", 7);
  const FaultText text = ParseFault(fault.message());
  EXPECT_EQ(text.reason, "bad_time");
  EXPECT_EQ(text.detail, "x: y: 7");
}

TEST(Reasons, AMessageWithoutAKnownReasonIsABadEvent) {
  EXPECT_EQ(ParseFault("something else").reason, "bad_event");
  const FaultText text = ParseFault("no_such_reason: detail");
  EXPECT_EQ(text.reason, "bad_event");
  EXPECT_EQ(text.detail, "no_such_reason: detail");
}

TEST(Reasons, WhatIsShownIsShortAndCanBePrinted) {
  EXPECT_EQ(Shown("2.5"), "\"2.5\"");
  EXPECT_EQ(Shown("a\nb"), "\"a\\nb\"");
  const std::string persian = "سلام سلام سلام سلام سلام سلام سلام";
  for (size_t start = 0; start < 3; ++start) {
    const std::string shown = Shown(std::string(start, 'x') + persian);
    EXPECT_TRUE(IsUtf8(shown)) << shown;
    EXPECT_LE(shown.size(), 45u);
  }
}

}  // namespace
}  // namespace vitrine
