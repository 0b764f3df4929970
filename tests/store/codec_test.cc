#include "store/codec.h"

#include "store/records_types.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;

TEST(Codec, BelievesNoListThatIsLongerThanItsBytes) {
  // Field 1, a list, of a million strings; and there they end.
  const absl::string_view claim = "\x19\xf8\xc0\x84\x3d";
  RobotVerdict verdict;
  const absl::Status status = DecodeRecord(claim, &verdict);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(status.message(), HasSubstr("size limit"));
  EXPECT_LT(verdict.sources.capacity(), 10u);
}

TEST(Codec, ReadsAListWhoseEntriesTakeOneByteEach) {
  RobotVerdict verdict;
  verdict.__set_sources(std::vector<std::string>(5000));
  RobotVerdict again;
  ASSERT_OK(DecodeRecord(EncodeRecord(verdict), &again));
  EXPECT_EQ(again, verdict);
}

}  // namespace
}  // namespace vitrine
