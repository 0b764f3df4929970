#include "api/client/client.h"

#include <gtest/gtest.h>
#include <thrift/TApplicationException.h>
#include <thrift/protocol/TProtocolException.h>
#include <thrift/transport/TTransportException.h>

#include "api/server/server.h"
#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

template <typename Exception>
absl::Status StatusOf(Exception exception) {
  return CatchThrift([&] { throw exception; });
}

template <typename Exception>
Exception Saying(const std::string& message) {
  Exception exception;
  exception.message = message;
  return exception;
}

TEST(CatchThrift, TurnsEachExceptionOfTheInterfaceIntoItsStatus) {
  EXPECT_EQ(StatusOf(Saying<InvalidRequest>("m")), absl::InvalidArgumentError("m"));
  EXPECT_EQ(StatusOf(Saying<NotFound>("m")), absl::NotFoundError("m"));
  EXPECT_EQ(StatusOf(Saying<DeadlineExceeded>("m")), absl::DeadlineExceededError("m"));
  EXPECT_EQ(StatusOf(Saying<Unavailable>("m")), absl::UnavailableError("m"));
  EXPECT_EQ(StatusOf(Saying<InternalError>("m")), absl::InternalError("m"));
  EXPECT_EQ(StatusOf(Saying<Overloaded>("m")).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(StatusOf(apache::thrift::transport::TTransportException()).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(StatusOf(apache::thrift::TApplicationException()).code(), absl::StatusCode::kInternal);
}

TEST(CatchThrift, NamesTheFieldThatIsWrongAndWhenToTryAgain) {
  InvalidRequest invalid = Saying<InvalidRequest>("unknown site");
  invalid.field = "context.site";
  EXPECT_EQ(StatusOf(invalid).message(), "context.site: unknown site");
  Overloaded overloaded = Saying<Overloaded>("busy");
  overloaded.retry_after_ms = 20;
  EXPECT_EQ(StatusOf(overloaded).message(), "busy (try again in 20 ms)");
}

TEST(CatchThrift, PassesSuccessAndWhatIsNotThrifts) {
  EXPECT_TRUE(CatchThrift([] {}).ok());
  EXPECT_THROW(StatusOf(std::runtime_error("ours")).IgnoreError(), std::runtime_error);
}

TEST(Connection, CarriesACallAndItsException) {
  const TinyServer tiny;
  const auto client = tiny.Client();
  RecommendReply reply;
  EXPECT_TRUE(CatchThrift([&] { client->call().recommend(reply, Request("demo", 5)); }).ok());
  EXPECT_EQ(reply.suggestions.size(), 5u);
  EXPECT_EQ(CatchThrift([&] { client->call().recommend(reply, Request("overloaded")); }).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(Connection, IsUnavailableWhereNobodyListens) {
  int port = 0;
  {
    const TinyServer gone;
    port = gone.server->port();
  }
  EXPECT_EQ(Connection<BackofficeClient>::Open("127.0.0.1", port, 1000).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(Connection, GivesUpOnAnAnswerAfterItsTimeout) {
  const TinyServer tiny;
  const auto client = tiny.Client(/*timeout_ms=*/50);
  RecommendReply reply;
  EXPECT_EQ(CatchThrift([&] { client->call().recommend(reply, Request("wait")); }).code(),
            absl::StatusCode::kUnavailable);
  tiny.handler->release.Notify();
}

TEST(Connection, IsUnavailableAfterTheServerHasGone) {
  auto tiny = std::make_unique<TinyServer>();
  const auto client = tiny->Client();
  tiny = nullptr;
  Pong pong;
  EXPECT_EQ(CatchThrift([&] { client->call().ping(pong); }).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace vitrine
