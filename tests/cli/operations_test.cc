// What an operator watches a server by: metrics, a dashboard, alerts, a log that names nobody.

#include <cstring>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "tests/api/gateway_testing.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using testing::FileText;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Vitrine;

constexpr char kDashboard[] = "examples/operations/grafana-dashboard.json";
constexpr char kAlerts[] = "examples/operations/alerts.yml";

// Names of metrics to the names of their labels.
using Exported = std::map<std::string, std::set<std::string>>;

Exported ExportedBy(const std::string& metrics) {
  Exported exported;
  static const std::regex label("([a-z_]+)=\"");
  for (const absl::string_view line : absl::StrSplit(metrics, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    const std::string head(line.substr(0, line.find(' ')));
    std::set<std::string>& labels = exported[head.substr(0, head.find('{'))];
    for (std::sregex_iterator it(head.begin(), head.end(), label), end; it != end; ++it) {
      labels.insert((*it)[1]);
    }
  }
  return exported;
}

// Each metric that an expression names is there, with each label that it is asked by.
void ExpectExported(const std::string& expression, const Exported& exported) {
  static const std::regex metric("\\b((?:vitrine|process)_[a-z0-9_]+)(\\{[^}]*\\})?");
  static const std::regex matcher("([a-z_]+)(?:=~|!=|=|!~)\"");
  for (std::sregex_iterator it(expression.begin(), expression.end(), metric), end; it != end;
       ++it) {
    const std::string name = (*it)[1], selector = (*it)[2];
    const auto found = exported.find(name);
    ASSERT_NE(found, exported.end()) << name << " in: " << expression;
    for (std::sregex_iterator m(selector.begin(), selector.end(), matcher); m != end; ++m) {
      const std::string label = (*m)[1];
      if (label == "instance" || label == "job") continue;  // Prometheus adds them
      EXPECT_TRUE(found->second.count(label) > 0) << label << " of " << expression;
    }
  }
}

// A server that wants keys, over a small shop.
class OperationsTest : public ::testing::Test {
 protected:
  OperationsTest() {
    EXPECT_EQ(RunProgram(Vitrine({"simulate", "--out", dir_.File("shop"), "--customers", "60",
                                  "--products", "40", "--days", "20", "--seed", "7"}))
                  .exit_code,
              0);
    Do({"ingest", "--mapping", "examples/events.toml", dir_.File("shop/events.jsonl")});
    Do({"train", "--factors", "8"});
    store_key_ = NewKey("storefront");
    read_key_ = NewKey("read-only");
    server_.emplace(Vitrine({"serve", "--data", dir_.File("data"), "--port", "0", "--admin-port",
                             "0", "--require-keys", "--backup-root", dir_.File("backups")}));
    std::string out;
    while ((out = server_->OutSoFar()).find('\n') == std::string::npos) std::this_thread::yield();
    const std::vector<std::string> words = absl::StrSplit(out, absl::ByAnyChar(" :\n"));
    EXPECT_TRUE(words.size() > 8 && absl::SimpleAtoi(words[2], &port_) &&
                absl::SimpleAtoi(words[8], &http_port_))
        << out;
  }

  std::string Do(std::vector<std::string> arguments, int exit_code = 0) const {
    arguments.insert(arguments.end(), {"--data", dir_.File("data"), "--site", "shop"});
    const Outcome outcome = RunProgram(Vitrine(arguments));
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    return outcome.out;
  }
  std::string NewKey(const std::string& role) const {
    const std::string out = Do({"keys", "create", "--role", role, "--json"});
    const size_t begin = out.find("vk_");
    return begin == std::string::npos ? "" : out.substr(begin, out.find('"', begin) - begin);
  }

  // The status of a request with this key; the body in `*body`.
  int Ask(const std::string& method, const std::string& target, const std::string& key,
          const std::string& request = "", std::string* body = nullptr) const {
    HttpPeer peer(http_port_);
    return peer.Ask(
        absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: gateway\r\nX-Api-Key: ", key,
                     "\r\nUser-Agent: agent-marker\r\nContent-Length: ", request.size(), "\r\n\r\n",
                     request),
        body);
  }
  std::string MetricsOf(const std::string& key) const {
    std::string body;
    EXPECT_EQ(Ask("GET", "/metrics", key, "", &body), 200);
    return body;
  }

  // A visit that buys, one event that nobody can read, a page, a backup.
  void Visit(const std::string& who) const {
    const std::string events = absl::StrCat(R"({"site": "shop", "customer_id": ")", who,
                                            R"(-customer", "visitor_id": ")", who,
                                            R"(-visitor", "events": [
          {"id": "1", "kind": "search", "search_terms": ")",
                                            who, R"(-terms"},
          {"id": "2", "kind": "view_item", "items": [{"product_id": "p1"}]},
          {"id": "3", "kind": "purchase", "order_id": ")",
                                            who, R"(-order",
           "items": [{"product_id": "p1", "quantity": -5}]},
          {"id": "4", "kind": "login", "customer_id": ")",
                                            who, R"(-customer",
           "visitor_id": ")",
                                            who, R"(-visitor"}]})");
    EXPECT_EQ(Ask("POST", "/v1/events", store_key_, events), 200);
    EXPECT_EQ(
        Ask("GET", absl::StrCat("/v1/recommendations?site=shop&customer_id=", who, "-customer&k=3"),
            store_key_),
        200);
    EXPECT_EQ(Ask("GET",
                  absl::StrCat("/v1/page?site=shop&visitor_id=", who,
                               "-visitor&shelves=home:3&search_terms=", who, "-terms"),
                  store_key_),
              200);
    Do({"recommend", "--customer", who + "-customer"});
    Do({"backup", "--to", dir_.File("backups/shop")});
  }

  const TempDir dir_;
  std::string store_key_, read_key_;
  std::optional<Process> server_;
  int port_ = 0, http_port_ = 0;
};

