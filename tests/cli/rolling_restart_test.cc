// Two servers over copies of one backup, restarted one after the other while storefronts ask: over
// HTTP behind HAProxy with the configuration of examples/operations, and over Thrift by the
// client's own router.

#include <arpa/inet.h>
#include <atomic>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <set>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "api/client/router.h"
#include "store/base/clock.h"
#include "store/web_house.h"
#include "tests/testing/free_port.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using testing::FileText;
using testing::FreePort;
using testing::MakeEvent;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr int kCustomers = 60;
constexpr int kRestarts = 3;  // of each server

std::string CustomerId(int number) { return absl::StrCat("c", number % kCustomers); }

// A shop with a model, in a backup, in two data folders.
class RollingRestart : public ::testing::Test {
 protected:
  RollingRestart() {
    {
      const auto house = Value(WebHouse::Open({.directory = dir_.File("first/shop/db")}));
      std::vector<Event> events;
      for (int c = 0; c < kCustomers; ++c) {
        for (int i = 0; i < 8; ++i) {
          events.push_back(MakeEvent(absl::StrCat("e", c, "-", i), CustomerId(c),
                                     1'780'000'000'000 + i, PURCHASE,
                                     absl::StrCat("p", (c % 3) * 10 + (c + i * 7) % 10)));
        }
      }
      EXPECT_OK(house->Track(events, {}, Ack::kApplied).status());
    }
    Run({"train", "--data", dir_.File("first"), "--site", "shop", "--factors", "8"});
    Run({"backup", "--data", dir_.File("first"), "--site", "shop", "--to", dir_.File("backup")});
    Run({"restore", "--from", dir_.File("backup"), "--to", dir_.File("second/shop")});
    for (int i = 0; i < 2; ++i) Start(i);
  }

