// What a method that the server queues can rely on: a flood of one key is refused or waits for
// itself, and holds up nobody else.

#include "api/server/call_queue.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

#include "api/server/queued_method.h"
#include "tests/api/server_testing.h"

namespace vitrine {
namespace {

using apache::thrift::protocol::TProtocol;
using Answer = RawPeer::Answer;

// track, whose key is the site: calls of the site "flood" wait until it is let go.
class FakeTrack : public QueuedMethod {
 public:
  struct FakeCall : Call {
    void ReadArguments(TProtocol& in) override { arguments.read(&in); }
    void WriteResult(TProtocol& out) const override { result.write(&out); }
    void Refuse(int32_t retry_after_ms) override {
      result.overloaded.retry_after_ms = retry_after_ms;
      result.__isset.overloaded = true;
    }
    Storefront_track_args arguments;
    Storefront_track_result result;
  };

  absl::string_view name() const override { return "track"; }
  std::optional<Turn> TurnOf(TProtocol& in) const override {
    Storefront_track_args arguments;
    arguments.read(&in);
    const Context& context = arguments.request.context;
    if (context.site == "nobody's") return std::nullopt;
    return Turn{context.site, context.deadline_ms};
  }
  std::unique_ptr<Call> NewCall(int64_t) override { return std::make_unique<FakeCall>(); }

  void Run(std::span<Call* const> calls) override {
    const std::string site = SiteOf(calls.front());
    absl::MutexLock lock(&mutex_);
    batches_.push_back(absl::StrCat(site, " ", calls.size()));
    if (site == "flood") mutex_.Await(absl::Condition(&open_));
    if (site == "throw") throw 42;
    for (Call* call : calls) {
      EXPECT_EQ(SiteOf(call), site) << "a batch is of one key";
      Storefront_track_result& result = static_cast<FakeCall*>(call)->result;
      result.success.accepted = 1;
      result.__isset.success = true;
    }
  }

  void LetGo() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }
  std::vector<std::string> batches() const {
    absl::MutexLock lock(&mutex_);
    return batches_;
  }
  void AwaitBatches(size_t n) const {
    const auto there = [&] { return batches_.size() >= n; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&there));
  }

 private:
  static std::string SiteOf(Call* call) {
    return static_cast<FakeCall*>(call)->arguments.request.context.site;
  }

  mutable absl::Mutex mutex_;
  bool open_ = false;
  std::vector<std::string> batches_;
};

TrackRequest TrackOf(const std::string& site, int32_t deadline_ms = 10'000) {
  TrackRequest request;
  request.context.site = site;
  request.context.deadline_ms = deadline_ms;
  return request;
}

std::string TrackCallOf(const std::string& site) {
  return CallOf([&](StorefrontClient& client) { client.send_track(TrackOf(site)); });
}

class CallQueueTest : public testing::Test {
 protected:
  ~CallQueueTest() override { track_->LetGo(); }

  void Start(size_t threads, size_t waiting_max) {
    ServerOptions options;
    options.queued_method = track_;
    options.queue_threads = threads;
    options.waiting_per_key_max = waiting_max;
    tiny_ = std::make_unique<TinyServer>(options);
  }

  // Sends a call without waiting for its answer.
  void Flood(const std::string& site = "flood") {
    peers_.push_back(std::make_unique<RawPeer>(tiny_->server->port()));
    peers_.back()->Send(Frame(TrackCallOf(site)));
  }
  // Floods until the first call of the flood runs and `waiting` more are in the server.
  void FloodWith(int waiting) {
    Flood();
    track_->AwaitBatches(1);
    for (int i = 0; i < waiting; ++i) Flood();
    // Connections go to the two loops in turn, and a loop reads what came first.
    EXPECT_TRUE(tiny_->Serves() && tiny_->Serves());
  }

  std::shared_ptr<FakeTrack> track_ = std::make_shared<FakeTrack>();
  std::unique_ptr<TinyServer> tiny_;
  std::vector<std::unique_ptr<RawPeer>> peers_;
};

TEST_F(CallQueueTest, AFloodOfOneSiteHoldsUpNeitherAnotherSitesCallsNorOtherMethods) {
  Start(/*threads=*/2, /*waiting_max=*/100);
  FloodWith(30);
  for (int i = 0; i < 20; ++i) {  // new connections: they go to both loops
    const auto client = tiny_->Client(kSoonMs);
    TrackReply reply;
    client->call().track(reply, TrackOf("quiet"));
    EXPECT_EQ(reply.accepted, 1);
    EXPECT_TRUE(tiny_->Serves());
  }
  EXPECT_EQ(track_->batches().front(), "flood 1") << "and it still waits";
  track_->LetGo();
  for (const auto& peer : peers_) EXPECT_EQ(peer->Receive(), Answer::kFrame);
}

TEST_F(CallQueueTest, WhatWaitedForOneTurnIsDoneTogetherInTheNext) {
  Start(/*threads=*/2, /*waiting_max=*/100);
  FloodWith(7);
  track_->LetGo();
  for (const auto& peer : peers_) EXPECT_EQ(peer->Receive(), Answer::kFrame);
  EXPECT_EQ(track_->batches(), (std::vector<std::string>{"flood 1", "flood 7"}));
}

TEST_F(CallQueueTest, WhoFindsTheQueueOfTheSiteFullIsToldAtOnceWhenToTryAgain) {
  Start(/*threads=*/2, /*waiting_max=*/5);
  FloodWith(5);
  const auto client = tiny_->Client(kSoonMs);
  TrackReply reply;
  for (int i = 0; i < 2; ++i) {
    try {
      client->call().track(reply, TrackOf("flood"));
      ADD_FAILURE() << "it had room";
    } catch (const Overloaded& e) {
      EXPECT_GE(e.retry_after_ms, 1);
    }
  }
  client->call().track(reply, TrackOf("quiet"));
}

