#include "experiments/assignment/forced_arms.h"

#include "absl/strings/str_replace.h"

#include "tests/testing/testing.h"

namespace vitrine::experiments {
namespace {

using testing::Value;

constexpr int64_t kEnd = 1'300'000'000'000;

absl::StatusCode Refusal(const Hmac& key, absl::string_view site, absl::string_view token,
                         int64_t now_ms = kEnd - 1) {
  return ReadForcedArms(key, site, token, now_ms).status().code();
}

TEST(ForcedArms, AreWhatWasSigned) {
  const Hmac key("secret");
  const ForcedArms arms = {{"shelf-test", 1}, {"offer_7", 0}};
  const std::string token = Value(SignForcedArms(key, "shop", arms, kEnd));
  const ForcedArms read = Value(ReadForcedArms(key, "shop", token, kEnd - 1));
  EXPECT_EQ(read, arms);
  EXPECT_EQ(ForcedArm(read, "shelf-test"), 1);
  EXPECT_EQ(ForcedArm(read, "shelf"), std::nullopt);
}

TEST(ForcedArms, AreRefusedWhenAnythingDiffers) {
  const Hmac key("secret");
  const std::string token = Value(SignForcedArms(key, "shop", {{"a", 1}}, kEnd));
  const auto denied = absl::StatusCode::kPermissionDenied;
  EXPECT_EQ(Refusal(key, "shop", token, kEnd), denied);
  EXPECT_EQ(Refusal(key, "other", token), denied);
  EXPECT_EQ(Refusal(Hmac("another"), "shop", token), denied);
  EXPECT_EQ(Refusal(key, "shop", absl::StrReplaceAll(token, {{"a:1", "a:0"}})), denied);
  EXPECT_EQ(Refusal(key, "shop", absl::StrReplaceAll(token, {{"1300", "9300"}})), denied);
  EXPECT_EQ(Refusal(key, "shop", ""), denied);
  EXPECT_EQ(Refusal(key, "shop", "."), denied);
  for (size_t i = 0; i < token.size(); ++i) {
    EXPECT_EQ(Refusal(key, "shop", token.substr(0, i)), denied);
    std::string changed = token;
    changed[i] ^= 1;
    EXPECT_EQ(Refusal(key, "shop", changed), denied) << changed;
  }
}

TEST(ForcedArms, AreOnlySignedIfTheyCanBeRead) {
  const Hmac key("secret");
  EXPECT_FALSE(SignForcedArms(key, "shop", {}, kEnd).ok());
  EXPECT_FALSE(SignForcedArms(key, "shop", {{"a.b", 1}}, kEnd).ok());
  EXPECT_FALSE(SignForcedArms(key, "shop", {{"a:2,b", 1}}, kEnd).ok());
  EXPECT_FALSE(SignForcedArms(key, "shop", ForcedArms(17, {"a", 1}), kEnd).ok());
}

}  // namespace
}  // namespace vitrine::experiments
