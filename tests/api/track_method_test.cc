// track over the network: queued by site, made durable together, in time or refused.

#include "api/service/track_method.h"

#include <memory>
#include <string>
#include <vector>

#include "thrift/protocol/TBinaryProtocol.h"
#include "thrift/transport/TBufferTransports.h"

#include "api/service/site.h"
#include "api/service/storefront.h"
#include "store/base/clock.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::TBinaryProtocol;
using apache::thrift::transport::TMemoryBuffer;
using testing::MakeEvent;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'780'000'000'000;

class TrackMethodTest : public ::testing::Test {
 protected:
  TrackMethodTest()
      : clock_(kNow),
        sites_(Value(Sites::OpenOne(dir_.path(), "shop", /*create=*/true))),
        storefront_(sites_.get(), &clock_),
        method_(&storefront_) {}

  static TrackRequest RequestOf(const std::string& id, const std::string& site = "shop") {
    TrackRequest request;
    request.context.site = site;
    request.context.deadline_ms = 100;
    request.events.push_back(MakeEvent(id, "ann", kNow, EventKind::VIEW_ITEM, "p1"));
    return request;
  }

  // As it comes from the network.
  std::unique_ptr<QueuedMethod::Call> CallOf(const TrackRequest& request) {
    Storefront_track_args arguments;
    arguments.request = request;
    TBinaryProtocol wire(std::make_shared<TMemoryBuffer>());
    arguments.write(&wire);
    auto call = method_.NewCall(clock_.SteadyNs());
    call->ReadArguments(wire);
    return call;
  }
  std::optional<QueuedMethod::Turn> TurnOf(const TrackRequest& request) {
    Storefront_track_args arguments;
    arguments.request = request;
    TBinaryProtocol wire(std::make_shared<TMemoryBuffer>());
    arguments.write(&wire);
    return method_.TurnOf(wire);
  }
  static Storefront_track_result ResultOf(const QueuedMethod::Call& call) {
    TBinaryProtocol wire(std::make_shared<TMemoryBuffer>());
    call.WriteResult(wire);
    Storefront_track_result result;
    result.read(&wire);
    return result;
  }
  int64_t Events() { return Value(sites_->Find("shop"))->house().GetTotals().events; }

  const TempDir dir_;
  SimClock clock_;
  const std::unique_ptr<Sites> sites_;
  Storefront storefront_;
  TrackMethod method_;
};

TEST_F(TrackMethodTest, EachCallOfATurnHasItsOwnResult) {
  TrackRequest empty = RequestOf("-");
  empty.events.clear();
  std::vector<std::unique_ptr<QueuedMethod::Call>> calls;
  for (const TrackRequest& request :
       {RequestOf("e1"), RequestOf("e1"), empty, RequestOf("e2"), RequestOf("e3", "no such")}) {
    calls.push_back(CallOf(request));
  }
  std::vector<QueuedMethod::Call*> turn;
  for (const auto& call : calls) turn.push_back(call.get());
  method_.Run(turn);
  EXPECT_EQ(ResultOf(*calls[0]).success.accepted, 1);
  EXPECT_EQ(ResultOf(*calls[1]).success.duplicate, 1);
  EXPECT_TRUE(ResultOf(*calls[2]).__isset.invalid);
  EXPECT_EQ(ResultOf(*calls[3]).success.accepted, 1);
  EXPECT_TRUE(ResultOf(*calls[4]).__isset.not_found);
  EXPECT_EQ(Events(), 2);
}

TEST_F(TrackMethodTest, ACallWhoseDeadlinePassedInTheQueueIsNotWritten) {
  const auto late = CallOf(RequestOf("late"));
  clock_.Advance(101);
  const auto in_time = CallOf(RequestOf("in time"));
  QueuedMethod::Call* const turn[] = {late.get(), in_time.get()};
  method_.Run(turn);
  EXPECT_TRUE(ResultOf(*late).__isset.deadline);
  EXPECT_TRUE(ResultOf(*in_time).__isset.success);
  EXPECT_EQ(Events(), 1);
}

TEST_F(TrackMethodTest, ARefusalSaysWhenToTryAgain) {
  const auto call = method_.NewCall(0);
  call->Refuse(250);
  EXPECT_TRUE(ResultOf(*call).__isset.overloaded);
  EXPECT_EQ(ResultOf(*call).overloaded.retry_after_ms, 250);
}

TEST_F(TrackMethodTest, TheTurnIsTheSitesAndWhatIsNoSitesWaitsForNobody) {
  const auto turn = TurnOf(RequestOf("e1"));
  ASSERT_TRUE(turn.has_value());
  EXPECT_EQ(turn->key, "shop");
  EXPECT_EQ(turn->deadline_ms, 100);
  EXPECT_FALSE(TurnOf(RequestOf("e1", "no such")).has_value());
  TrackRequest endless = RequestOf("e1");
  endless.context.deadline_ms = 1'000'000;
  EXPECT_FALSE(TurnOf(endless).has_value());
}

}  // namespace
}  // namespace vitrine
