#include "ingest/access_log_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "absl/strings/str_cat.h"

#include "ingest/mapping.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Value;

absl::StatusOr<Mapping> Parse(const std::string& lines) {
  return ParseMapping("format = \"access_log\"\n" + lines, "shop.toml");
}

TEST(AccessLogMapping, HasDefaultsForAllItsKeys) {
  const AccessLogMapping log = Value(Parse("")).access_log;
  EXPECT_EQ(log.log.format, "auto");
  EXPECT_EQ(log.ip, IpPrivacy::kTruncated);
  EXPECT_THAT(log.assets, Contains("css"));
  EXPECT_THAT(log.health_checks, Contains("/healthz"));
  EXPECT_TRUE(log.urls.empty());
}

TEST(AccessLogMapping, ReadsItsKeys) {
  const AccessLogMapping log = Value(Parse(R"([access_log]
log_format = "$remote_addr [$time_local] \"$request\" $status $cookie_uid $x"
names = { x = "http_user_agent" }
visitor = "cookie_uid"
channel = "app"
assets = ["PDF"]
health_checks = []
[[url]]
match = "/p/{id}"
kind = "view_item"
channel = "email"
[[url]]
regex = "^/x"
method = "PUT"
ignore = "test"
)"))
                                   .access_log;
  EXPECT_EQ(log.log.visitor, "cookie_uid");
  EXPECT_EQ(log.log.names.at("x"), "http_user_agent");
  EXPECT_EQ(log.channel, Channel::APP);
  EXPECT_THAT(log.assets, ElementsAre("pdf"));
  EXPECT_TRUE(log.health_checks.empty());
  ASSERT_EQ(log.urls.size(), 2u);
  EXPECT_EQ(log.urls[0].kind, EventKind::VIEW_ITEM);
  EXPECT_EQ(log.urls[0].channel, Channel::EMAIL);
  EXPECT_THAT(log.urls[0].methods, ElementsAre("GET"));
  EXPECT_THAT(log.urls[1].methods, ElementsAre("PUT"));
  EXPECT_EQ(log.urls[1].ignore, "test");
}

TEST(AccessLogMapping, SaysWhatIsWrongAndWhere) {
  const auto error = [](const std::string& lines) {
    return std::string(Parse(lines).status().message());
  };
  EXPECT_EQ(error("[access_log]\nlogformat = \"x\""),
            "shop.toml:3: nothing is called \"logformat\" here");
  EXPECT_EQ(error("delimiter = \",\""), "shop.toml:2: nothing is called \"delimiter\" here");
  EXPECT_THAT(error("[access_log]\nlog_format = \"comined\""),
              HasSubstr("shop.toml:3: log_format"));
  EXPECT_THAT(error("[access_log]\nip = \"half\""), HasSubstr("must be full, truncated"));
  EXPECT_THAT(error("[access_log]\nforwarded = \"x_forwarded_for\""), HasSubstr("need each other"));
  EXPECT_THAT(error("[access_log]\nforwarded = \"forwarded\""), HasSubstr("x_forwarded_for or"));
  EXPECT_THAT(error("[access_log]\nforwarded = \"x_real_ip\"\ntrusted_proxies = \"10.0.0.0/33\""),
              HasSubstr("\"10.0.0.0/33\" is no address"));
  EXPECT_THAT(error("[access_log]\norigin = \"shop.example\""), HasSubstr("like https://"));
  EXPECT_THAT(error("[[url]]\nkind = \"search\""), HasSubstr("match or regex is needed"));
  EXPECT_THAT(error("[[url]]\nmatch = \"/x\""), HasSubstr("kind or ignore is needed"));
  EXPECT_THAT(error("[[url]]\nmatch = \"/{x}\"\nkind = \"search\""),
              HasSubstr("shop.toml:3: match \"/{x}\": no capture is called \"x\""));
  EXPECT_THAT(error("[[url]]\nmatch = \"/x\"\nignore = \"A b\""), HasSubstr("small letters"));
  EXPECT_THAT(error("[[url]]\nmatch = \"/x\"\nkind = \"look\""), HasSubstr("must be one of"));
}

}  // namespace
}  // namespace vitrine
