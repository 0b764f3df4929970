#include "recommender/model/session_settings_json.h"

#include <limits>

#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;
using testing::Value;

TEST(BlendJson, ComesBackBitByBit) {
  EXPECT_EQ(Value(BlendFromJson(BlendToJson(BlendSettings::Default()))), BlendSettings::Default());
  BlendSettings settings = BlendSettings::Default();
  settings.depth = 77;
  settings.seen_factor = 1.0f / 3;
  settings.sources[0].name = "a \"quoted\" name";
  settings.sources[0].weight = std::numeric_limits<float>::denorm_min();
  settings.sources[1].scorer = VmisSettings::Serenade();
  settings.sources[1].exponent = 0.1f;
  settings.sources[5].relative = true;
  EXPECT_EQ(Value(BlendFromJson(BlendToJson(settings))), settings);
}

TEST(BlendJson, NamesTheSettingThatIsWrong) {
  const std::string good = BlendToJson(BlendSettings::Default());
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const absl::Status status = BlendFromJson(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("\"depth\": 150,", ""), HasSubstr("depth"));
  EXPECT_THAT(refusal("\"depth\": 150", "\"depth\": -1"), HasSubstr("depth"));
  EXPECT_THAT(refusal("\"depth\": 150", "\"depth\": 0"), HasSubstr("depth"));
  EXPECT_THAT(refusal("\"depth\": 150", "\"depth\": 150, \"width\": 1"), HasSubstr("width"));
  EXPECT_THAT(refusal("\"matched\"", "\"hatched\""), HasSubstr("matched"));
  EXPECT_THAT(refusal("\"before_match\"", "\"speed\": 1, \"before_match\""), HasSubstr("speed"));
  EXPECT_THAT(refusal("\"recency\": 200000.0", "\"recency\": 1e300"), HasSubstr("recency"));
  EXPECT_THAT(refusal("\"relative\": true", "\"relative\": 1"), HasSubstr("relative"));
  EXPECT_THAT(refusal("\"scorer\": \"stan\"", "\"scorer\": \"stun\""), HasSubstr("stun"));
  EXPECT_THAT(refusal("\"sources\": [", "\"sources\": 1, \"others\": ["), HasSubstr("others"));
  EXPECT_THAT(refusal("{", "["), HasSubstr("no JSON object"));
  EXPECT_FALSE(BlendFromJson("").ok());
  EXPECT_FALSE(BlendFromJson(R"({"depth": 1, "seen_factor": 0, "sources": {}})").ok());
  EXPECT_FALSE(BlendFromJson(R"({"depth": 1, "seen_factor": 0, "sources": [1]})").ok());
}

}  // namespace
}  // namespace vitrine
