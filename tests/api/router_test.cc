#include "api/client/router.h"

#include <gtest/gtest.h>
#include <optional>

#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

constexpr int kRestMs = 500;

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    for (auto& server : servers_) server.emplace();
    router_ = std::make_unique<StorefrontRouter>(
        std::vector<Endpoint>{{"127.0.0.1", servers_[0]->server->port()},
                              {"127.0.0.1", servers_[1]->server->port()}},
        RouterOptions{.timeout_ms = 5000, .rest_ms = kRestMs}, &clock_);
  }

  absl::Status Ask(const std::string& site = "demo") {
    return router_->Call([&](StorefrontClient& call) {
      RecommendReply reply;
      call.recommend(reply, Request(site));
      EXPECT_EQ(reply.suggestions.size(), 3u);
    });
  }

  SimClock clock_{1'700'000'000'000};
  std::optional<TinyServer> servers_[2];
  std::unique_ptr<StorefrontRouter> router_;
};

TEST_F(RouterTest, AnswersWhileOneServerIsGoneAndAsksItAgainAfterItsRest) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Ask().ok());
  EXPECT_EQ(router_->retries(), 0);
  const int port = servers_[0]->server->port();
  servers_[0].reset();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Ask().ok());
  EXPECT_EQ(router_->retries(), 1) << "it rests after that";
  servers_[0].emplace(ServerOptions{.port = port});
  clock_.Advance(kRestMs + 1);
  servers_[1].reset();  // now everything depends on the first
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Ask().ok());
  EXPECT_LE(router_->retries(), 2);
}

TEST_F(RouterTest, ConnectionsFromBeforeARestartAreNoReasonToFail) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(Ask().ok());
  for (auto& server : servers_) {
    const int port = server->server->port();
    server.reset();
    server.emplace(ServerOptions{.port = port});
  }
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(Ask().ok()) << i;
}

TEST_F(RouterTest, SaysSoWhereNobodyCanAnswer) {
  for (auto& server : servers_) server.reset();
  EXPECT_TRUE(absl::IsUnavailable(Ask()));
  servers_[0].emplace();
}

TEST_F(RouterTest, WhatOneRefusesForLackOfRoomTheOtherIsAsked) {
  EXPECT_TRUE(absl::IsResourceExhausted(Ask("overloaded"))) << "both are";
  EXPECT_EQ(router_->retries(), 1);
}

TEST_F(RouterTest, AnErrorOfTheCallersIsNotTriedAgain) {
  EXPECT_EQ(Ask("int").code(), absl::StatusCode::kInternal);
  EXPECT_EQ(router_->retries(), 0);
}

}  // namespace
}  // namespace vitrine
