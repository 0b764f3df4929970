// The gateway at its socket: what a peer may do to it, and what that costs the others.

#include <gmock/gmock.h>

#include "tests/api/gateway_testing.h"

namespace vitrine {
namespace {

using ::testing::HasSubstr;

GatewayOptions Impatient() {
  GatewayOptions options;
  options.idle_timeout_ms = 300;
  options.header_timeout_ms = 300;
  options.body_timeout_ms = 300;
  options.write_timeout_ms = 300;
  return options;
}

TEST(Gateway, AnswersManyRequestsOfOneConnection) {
  TinyGateway gateway;
  HttpPeer peer(gateway.port());
  std::string body;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(peer.Ask(Get("/v1/recommendations?site=shop"), &body), 200);
    EXPECT_THAT(body, HasSubstr("\"p1\""));
    EXPECT_EQ(peer.Ask(Post("/v1/events", R"({"site":"shop","events":[{"id":"1"}]})")), 200);
  }
  peer.Send("HEAD /healthz HTTP/1.1\r\nHost: g\r\n\r\n");
  EXPECT_EQ(peer.ReadReply(nullptr, kSoonMs, true), 200);
  EXPECT_EQ(peer.Ask("GET /healthz HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"), 200);
  EXPECT_TRUE(peer.ClosedWithin(3 * kSoonMs));
}

TEST(Gateway, AnswersPipelinedRequestsInTheirOrder) {
  TinyGateway gateway;
  HttpPeer peer(gateway.port());
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all +=
        i % 2 ? Get("/v1/nothing") : Post("/v1/events", R"({"site":"shop","events":[{"id":"1"}]})");
  }
  peer.Send(all);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(peer.ReadReply(), i % 2 ? 404 : 200) << i;
}

