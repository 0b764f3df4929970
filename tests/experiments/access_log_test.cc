#include "experiments/simulation/access_log.h"

#include <re2/re2.h>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "tests/testing/testing.h"

namespace vitrine::simulation {
namespace {

using testing::Value;

struct LogLine {
  std::string address, time, method, path, referrer, user_agent;
  int status = 0;
  int64_t bytes = 0;
};

LogLine Parse(absl::string_view text) {
  static const RE2 combined(
      R"re((\S+) - - \[(.{26})\] "(GET|POST) (\S+) HTTP/1\.1" (\d{3}) (\d+) "(\S+)" "([^"]+)")re");
  LogLine line;
  EXPECT_TRUE(RE2::FullMatch(re2::StringPiece(text.data(), text.size()), combined, &line.address,
                             &line.time, &line.method, &line.path, &line.status, &line.bytes,
                             &line.referrer, &line.user_agent))
      << text;
  return line;
}

class AccessLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AccessLog log(&shop_);
    ASSERT_OK(Simulate(shop_, [&](const Visit& visit, const Step& step) {
      std::string text;
      const int64_t count = log.Append(visit, step, &text);
      const std::vector<absl::string_view> texts = absl::StrSplit(text, '\n', absl::SkipEmpty());
      EXPECT_EQ(count, static_cast<int64_t>(texts.size()));
      for (const absl::string_view t : texts) {
        lines_.push_back(Parse(t));
        const auto seconds = [](absl::Time time) { return absl::ToUnixSeconds(time); };
        EXPECT_EQ(seconds(TimeOf(lines_.back())), step.time_ms / 1000);
      }
      return absl::OkStatus();
    }));
  }

  static absl::Time TimeOf(const LogLine& line) {
    absl::Time time;
    std::string error;
    EXPECT_TRUE(absl::ParseTime("%d/%b/%Y:%H:%M:%S %z", line.time, &time, &error)) << error;
    return time;
  }

  const Shop shop_ = Value(Shop::Create({.customers = 100, .products = 100, .days = 10}));
  std::vector<LogLine> lines_;
};

TEST_F(AccessLogTest, HoldsAllThatAWebServerSees) {
  std::set<std::string> seen;
  std::set<int> statuses;
  for (const LogLine& line : lines_) {
    const std::vector<std::string> parts = absl::StrSplit(line.path, absl::ByAnyChar("/?"));
    seen.insert(line.method + " " + parts[1]);
    statuses.insert(line.status);
  }
  for (const char* request :
       {"GET ", "GET c", "GET search", "GET p", "GET cart", "GET checkout", "POST checkout",
        "GET order", "POST cart", "POST wishlist", "POST login", "GET app", "GET robots.txt",
        "GET healthz", "GET assets", "GET images", "GET index.html"}) {
    EXPECT_TRUE(seen.contains(request)) << request;
  }
  EXPECT_EQ(statuses, (std::set<int>{200, 301, 303, 304, 404, 500}));
}

TEST_F(AccessLogTest, RobotsAskForTheirRulesAndForNoAssets) {
  std::set<std::string> agents;
  for (const Shop::Robot& robot : shop_.robots()) agents.insert(std::string(robot.user_agent));
  int rules = 0, others = 0;
  for (const LogLine& line : lines_) {
    if (!agents.contains(line.user_agent)) continue;
    line.path == "/robots.txt" ? ++rules : ++others;
    EXPECT_FALSE(absl::StartsWith(line.path, "/assets/")) << line.path;
    EXPECT_FALSE(absl::StartsWith(line.path, "/images/")) << line.path;
    EXPECT_EQ(line.method, "GET");
  }
  EXPECT_GT(rules, 10);
  EXPECT_GT(others, 10 * rules);
}

TEST_F(AccessLogTest, OnlyAnswersWithABodyHaveBytes) {
  for (const LogLine& line : lines_) EXPECT_EQ(line.bytes > 0, line.status == 200) << line.path;
}

}  // namespace
}  // namespace vitrine::simulation
