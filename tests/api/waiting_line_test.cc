// Who may wait at a busy loop, and who is told at once to come again.

#include "api/server/waiting_line.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr Admission::Request kIn100Ms = {0, 100};

// Places in line are numbers here.
using Line = WaitingLine<const int*>;
constexpr int kSomebody = 1;

// Has handled requests that took `ms` each, so that it knows.
Line BusyLine(int64_t ms, int64_t* now_ns) {
  Line line;
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, *now_ns, *now_ns).has_value());
    const auto place = line.Next(*now_ns);
    *now_ns += ms * kMs;
    line.Done(place, *now_ns);
  }
  return line;
}

TEST(WaitingLine, TakesAsManyAsHalfOfTheirDeadlineAllowsAndSaysWhenToTryAgain) {
  int64_t now_ns = kMs;
  Line line = BusyLine(10, &now_ns);
  int taken = 0;
  std::optional<int32_t> retry_after_ms;
  while (!(retry_after_ms = line.Add(&kSomebody, kIn100Ms, now_ns, now_ns))) ++taken;
  EXPECT_EQ(taken, 5);  // 5 x 10 ms in half of 100 ms
  EXPECT_NEAR(*retry_after_ms, 50, 2);
  // Whoever has more time may wait longer.
  EXPECT_FALSE(line.Add(&kSomebody, {0, 1000}, now_ns, now_ns).has_value());
  // What is handled makes room.
  for (int i = 0; i < 2; ++i) {
    const auto place = line.Next(now_ns);
    now_ns += 10 * kMs;
    line.Done(place, now_ns);
  }
  EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
}

TEST(WaitingLine, AnEstimateKeepsNobodyOutWhereNobodyWaits) {
  int64_t now_ns = kMs;
  Line line = BusyLine(1000, &now_ns);
  EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
  EXPECT_TRUE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
}

TEST(WaitingLine, KindsHaveTheirOwnTimes) {
  int64_t now_ns = kMs;
  Line line = BusyLine(30, &now_ns);
  const Admission::Request quick = {1, 100};
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(line.Add(&kSomebody, quick, now_ns, now_ns).has_value()) << i;
  }
  EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
  EXPECT_TRUE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
}

TEST(WaitingLine, WhatCannotBeInTimeAnyMoreIsNotBegun) {
  int64_t now_ns = kMs;
  Line line = BusyLine(10, &now_ns);
  EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
  EXPECT_FALSE(line.Add(&kSomebody, kIn100Ms, now_ns, now_ns).has_value());
  EXPECT_FALSE(line.Refuses(now_ns));
  EXPECT_TRUE(line.Next(now_ns + 89 * kMs).in_time);
  EXPECT_FALSE(line.Next(now_ns + 91 * kMs).in_time);
  EXPECT_TRUE(line.Refuses(now_ns + 91 * kMs)) << "others than pages shall come later";
  EXPECT_FALSE(line.Refuses(now_ns + 300 * kMs));
}

// --- In a server ---

// Requests of TinyStorefront: half a second's worth of work may wait.
class TinyAdmission final : public Admission {
 public:
  std::optional<Request> RequestOf(absl::string_view method,
                                   apache::thrift::protocol::TProtocol&) const override {
    if (method != "recommend") return std::nullopt;
    return Request{0, 40};
  }
  void WriteRefusal(apache::thrift::protocol::TProtocol& out,
                    int32_t retry_after_ms) const override {
    Storefront_recommend_result result;
    result.overloaded.retry_after_ms = retry_after_ms;
    result.__isset.overloaded = true;
    result.write(&out);
  }
};

// Each recommend keeps its thread busy for 10 ms.
class SlowStorefront final : public StorefrontNull {
 public:
  void recommend(RecommendReply& reply, const RecommendRequest&) override {
    arrivals += RequestArrival::Ns() > 0 ? 1 : 0;
    const int64_t end_ns = Clock::System().SteadyNs() + 10 * kMs;
    while (Clock::System().SteadyNs() < end_ns) {
    }
    reply.model_id = "m";
  }
  std::atomic<int> arrivals = 0;
};

// T7: what stays connected is shed too, and the server is whole again as soon as the flood is over.
TEST(Overload, ConnectionsThatStayAreRefusedQuicklyAndTheServerRecovers) {
  auto handler = std::make_shared<SlowStorefront>();
  ServerOptions options;
  options.workers = 1;
  options.admission = std::make_shared<TinyAdmission>();
  auto started = StartServer(std::make_shared<StorefrontProcessor>(handler), options);
  ASSERT_TRUE(started.ok()) << started.status();
  const int port = (*started)->port();
  const std::string call =
      Frame(CallOf([](StorefrontClient& client) { client.send_recommend(Request("shop")); }));

  constexpr int kPeers = 50;
  constexpr int kRounds = 4;
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < kPeers; ++i) peers.push_back(std::make_unique<RawPeer>(port));
  int answered = 0;
  int refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& peer : peers) peer->Send(call);
    for (const auto& peer : peers) {
      std::string frame;
      ASSERT_EQ(peer->Receive(frame, 5 * kSoonMs), RawPeer::Answer::kFrame);
      auto buffer = std::make_shared<apache::thrift::transport::TMemoryBuffer>();
      buffer->write(reinterpret_cast<const uint8_t*>(frame.data()),
                    static_cast<uint32_t>(frame.size()));
      StorefrontClient client(std::make_shared<apache::thrift::protocol::TBinaryProtocol>(buffer));
      RecommendReply reply;
      try {
        client.recv_recommend(reply);
        ++answered;
      } catch (const Overloaded& e) {
        EXPECT_GE(e.retry_after_ms, 1);
        ++refused;
      }
    }
  }
  EXPECT_EQ(answered + refused, kPeers * kRounds);
  EXPECT_GE(answered, kRounds);
  EXPECT_GT(refused, kPeers);  // of 500 ms of work a round, 40 ms fit into a deadline
  EXPECT_EQ(handler->arrivals, answered) << "what was refused was not begun";

  // The flood is over: the next one is answered, on a connection that was refused before.
  peers[kPeers - 1]->Send(call);
  std::string frame;
  ASSERT_EQ(peers[kPeers - 1]->Receive(frame, kSoonMs), RawPeer::Answer::kFrame);
  EXPECT_EQ(handler->arrivals, answered + 1);
}

}  // namespace
}  // namespace vitrine