TEST_F(OperationsTest, TheDashboardAndTheAlertsAskForWhatAServerExports) {
  Visit("somebody");
  const Exported exported = ExportedBy(MetricsOf(read_key_));
  ASSERT_GT(exported.size(), 50u);
  const auto dashboard = nlohmann::json::parse(FileText(kDashboard));
  size_t expressions = 0;
  for (const auto& panel : dashboard["panels"]) {
    if (panel["type"] == "row") continue;
    for (const auto& target : panel["targets"]) {
      ++expressions;
      ExpectExported(target["expr"], exported);
    }
  }
  for (const auto& variable : dashboard["templating"]["list"]) {
    if (variable["type"] == "query") ExpectExported(variable["definition"], exported);
  }
  EXPECT_GT(expressions, 30u);
  // Its comments say "vitrine" too, but not as the name of a metric.
  ExpectExported(FileText(kAlerts), exported);
}

TEST_F(OperationsTest, PromtoolFindsNothingWrong) {
  if (RunProgram({"promtool", "--version"}).exit_code != 0) {
    GTEST_SKIP() << "promtool is not there (Debian's package prometheus)";
  }
  const Outcome config =
      RunProgram({"promtool", "check", "config", "examples/operations/prometheus.yml"});
  EXPECT_EQ(config.exit_code, 0) << config.out << config.err;
  Visit("somebody");
  const std::string file = dir_.File("metrics");
  std::ofstream(file) << MetricsOf(read_key_);
  const Outcome metrics = RunProgram({"sh", "-c", "promtool check metrics < " + file});
  EXPECT_EQ(metrics.exit_code, 0) << metrics.out << metrics.err;
}

TEST_F(OperationsTest, MetricsAreForThoseWhoMayReadTheBackOffice) {
  for (const std::string& key : {std::string(), store_key_, std::string("vk_x_y")}) {
    EXPECT_EQ(Ask("GET", "/metrics", key), 401) << key;
  }
  Visit("somebody");
  const std::string metrics = MetricsOf(read_key_);
  EXPECT_THAT(metrics, HasSubstr("vitrine_requests_total{service=\"http\",method=\"/v1/events\","
                                 "outcome=\"ok\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("outcome=\"rejected\",reason=\"bad_quantity\"} 1"));
  EXPECT_THAT(metrics, Not(HasSubstr("somebody")));
}

// A peer that goes away in the middle of a frame, and one whose connection is reset.
void BreakOff(int port) {
  for (const int linger_s : {-1, 0}) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::send(fd, "\0\0\1\0half", 8, MSG_NOSIGNAL), 8);
    const linger reset = {1, 0};
    if (linger_s == 0) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    ::close(fd);
  }
}

TEST_F(OperationsTest, TheLogOfAServerNamesNobody) {
  const std::string secret = store_key_.substr(std::string("vk_0123456789abcdef_").size());
  Visit("marker");
  BreakOff(port_);
  BreakOff(http_port_);
  // What is wrong, in each way that there is.
  EXPECT_EQ(Ask("POST", "/v1/events", store_key_, R"({"customer_id": "marker-json)"), 400);
  EXPECT_EQ(Ask("GET", "/v1/page?site=shop&customer_id=marker&k=x", store_key_), 400);
  EXPECT_EQ(Ask("GET", "/v1/recommendations?site=shop&customer_id=marker", "marker-key"), 401);
  EXPECT_EQ(Ask("GET", "/marker-path", store_key_), 404);
  HttpPeer(http_port_).Ask("marker is no HTTP\r\n\r\n");
  RawPeer(port_).Send("marker is no frame");
  Do({"customer", "show", "marker-customer"});
  Do({"robots", "set", "--customer", "marker-customer"});
  Do({"train", "--factors", "8", "--force"});
  Do({"customer", "erase", "marker-customer", "--yes"});
  server_->Signal(SIGTERM);
  const Outcome outcome = server_->Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("draining"));
  EXPECT_THAT(outcome.err, HasSubstr("closed for bad frames: 1"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("marker")));
  EXPECT_THAT(outcome.err, Not(HasSubstr(secret)));
  EXPECT_THAT(outcome.err, Not(HasSubstr("thrift"))) << "it names its peers' addresses";
  EXPECT_THAT(outcome.err, Not(HasSubstr("Thrift")));
}

}  // namespace
}  // namespace vitrine
