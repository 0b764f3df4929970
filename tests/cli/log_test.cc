// A line of a server's log, whatever a peer made it say.

#include "api/cli/log.h"

#include <string>

#include <nlohmann/json.hpp>

#include "gtest/gtest.h"

namespace vitrine::cli {
namespace {

const absl::Time kTime = absl::FromUnixMillis(1'700'000'000'123);
constexpr char kKey[] = "vk_0123456789abcdef_0123456789abcdefFEDCBA98-_76543210";

TEST(LogLineTest, IsTimeLevelAndMessage) {
  EXPECT_EQ(LogLine(kTime, "warning", "site shop: a visit is not learned", false),
            "2023-11-14T22:13:20.123Z warning site shop: a visit is not learned\n");
}

TEST(LogLineTest, AsJsonNamesTheSite) {
  const auto line = nlohmann::json::parse(LogLine(kTime, "error", "site shop: \"no\"", true));
  EXPECT_EQ(line, nlohmann::json({{"time", "2023-11-14T22:13:20.123Z"},
                                  {"level", "error"},
                                  {"site", "shop"},
                                  {"message", "\"no\""}}));
  EXPECT_FALSE(nlohmann::json::parse(LogLine(kTime, "info", "stopped", true)).contains("site"));
}

TEST(LogLineTest, HoldsNoSecretOfAKey) {
  for (const bool json : {false, true}) {
    const std::string line =
        LogLine(kTime, "info", std::string("a ") + kKey + " b " + kKey + ", vk_x", json);
    EXPECT_EQ(line.find("FEDCBA98"), std::string::npos) << line;
    EXPECT_NE(line.find("a vk_0123456789abcdef_*** b vk_0123456789abcdef_***, vk_x"),
              std::string::npos)
        << line;
  }
}

TEST(LogLineTest, IsOneLineOfTextThatATerminalBears) {
  for (const bool json : {false, true}) {
    const std::string line = LogLine(kTime, "info", "x\n2023 critical forged\x1b[2J \xff", json);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine::cli
