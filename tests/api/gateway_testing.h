// What the gateway's tests share: a Storefront that remembers what it was asked, and a peer that
// speaks HTTP byte by byte.

#ifndef VITRINE_TESTS_API_GATEWAY_TESTING_H_
#define VITRINE_TESTS_API_GATEWAY_TESTING_H_

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

#include "api/Storefront.h"
#include "api/gateway/gateway.h"
#include "tests/api/server_testing.h"

namespace vitrine {

using Json = nlohmann::json;

template <typename Exception>
Exception WithMessage(const std::string& message) {
  Exception exception;
  exception.message = message;
  return exception;
}

// The site says what becomes of a call.
class RememberingStorefront : public StorefrontNull {
 public:
  void recommend(RecommendReply& reply, const RecommendRequest& request) override {
    Obey(request.context.site);
    const absl::MutexLock lock(&mutex);
    recommended = request;
    reply.request_id = "r1";
    reply.title = "برای شما";
    Suggestion& suggestion = reply.suggestions.emplace_back();
    suggestion.product_id = "p1";
    suggestion.source = Source::TASTE;
    suggestion.score = 0.5;
    suggestion.__set_price_minor(1250);
  }

  void page(PageReply& reply, const PageRequest& request) override {
    Obey(request.context.site);
    const absl::MutexLock lock(&mutex);
    paged = request;
    for (const ShelfWanted& wanted : request.shelves) {
      reply.shelves.emplace_back().placement = wanted.placement;
    }
  }

  void track(TrackReply& reply, const TrackRequest& request) override {
    Obey(request.context.site);
    const absl::MutexLock lock(&mutex);
    tracked = request;
    ++track_calls;
    reply.acknowledged = request.acknowledge;
    reply.accepted = static_cast<int64_t>(request.events.size());
  }

  absl::Mutex mutex;
  RecommendRequest recommended;
  PageRequest paged;
  TrackRequest tracked;
  int track_calls = 0;
  absl::Notification entered, release;  // of a call for the site "wait"

 private:
  void Obey(const std::string& site) {
    if (site == "wait") {
      entered.Notify();
      release.WaitForNotification();
    }
    if (site == "invalid") throw WithMessage<InvalidRequest>("k: 900 is too much");
    if (site == "unauthorized") throw WithMessage<Unauthorized>("no such key");
    if (site == "unknown") throw WithMessage<NotFound>("no such site");
    if (site == "unavailable") throw WithMessage<Unavailable>("no model");
    if (site == "late") throw WithMessage<DeadlineExceeded>("too late");
    if (site == "internal") throw WithMessage<InternalError>("see the log");
    if (site == "bad_alloc") throw std::bad_alloc();
    if (site == "overloaded") {
      Overloaded overloaded = WithMessage<Overloaded>("busy");
      overloaded.retry_after_ms = 1500;
      throw overloaded;
    }
  }
};

// Reads what a server sends, whole replies at a time.
class HttpPeer {
 public:
  explicit HttpPeer(int port) : peer_(port) {}

  void Send(const std::string& bytes) const { peer_.Send(bytes); }
  bool ClosedWithin(int timeout_ms) const { return peer_.ClosedWithin(timeout_ms); }

  // The status of the next reply, its body in `*body`; 0: none came within `timeout_ms`.
  int ReadReply(std::string* body = nullptr, int timeout_ms = 5000, bool is_head = false) {
    const Deadline deadline(timeout_ms);
    size_t end;
    while ((end = text_.find("\r\n\r\n")) == std::string::npos) {
      if (!More(deadline)) return 0;
    }
    headers = text_.substr(0, end + 2);
    const std::string name = "Content-Length: ";
    const size_t at = headers.find(name);
    size_t length = 0;
    if (at != std::string::npos) {
      EXPECT_TRUE(absl::SimpleAtoi(
          headers.substr(at + name.size(), headers.find("\r\n", at) - at - name.size()), &length));
    }
    if (is_head) length = 0;
    while (text_.size() < end + 4 + length) {
      if (!More(deadline)) return 0;
    }
    if (body != nullptr) *body = text_.substr(end + 4, length);
    text_.erase(0, end + 4 + length);
    int status = 0;
    EXPECT_TRUE(absl::SimpleAtoi(headers.substr(9, 3), &status)) << headers;
    return status;
  }

  int Ask(const std::string& bytes, std::string* body = nullptr) {
    Send(bytes);
    return ReadReply(body);
  }

  std::string headers;  // of the last reply

 private:
  bool More(const Deadline& deadline) {
    const std::string bytes = peer_.ReadSome(deadline.LeftMs());
    text_ += bytes;
    return !bytes.empty();
  }

  RawPeer peer_;
  std::string text_;
};

inline std::string Get(const std::string& target) {
  return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: gateway\r\n\r\n");
}

inline std::string Post(const std::string& target, const std::string& body) {
  return absl::StrCat("POST ", target,
                      " HTTP/1.1\r\nHost: gateway\r\nContent-Length: ", body.size(), "\r\n\r\n",
                      body);
}

// A gateway with its storefront.
struct TinyGateway {
  explicit TinyGateway(const GatewayOptions& options = {}) {
    GatewayParts parts;
    parts.storefront = &storefront;
    auto started = StartGateway(std::move(parts), options);
    EXPECT_TRUE(started.ok()) << started.status();
    gateway = *std::move(started);
  }

  int port() const { return gateway->port(); }
  // A client that came in the normal way gets an answer soon.
  bool Serves() const { return HttpPeer(port()).Ask(Get("/v1/recommendations?site=shop")) == 200; }

  RememberingStorefront storefront;
  std::unique_ptr<Gateway> gateway;
};

}  // namespace vitrine

#endif  // VITRINE_TESTS_API_GATEWAY_TESTING_H_