TEST_F(CallQueueTest, WhoWouldWaitLongerThanTheDeadlineIsRefused) {
  CallQueue queue({.waiting_max = 100, .running_max = 1, .batch_max = 1}, /*threads=*/0,
                  /*heavy_threads=*/1, nullptr);
  EXPECT_EQ(queue.Add({"a", 10}, {nullptr, nullptr}), std::nullopt) << "nothing known yet";
  EXPECT_TRUE(queue.NoteTime("a", 1, 0, 1'000'000'000));
  EXPECT_GE(queue.Add({"a", 10}, {nullptr, nullptr}).value_or(0), 10);
  EXPECT_EQ(queue.Add({"a", 10'000}, {nullptr, nullptr}), std::nullopt);
  EXPECT_EQ(queue.Add({"b", 10}, {nullptr, nullptr}), std::nullopt) << "another site's time";
}

TEST_F(CallQueueTest, AKeyIsHeavyWhileItsCallsTakeMoreThanATenthOfTheTime) {
  CallQueue queue({.waiting_max = 1, .running_max = 1, .batch_max = 1}, 0, /*heavy_threads=*/1,
                  nullptr);
  CallQueue without({.waiting_max = 1, .running_max = 1, .batch_max = 1}, 0, 0, nullptr);
  constexpr int64_t kMs = 1'000'000;
  bool heavy = false;
  int64_t now_ns = 0;
  const auto spend = [&](int64_t busy_ms, int64_t idle_ms) {
    for (int i = 0; i < 100; ++i) {
      heavy = queue.NoteTime("a", 1, now_ns, now_ns + busy_ms * kMs);
      EXPECT_FALSE(without.NoteTime("a", 1, now_ns, now_ns + busy_ms * kMs));
      now_ns += (busy_ms + idle_ms) * kMs;
    }
  };
  spend(1, 15);
  EXPECT_FALSE(heavy);
  spend(5, 15);
  EXPECT_TRUE(heavy);
  EXPECT_FALSE(queue.NoteTime("b", 1, now_ns, now_ns + kMs)) << "another key";
  spend(1, 15);
  EXPECT_FALSE(heavy) << "again";
}

TEST_F(CallQueueTest, ACallThatBelongsToNobodyIsAnsweredByTheProcessor) {
  Start(/*threads=*/1, /*waiting_max=*/5);
  FloodWith(0);
  TrackReply reply;
  TrackRequest request = TrackOf("nobody's");
  request.events.resize(3);
  tiny_->Client(kSoonMs)->call().track(reply, request);
  EXPECT_EQ(reply.accepted, 3);
}

TEST_F(CallQueueTest, ABadMessageIsRefusedAndTheOthersOfItsBatchAreDone) {
  Start(/*threads=*/1, /*waiting_max=*/100);
  const std::string good = TrackCallOf("demo");
  RawPeer bad(tiny_->server->port());
  bad.Send(Frame(good.substr(0, good.size() - 1)));
  EXPECT_EQ(bad.Receive(), Answer::kFrame);
  EXPECT_TRUE(bad.ClosedWithin(kSoonMs));
  RawPeer next(tiny_->server->port());
  next.Send(Frame(good));
  EXPECT_EQ(next.Receive(), Answer::kFrame);
}

TEST_F(CallQueueTest, WhateverTheMethodThrowsEachCallIsAnsweredAndItsConnectionLives) {
  Start(/*threads=*/1, /*waiting_max=*/100);
  const auto client = tiny_->Client(kSoonMs);
  TrackReply reply;
  try {
    client->call().track(reply, TrackOf("throw"));
    ADD_FAILURE() << "it was answered as done";
  } catch (const apache::thrift::TApplicationException& e) {
    EXPECT_EQ(e.getType(), apache::thrift::TApplicationException::INTERNAL_ERROR);
  }
  client->call().track(reply, TrackOf("demo"));
}

TEST_F(CallQueueTest, DrainAnswersWhatWaitsForItsTurn) {
  Start(/*threads=*/1, /*waiting_max=*/100);
  FloodWith(3);
  Flood("behind");
  EXPECT_TRUE(tiny_->Serves() && tiny_->Serves());  // it is in, not before the door
  const int port = tiny_->server->port();
  std::thread drain([&] { tiny_->server->Drain(); });
  EXPECT_TRUE(RefusesSoon(port));
  track_->LetGo();
  for (const auto& peer : peers_) EXPECT_EQ(peer->Receive(), Answer::kFrame);
  drain.join();
}

TEST_F(CallQueueTest, AServerThatStopsFinishesWhatRunsAndLeavesTheRest) {
  Start(/*threads=*/1, /*waiting_max=*/100);
  FloodWith(3);
  track_->LetGo();
  tiny_ = nullptr;
  EXPECT_EQ(peers_.front()->Receive(), Answer::kFrame);
}

TEST_F(CallQueueTest, APeerThatLeavesWhileItsCallWaitsHarmsNobody) {
  Start(/*threads=*/1, /*waiting_max=*/100);
  FloodWith(5);
  peers_.clear();
  track_->LetGo();
  TrackReply reply;
  tiny_->Client(kSoonMs)->call().track(reply, TrackOf("demo"));
}

}  // namespace
}  // namespace vitrine
