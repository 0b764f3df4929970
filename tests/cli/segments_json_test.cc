#include "api/cli/segments_json.h"

#include <string>

#include "recommender/segments/validate.h"
#include "tests/testing/testing.h"

namespace vitrine::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitrine::testing::Value;

constexpr char kSegments[] = R"({
  "segments": [{
    "id": "may-come-back",
    "titles": {"en": "May come back"},
    "conditions": [
      {"any": [{"measure": "order_count", "relation": "at_least", "number": 2, "days": 365,
                "categories": ["Shoes"], "channels": ["app"]},
               {"measure": "bought_minor", "relation": "at_least", "number": 10000,
                "currency": "EUR"}]},
      {"any": [{"measure": "days_since_last_seen", "relation": "at_least", "number": 30}]},
      {"any": [{"measure": "consent_is", "name": "marketing", "relation": "one_of",
                "values": ["refused"], "channels": ["email"]}], "negated": true}]
  }],
  "clusterings": [{"id": "k", "currency": "EUR", "means": [1, 2, 3, 4, 5, 6],
                   "scales": [1, 1, 1, 1, 1, 1], "centroids": [{"at": [0, 0, 0, 0, 0, 0.5]}]}]
})";

TEST(SegmentsJson, IsReadAndSaidInWords) {
  const SegmentsDocument document = Value(SegmentsFromJson(kSegments));
  EXPECT_FALSE(document.version.has_value());
  EXPECT_OK(ValidateSegments(document.content));
  EXPECT_EQ(SegmentText(document.content.segments.at(0)),
            "(order_count >= 2 within 365 days in Shoes on app or bought_minor >= 10000 EUR) and "
            "days_since_last_seen >= 30 and not consent_is[marketing] refused on email");
}

TEST(SegmentsJson, WhatIsWrittenIsReadAgain) {
  SegmentSetVersion version;
  version.version = 3;
  version.content = Value(SegmentsFromJson(kSegments)).content;
  const SegmentsDocument again = Value(SegmentsFromJson(SegmentsToJson(version)));
  EXPECT_EQ(again.version, 3);
  EXPECT_EQ(again.content, version.content);
}

TEST(SegmentsJson, NamesThePlaceOfTheMistake) {
  std::string text = kSegments;
  text.replace(text.find("bought_minor"), 12, "bought_manor");
  const absl::Status status = SegmentsFromJson(text).status();
  EXPECT_THAT(std::string(status.message()),
              StartsWith("segments[0].conditions[0].any[1].measure: "));
  EXPECT_THAT(std::string(status.message()), HasSubstr("days_since_last_order"));
}

}  // namespace
}  // namespace vitrine::cli
