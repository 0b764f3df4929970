#include <cstring>
#include <limits>
#include <string>

#include "recommender/segments/validate.h"
#include "store/base/segment_limits.h"
#include "store/segment_names.h"
#include "tests/recommender/segments_testing.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Number;
using testing::SegmentOf;
using ::testing::StartsWith;
using testing::Words;

SegmentSet Good() {
  SegmentSet set;
  set.segments.push_back(
      SegmentOf("buyers", {Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1, 365)}));
  SegmentTest spent = Number(SegmentMeasure::BOUGHT_MINOR, Relation::AT_LEAST, 10'000);
  spent.currency = "EUR";
  SegmentTest mail = Words(SegmentMeasure::CONSENT_IS, Relation::ONE_OF, {"granted"});
  mail.name = "marketing";
  mail.channels = {Channel::EMAIL};
  set.segments.push_back(SegmentOf("to-mail", {spent, mail}));
  return set;
}

// What is said of a set in which this test is the second of the second segment.
std::string Said(const SegmentTest& test) {
  SegmentSet set = Good();
  set.segments[1].conditions[1].any = {test};
  return std::string(ValidateSegments(set).message());
}

TEST(ValidateSegments, TakesWhatMakesSense) {
  EXPECT_OK(ValidateSegments(Good()));
  EXPECT_OK(ValidateSegments({}));
  EXPECT_OK(ValidateSegment(Good().segments[1], {}));
}

TEST(ValidateSegments, NamesThePlaceOfTheMistake) {
  const std::string place = "segments[1].conditions[1].any[0].";
  SegmentTest test = Number(SegmentMeasure::ORDER_COUNT, Relation::AT_LEAST, 1, -3);
  EXPECT_THAT(Said(test), StartsWith(place + "days: -3 is not between 1 and 3660"));
  test.days = 0;
  test.relation = Relation::ONE_OF;
  EXPECT_THAT(Said(test), StartsWith(place + "relation: "));
  test.relation = Relation::AS_CURRENT;
  EXPECT_THAT(Said(test), StartsWith(place + "relation: "));
  test.relation = Relation::AT_LEAST;
  test.__set_number(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(Said(test), StartsWith(place + "number: "));
  test.__set_number(1);
  test.kinds = {EventKind::SEARCH};
  EXPECT_THAT(Said(test), StartsWith(place + "kinds: means nothing with order_count"));
  EXPECT_THAT(Said(Number(SegmentMeasure::BOUGHT_MINOR, Relation::AT_LEAST, 1)),
              StartsWith(place + "currency: "));
  EXPECT_THAT(Said(Words(SegmentMeasure::LIFE_STAGE_IS, Relation::ONE_OF, {"asleep"})),
              StartsWith(place + "values: asleep is no stage"));
  EXPECT_THAT(Said(Words(SegmentMeasure::CONSENT_IS, Relation::ONE_OF, {"granted"})),
              StartsWith(place + "name: "));
  EXPECT_THAT(Said(Words(SegmentMeasure::COUNTRY_IS, Relation::ONE_OF, {})),
              StartsWith(place + "values: "));
  SegmentTest unknown = Words(static_cast<SegmentMeasure>(5), Relation::ONE_OF, {"new"});
  const int32_t number = 77;
  std::memcpy(&unknown.measure, &number, sizeof(number));
  EXPECT_THAT(Said(unknown), StartsWith(place + "measure: 77 is no measure"));
  SegmentTest cluster = Words(SegmentMeasure::CLUSTER_IS, Relation::ONE_OF, {"1"});
  cluster.name = "spring";
  EXPECT_THAT(Said(cluster), StartsWith(place + "name: there is no such clustering"));
}

TEST(ValidateSegments, IdsDifferAndNothingIsEmpty) {
  SegmentSet set = Good();
  set.segments[1].id = "buyers";
  EXPECT_THAT(std::string(ValidateSegments(set).message()), StartsWith("segments[1].id: "));
  set = Good();
  set.segments[0].conditions.clear();
  EXPECT_THAT(std::string(ValidateSegments(set).message()), StartsWith("segments[0].conditions: "));
  set = Good();
  set.segments[0].conditions[0].any.clear();
  EXPECT_THAT(std::string(ValidateSegments(set).message()),
              StartsWith("segments[0].conditions[0].any: "));
  set = Good();
  set.segments.resize(limits::kSegmentsMax + 1, set.segments[0]);
  EXPECT_THAT(std::string(ValidateSegments(set).message()), StartsWith("segments: "));
  set = Good();
  set.clusterings.emplace_back().id = "spring";
  EXPECT_THAT(std::string(ValidateSegments(set).message()), StartsWith("clusterings[0].means: "));
}

TEST(SegmentNames, GoBothWays) {
  for (const auto& [value, name] : _SegmentMeasure_VALUES_TO_NAMES) {
    const auto measure = static_cast<SegmentMeasure>(value);
    EXPECT_EQ(ParseSegmentMeasure(SegmentMeasureName(measure)), measure) << name;
  }
  EXPECT_EQ(ParseSegmentMeasure("order_count"), SegmentMeasure::ORDER_COUNT);
  EXPECT_EQ(ParseSegmentMeasure("none"), std::nullopt);
}

}  // namespace
}  // namespace vitrine