TEST(Gateway, ReadsBodiesInPieces) {
  TinyGateway gateway;
  HttpPeer peer(gateway.port());
  peer.Send("POST /v1/events HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n");
  peer.Send("f\r\n{\"site\":\"shop\",\r\n");
  peer.Send("16\r\n\"events\":[{\"id\":\"1\"}]}\r\n0\r\n\r\n");
  EXPECT_EQ(peer.ReadReply(), 200);
  peer.Send(
      "POST /v1/events HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(peer.ReadReply(), 100);
  peer.Send("{}");
  EXPECT_EQ(peer.ReadReply(), 200);
}

TEST(Gateway, SaysWhatIsTooLong) {
  TinyGateway gateway;
  std::string body;
  HttpPeer declared(gateway.port());
  EXPECT_EQ(
      declared.Ask("POST /v1/events HTTP/1.1\r\nHost: g\r\nContent-Length: 1048577\r\n\r\n", &body),
      413);
  EXPECT_THAT(body, HasSubstr("too_large"));
  HttpPeer chunked(gateway.port());
  chunked.Send("POST /v1/events HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string piece = absl::StrCat("40000\r\n", std::string(0x40000, ' '), "\r\n");
  for (int i = 0; i < 5; ++i) chunked.Send(piece);
  EXPECT_EQ(chunked.ReadReply(), 413);
  for (const std::string& headers :
       {absl::StrCat("X-Long: ", std::string(100'000, 'a'), "\r\n"), std::string(30'000, 'a'), [] {
          std::string many;
          for (int i = 0; i < 5000; ++i) many += "X: y\r\n";
          return many;
        }()}) {
    HttpPeer peer(gateway.port());
    EXPECT_EQ(peer.Ask(absl::StrCat("GET /healthz HTTP/1.1\r\nHost: g\r\n", headers, "\r\n")), 431);
    EXPECT_TRUE(peer.ClosedWithin(3 * kSoonMs));
  }
  HttpPeer path(gateway.port());
  EXPECT_EQ(path.Ask(Get("/" + std::string(20'000, 'a'))), 431);
  EXPECT_TRUE(gateway.Serves());
}

// Shapes that a proxy in front of us might read in another way than we do: none of them may leave
// bytes behind that become the next visitor's request.
TEST(Gateway, RefusesWhatCouldBeReadInTwoWays) {
  TinyGateway gateway;
  const std::string smuggled = "GET /v1/recommendations?site=smuggled HTTP/1.1\r\nHost: g\r\n\r\n";
  for (const char* headers : {
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5, 6\r\n",
           "Content-Length: +5\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 99999999999999999999999\r\n",
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding : chunked\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Content-Length : 5\r\n",
           " Content-Length: 5\r\n",
           "Host: other\r\n",
           "Bad\x01Name: 5\r\n",
           "NoColon\r\n",
       }) {
    HttpPeer peer(gateway.port());
    peer.Send(absl::StrCat("POST /v1/events HTTP/1.1\r\nHost: g\r\n", headers, "\r\n0\r\n\r\n",
                           smuggled));
    EXPECT_EQ(peer.ReadReply(), 400) << headers;
    EXPECT_EQ(peer.ReadReply(nullptr, 50), 0) << headers;
    EXPECT_TRUE(peer.ClosedWithin(3 * kSoonMs)) << headers;
  }
  EXPECT_NE(gateway.storefront.recommended.context.site, "smuggled");
  HttpPeer no_host(gateway.port());
  EXPECT_EQ(no_host.Ask("GET /healthz HTTP/1.1\r\n\r\n"), 400);
}

// "C: 33" is no Content-Length, whatever stock servers think.
TEST(Gateway, ReadsHeaderNamesWhole) {
  TinyGateway gateway;
  HttpPeer peer(gateway.port());
  peer.Send(
      "POST /v1/events HTTP/1.1\r\nHost: g\r\nC: 33\r\nContent-Lengt: 40\r\nT: chunked\r\n\r\n");
  EXPECT_EQ(peer.ReadReply(), 400);  // an empty body is no JSON
  EXPECT_EQ(peer.Ask(Get("/healthz")), 200);
}

TEST(Gateway, AnswersOtherProtocolsAndGoesOn) {
  TinyGateway gateway;
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), PingCall(),
        Frame(PingCall()), std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        std::string("GET /\r\n\r\n"), std::string("GET / HTTP/9.9\r\n\r\n"),
        std::string(50'000, '\0')}) {
    HttpPeer peer(gateway.port());
    peer.Send(bytes);
    peer.Send("\r\n\r\n");
    EXPECT_EQ(peer.ReadReply(), 400);
    EXPECT_TRUE(peer.ClosedWithin(3 * kSoonMs));
  }
  HttpPeer peer(gateway.port());
  EXPECT_EQ(peer.Ask("BREW /v1/page HTTP/1.1\r\nHost: g\r\n\r\n"), 405);
  EXPECT_TRUE(gateway.Serves());
}

// Every phase by itself: silence, a request line that drips, a body that drips, a reply not read.
TEST(Gateway, ClosesWhoeverTakesTooLong) {
  TinyGateway gateway(Impatient());
  HttpPeer silent(gateway.port());
  EXPECT_TRUE(silent.ClosedWithin(3 * kSoonMs));

  const auto drips = [&](const std::string& begin) {
    HttpPeer peer(gateway.port());
    peer.Send(begin);
    const Deadline deadline(3 * kSoonMs);
    while (deadline.LeftMs() > 0) {
      peer.Send("a");
      if (peer.ClosedWithin(20)) return true;
    }
    return false;
  };
  EXPECT_TRUE(drips("GET /"));
  EXPECT_TRUE(drips("GET / HTTP/1.1\r\nX: "));
  EXPECT_TRUE(drips("POST /v1/events HTTP/1.1\r\nHost: g\r\nContent-Length: 1000000\r\n\r\n{"));
  EXPECT_TRUE(drips("POST /v1/events HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n1;"));
  EXPECT_TRUE(gateway.Serves());
}

TEST(Gateway, ClosesWhoDoesNotReadReplies) {
  TinyGateway gateway(Impatient());
  HttpPeer peer(gateway.port());
  std::string all;
  for (int i = 0; i < 20'000; ++i) all += Get("/openapi.json");
  std::thread sender([&] { peer.Send(all); });  // until nothing is taken any more
  sender.join();                                // which ends when the gateway closes
  EXPECT_TRUE(gateway.Serves());
}

TEST(Gateway, AHealthyClientNoticesNothingOfABadNeighbourhood) {
  TinyGateway gateway;
  std::vector<std::unique_ptr<HttpPeer>> neighbours;
  for (int i = 0; i < 100; ++i) {  // half open: never say a thing
    neighbours.push_back(std::make_unique<HttpPeer>(gateway.port()));
  }
  for (int i = 0; i < 100; ++i) {
    neighbours.push_back(std::make_unique<HttpPeer>(gateway.port()));
    neighbours.back()->Send("POST /v1/events HTTP/1.1\r\nHost: g\r\nContent-Length: 1000\r\n");
  }
  HttpPeer healthy(gateway.port());
  int good = 0;
  for (int i = 0; i < 300; ++i) {
    neighbours[static_cast<size_t>(100 + i % 100)]->Send("X: y\r\n");
    good += healthy.Ask(Get("/v1/recommendations?site=shop")) == 200;
    good += HttpPeer(gateway.port())
                .Ask(Post("/v1/events", R"({"site":"shop","events":[{"id":"1"}]})")) == 200;
  }
  EXPECT_EQ(good, 600);
}

TEST(Gateway, ClosesOneConnectionTooMany) {
  GatewayOptions options;
  options.connections_max = 2;
  TinyGateway gateway(options);
  HttpPeer first(gateway.port()), second(gateway.port());
  EXPECT_EQ(first.Ask(Get("/healthz")), 200);
  EXPECT_EQ(second.Ask(Get("/healthz")), 200);
  EXPECT_TRUE(HttpPeer(gateway.port()).ClosedWithin(kSoonMs));
  EXPECT_EQ(first.Ask(Get("/healthz")), 200);
}

// A handler that waits holds neither the sockets nor those who ask something else.
TEST(Gateway, WhatWaitsForTheDiskHoldsNobodyElse) {
  GatewayOptions options;
  options.track_threads = 1;
  TinyGateway gateway(options);
  HttpPeer waiting(gateway.port());
  waiting.Send(Post("/v1/events", R"({"site":"wait","events":[{"id":"1"}]})"));
  gateway.storefront.entered.WaitForNotification();
  EXPECT_TRUE(gateway.Serves());
  // As many wait behind it as may, the next are told at once.
  std::vector<std::unique_ptr<HttpPeer>> queue;
  for (size_t i = 0; i < limits::kHttpWaitingMax; ++i) {
    queue.push_back(std::make_unique<HttpPeer>(gateway.port()));
    queue.back()->Send(Post("/v1/events", R"({"site":"shop","events":[{"id":"1"}]})"));
  }
  const Deadline deadline(5 * kSoonMs);
  int status = 0;
  int places_taken = 0;  // by those that were not refused, from the queue's
  while (status != 503 && deadline.LeftMs() > 0) {
    HttpPeer one_more(gateway.port());
    one_more.Send(Post("/v1/events", R"({"site":"shop","events":[{"id":"1"}]})"));
    status = one_more.ReadReply(nullptr, 200);
    if (status != 503) {
      ++places_taken;
      continue;
    }
    EXPECT_THAT(one_more.headers, HasSubstr("Retry-After: 1"));
  }
  EXPECT_EQ(status, 503);
  EXPECT_TRUE(gateway.Serves());
  gateway.storefront.release.Notify();
  EXPECT_EQ(waiting.ReadReply(), 200);
  int refused = 0;
  for (const auto& peer : queue) {
    const int reply = peer->ReadReply();
    if (reply == 503) {
      ++refused;
    } else {
      EXPECT_EQ(reply, 200);
    }
  }
  EXPECT_LE(refused, places_taken);
}

TEST(Gateway, DrainsWithoutFailingARequest) {
  TinyGateway gateway;
  HttpPeer idle(gateway.port());
  EXPECT_EQ(idle.Ask(Get("/healthz")), 200);
  HttpPeer waiting(gateway.port());
  waiting.Send(Post("/v1/recommendations", R"({"site":"wait"})"));
  gateway.storefront.entered.WaitForNotification();
  std::thread drain([&] { gateway.gateway->Drain(); });
  EXPECT_TRUE(idle.ClosedWithin(kSoonMs));
  EXPECT_TRUE(RefusesSoon(gateway.port()));
  gateway.storefront.release.Notify();
  EXPECT_EQ(waiting.ReadReply(), 200);
  EXPECT_THAT(waiting.headers, HasSubstr("Connection: close"));
  drain.join();
}

TEST(Gateway, SaysWhenItsPortIsTaken) {
  TinyGateway gateway;
  GatewayParts parts;
  parts.storefront = &gateway.storefront;
  GatewayOptions options;
  options.port = gateway.port();
  EXPECT_EQ(StartGateway(parts, options).status().code(), absl::StatusCode::kAlreadyExists);
  options.port = 0;
  options.host = "no such host";
  EXPECT_EQ(StartGateway(parts, options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine
