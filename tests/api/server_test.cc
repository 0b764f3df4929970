// What a client of a healthy server can rely on.

#include "api/server/server.h"

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <thrift/TOutput.h>
#include <vector>

#include "gtest/gtest.h"

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

using Handlers = ServerOptions::Handlers;

class ServerTest : public testing::TestWithParam<Handlers> {
 protected:
  ServerOptions Options() const {
    ServerOptions options;
    options.handlers = GetParam();
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Handlers, ServerTest, testing::Values(Handlers::kInline, Handlers::kPool),
                         [](const auto& mode) {
                           return mode.param == Handlers::kInline ? "Inline" : "Pool";
                         });

TEST_P(ServerTest, AnswersOnThePortThatItReports) {
  const TinyServer tiny(Options());
  EXPECT_GT(tiny.server->port(), 0);
  RecommendReply reply;
  tiny.Client()->call().recommend(reply, Request("demo", 7));
  EXPECT_EQ(reply.suggestions.size(), 7u);
}

TEST_P(ServerTest, ServesManyConnectionsAtOnce) {
  const TinyServer tiny(Options());
  std::vector<std::unique_ptr<Connection<StorefrontClient>>> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(tiny.Client());
  for (int round = 0; round < 10; ++round) {
    for (const auto& client : clients) {
      RecommendReply reply;
      client->call().recommend(reply, Request("demo", round));
      EXPECT_EQ(reply.suggestions.size(), static_cast<size_t>(round));
    }
  }
}

TEST_P(ServerTest, SaysThatThePortIsTaken) {
  const TinyServer first(Options());
  ServerOptions options = Options();
  options.port = first.server->port();
  EXPECT_EQ(StartServer(std::shared_ptr<apache::thrift::TProcessor>(), options).status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(first.Serves());
}

TEST_P(ServerTest, SaysThatTheHostIsUnknown) {
  ServerOptions options = Options();
  options.host = "no such host";
  EXPECT_EQ(StartServer(std::shared_ptr<apache::thrift::TProcessor>(), options).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(ServerTest, CanBeStoppedAndStartedOverAndOver) {
  int port = 0;
  for (int i = 0; i < 20; ++i) {
    ServerOptions options = Options();
    options.port = port;
    const TinyServer tiny(options);
    port = tiny.server->port();
    EXPECT_TRUE(i % 2 == 0 || tiny.Serves());
  }
}

TEST_P(ServerTest, AnExceptionOfTheInterfaceReachesTheClientAndTheConnectionLives) {
  const TinyServer tiny(Options());
  const auto client = tiny.Client();
  RecommendReply reply;
  EXPECT_THROW(client->call().recommend(reply, Request("overloaded")), Overloaded);
  client->call().recommend(reply, Request("demo"));
}

TEST_P(ServerTest, WhateverAHandlerThrowsTheClientIsAnsweredAndTheConnectionLives) {
  const TinyServer tiny(Options());
  const auto client = tiny.Client(kSoonMs);
  RecommendReply reply;
  for (const std::string bad : {"bad_alloc", "int"}) {
    EXPECT_THROW(client->call().recommend(reply, Request(bad)),
                 apache::thrift::TApplicationException)
        << bad;
  }
  client->call().recommend(reply, Request("demo"));
}

TEST_P(ServerTest, ASlowRequestDoesNotStopConnectionsThatOtherThreadsServe) {
  const TinyServer tiny(Options());
  std::thread slow([&] {
    RecommendReply reply;
    tiny.Client()->call().recommend(reply, Request("wait"));
  });
  tiny.handler->entered.WaitForNotification();
  // Inline, connections go to the two loops in turn: one of two neighbours is served.
  const bool one = tiny.Serves();
  const bool other = tiny.Serves();
  EXPECT_TRUE(GetParam() == Handlers::kPool ? one && other : one || other);
  tiny.handler->release.Notify();
  slow.join();
}

TEST_P(ServerTest, DrainLetsTheRequestUnderWayFinishAndRefusesNewConnections) {
  const TinyServer tiny(Options());
  const int port = tiny.server->port();
  const auto idle = tiny.Client();
  RawPeer asking(port);
  asking.Send(
      Frame(CallOf([](StorefrontClient& client) { client.send_recommend(Request("wait", 200)); })));
  tiny.handler->entered.WaitForNotification();

  std::thread drain([&] { tiny.server->Drain(); });
  EXPECT_TRUE(RefusesSoon(port));
  tiny.handler->release.Notify();

  std::string frame;
  EXPECT_EQ(asking.Receive(frame, kSoonMs), RawPeer::Answer::kFrame);
  EXPECT_GT(frame.size(), 1000u);
  EXPECT_TRUE(asking.ClosedWithin(kSoonMs));
  drain.join();
  EXPECT_FALSE(RawPeer(port).connected());
  Pong pong;
  EXPECT_THROW(idle->call().ping(pong), apache::thrift::transport::TTransportException);
}

TEST_P(ServerTest, DrainAnswersRequestsThatStillWaitForAThread) {
  ServerOptions options = Options();
  options.workers = 1;
  const TinyServer tiny(options);
  const int port = tiny.server->port();
  RawPeer waiting(port);
  waiting.Send(Frame(PingCall()));
  ASSERT_EQ(waiting.Receive(), RawPeer::Answer::kFrame);
  RawPeer asking(port);
  asking.Send(
      Frame(CallOf([](StorefrontClient& client) { client.send_recommend(Request("wait")); })));
  tiny.handler->entered.WaitForNotification();
  waiting.Send(Frame(PingCall()));

  std::thread drain([&] { tiny.server->Drain(); });
  EXPECT_TRUE(RefusesSoon(port));
  tiny.handler->release.Notify();
  EXPECT_EQ(asking.Receive(), RawPeer::Answer::kFrame);
  EXPECT_EQ(waiting.Receive(), RawPeer::Answer::kFrame);
  drain.join();
}

TEST_P(ServerTest, DrainDoesNotWaitForIdleConnections) {
  const TinyServer tiny(Options());
  std::vector<std::unique_ptr<Connection<StorefrontClient>>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(tiny.Client());
    Pong pong;
    clients.back()->call().ping(pong);
  }
  const Deadline soon(kSoonMs);
  tiny.server->Drain();
  EXPECT_GT(soon.LeftMs(), 0);
}

TEST_P(ServerTest, DrainEndsAtItsTimeoutWhateverAPeerHoldsBack) {
  ServerOptions options = Options();
  options.drain_timeout_ms = 50;
  const TinyServer tiny(options);
  RawPeer half(tiny.server->port());
  half.Send(Length(100) + "only a part");
  EXPECT_TRUE(tiny.Serves());
  const Deadline soon(kSoonMs);
  tiny.server->Drain();
  EXPECT_GT(soon.LeftMs(), 0);
  EXPECT_TRUE(half.ClosedWithin(kSoonMs));
}

TEST_P(ServerTest, DrainTwiceAndFromTwoThreadsIsTheSameAsOnce) {
  const TinyServer tiny(Options());
  std::thread other([&] { tiny.server->Drain(); });
  tiny.server->Drain();
  other.join();
  tiny.server->Drain();
}

// Thrift tells stderr what happens to its sockets, with the addresses of peers.
TEST_P(ServerTest, WhatThriftHasToSayIsNotForTheLog) {
  const TinyServer tiny(Options());
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  apache::thrift::GlobalOutput.perror("TSocket::read() recv() <Host: 192.0.2.7>", ECONNRESET);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

// What the counts say of a method, by outcome.
std::vector<int64_t> OutcomesOf(const ServerCounts& counts, absl::string_view name) {
  std::vector<int64_t> outcomes;
  counts.calls.ForEach([&](const CallCounts::Method& method) {
    if (method.name == name) outcomes.assign(method.outcomes.begin(), method.outcomes.end());
  });
  return outcomes;
}

TEST_P(ServerTest, CountsEachCallByMethodAndOutcome) {
  ServerOptions options = Options();
  options.counts = std::make_shared<ServerCounts>(std::vector<std::string>{"recommend"});
  const TinyServer tiny(options);
  {
    const auto client = tiny.Client();
    RecommendReply reply;
    for (int i = 0; i < 3; ++i) client->call().recommend(reply, Request("demo"));
    for (int i = 0; i < 2; ++i) {
      EXPECT_THROW(client->call().recommend(reply, Request("overloaded")), Overloaded);
    }
    EXPECT_THROW(client->call().recommend(reply, Request("bad_alloc")),
                 apache::thrift::TApplicationException);
    Pong pong;
    client->call().ping(pong);
    EXPECT_EQ(options.counts->connections, 1);
  }
  // A name that no method has is nobody's, however often it is called.
  const RawPeer stranger(tiny.server->port());
  for (const char* name : {"nonsense", "gibberish"}) {
    const std::string call = std::string("\x80\x01\0\x01\0\0\0", 7) +
                             static_cast<char>(std::string(name).size()) + name +
                             std::string(5, '\0');
    stranger.Send(std::string(3, '\0') + static_cast<char>(call.size()) + call);
    EXPECT_FALSE(stranger.ReadSome(5000).empty());
  }
  std::vector<int64_t> expected(CallCounts::kOutcomesMax, 0);
  expected[0] = 3;
  expected[3] = 2;  // `3: Overloaded overloaded` of the IDL
  expected[kCallFailed] = 1;
  EXPECT_EQ(OutcomesOf(*options.counts, "recommend"), expected);
  EXPECT_EQ(OutcomesOf(*options.counts, "ping")[0], 1);
  EXPECT_TRUE(OutcomesOf(*options.counts, "nonsense").empty());
  EXPECT_EQ(OutcomesOf(*options.counts, "other")[kCallFailed], 2);
  EXPECT_EQ(options.counts->accepted, 2);
}

}  // namespace
}  // namespace vitrine