  static void Run(const std::vector<std::string>& arguments) {
    const auto outcome = RunProgram(Vitrine(arguments));
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  void Start(int server) {
    servers_[server] = std::make_unique<Process>(
        Vitrine({"serve", "--data", dir_.File(server == 0 ? "first" : "second"), "--port",
                 absl::StrCat(ports_[server]), "--admin-port", absl::StrCat(admin_ports_[server]),
                 "--http-port", absl::StrCat(http_ports_[server])}));
    while (servers_[server]->OutSoFar().find('\n') == std::string::npos) {
      std::this_thread::yield();
    }
  }

  // As an operator would: the next one not before this one answers again.
  void Restart(int server) {
    servers_[server]->Signal(SIGTERM);
    EXPECT_EQ(servers_[server]->Wait().exit_code, 0);
    const size_t answered_before = ServersThatAnswered();
    Start(server);
    const int64_t end_ns = Clock::System().SteadyNs() + 30'000'000'000;
    while (ServersThatAnswered() == answered_before) {
      ASSERT_LT(Clock::System().SteadyNs(), end_ns) << "it is not asked any more";
      std::this_thread::yield();
    }
  }

  // The front of a recommendation's id is of one start of one server.
  void Answered(absl::string_view recommendation_id) {
    ++answers_;
    absl::MutexLock lock(&mutex_);
    starts_.emplace(recommendation_id.substr(0, recommendation_id.rfind('-')));
  }
  size_t ServersThatAnswered() {
    absl::MutexLock lock(&mutex_);
    return starts_.size();
  }

  void RestartBothInTurn() {
    for (int i = 0; i < kRestarts; ++i) {
      for (int server = 0; server < 2; ++server) Restart(server);
    }
  }

  const TempDir dir_;
  const int ports_[2] = {FreePort(), FreePort()};
  const int admin_ports_[2] = {FreePort(), FreePort()};
  const int http_ports_[2] = {FreePort(), FreePort()};
  std::unique_ptr<Process> servers_[2];
  std::atomic<int> answers_ = 0;
  std::atomic<bool> done_ = false;
  absl::Mutex mutex_;
  std::set<std::string> starts_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(RollingRestart, FailsNoCallOfTheRouters) {
  std::atomic<int> failed = 0;
  std::atomic<int64_t> retries = 0;
  std::vector<std::thread> storefronts;
  for (int s = 0; s < 2; ++s) {
    storefronts.emplace_back([&, s] {
      StorefrontRouter router({{"127.0.0.1", ports_[0]}, {"127.0.0.1", ports_[1]}},
                              {.timeout_ms = 5000, .rest_ms = 20});
      RecommendRequest request;
      request.context.site = "shop";
      request.context.deadline_ms = 5000;
      request.k = 5;
      for (int i = s; !done_; ++i) {
        request.context.__set_customer_id(CustomerId(i));
        RecommendReply reply;
        const absl::Status asked =
            router.Call([&](StorefrontClient& call) { call.recommend(reply, request); });
        if (!asked.ok() || reply.suggestions.size() != 5) {
          ++failed;
          ADD_FAILURE() << asked;
        }
        Answered(reply.recommendation_id);
      }
      retries += router.retries();
    });
  }
  RestartBothInTurn();
  done_ = true;
  for (std::thread& storefront : storefronts) storefront.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(retries, 0) << "nothing was restarted under anybody";
  std::printf("%d answers, %d failed, %d after a retry, %d restarts\n", answers_.load(),
              failed.load(), static_cast<int>(retries), 2 * kRestarts);
}

// One request on a connection of its own. Empty if the connection fails.
std::string Get(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request =
        absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char bytes[4096];
    for (ssize_t n; (n = ::recv(fd, bytes, sizeof(bytes), 0)) > 0;) {
      reply.append(bytes, static_cast<size_t>(n));
    }
  }
  ::close(fd);
  return reply;
}

absl::string_view RecommendationId(absl::string_view reply) {
  constexpr absl::string_view kField = "\"recommendation_id\":\"";
  const size_t at = reply.find(kField);
  if (at == reply.npos) return {};
  const size_t begin = at + kField.size();
  return reply.substr(begin, reply.find('"', begin) - begin);
}

bool IsAnswer(const std::string& reply) {
  return reply.rfind("HTTP/1.1 200", 0) == 0 && reply.find("\"suggestions\"") != reply.npos;
}

TEST_F(RollingRestart, FailsNoHttpRequestBehindHaproxy) {
  if (RunProgram({"haproxy", "-v"}).exit_code != 0) GTEST_SKIP() << "haproxy is not installed";
  const int front = FreePort();
  std::ofstream(dir_.File("haproxy.cfg"))
      << absl::StrReplaceAll(FileText("examples/operations/haproxy.cfg"),
                             {{"bind :8080", absl::StrCat("bind 127.0.0.1:", front)},
                              {"127.0.0.1:9092", absl::StrCat("127.0.0.1:", http_ports_[0])},
                              {"127.0.0.1:9192", absl::StrCat("127.0.0.1:", http_ports_[1])}});
  const auto checked = RunProgram({"haproxy", "-c", "-f", dir_.File("haproxy.cfg")});
  ASSERT_EQ(checked.exit_code, 0) << checked.err;
  const Process proxy({"haproxy", "-db", "-f", dir_.File("haproxy.cfg")});
  const std::string path = "/v1/recommendations?site=shop&k=5&customer_id=";
  const int64_t end_ns = Clock::System().SteadyNs() + 20'000'000'000;
  while (!IsAnswer(Get(front, path + "c1"))) {
    ASSERT_LT(Clock::System().SteadyNs(), end_ns) << Get(front, path + "c1");
  }

  std::atomic<int> failed = 0;
  std::vector<std::thread> storefronts;
  for (int s = 0; s < 2; ++s) {
    storefronts.emplace_back([&, s] {
      for (int i = s; !done_; ++i) {
        const std::string reply = Get(front, path + CustomerId(i));
        if (!IsAnswer(reply)) {
          ++failed;
          ADD_FAILURE() << "answer " << answers_ << ": '" << reply << "'";
        }
        Answered(RecommendationId(reply));
      }
    });
  }
  RestartBothInTurn();
  done_ = true;
  for (std::thread& storefront : storefronts) storefront.join();
  EXPECT_EQ(failed, 0);
  std::printf("%d answers over HTTP, %d failed, %d restarts\n", answers_.load(), failed.load(),
              2 * kRestarts);
}

}  // namespace
}  // namespace vitrine
