#include "api/server/event_loop.h"

#include <cerrno>
#include <cstdlib>
#include <optional>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

#include "spdlog/spdlog.h"

#include "store/base/check.h"
#include "store/base/thread.h"

namespace vitrine {
namespace {

constexpr int kEventsAtOnce = 64;

int MakeEpoll() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  CHECK(epoll >= 0) << "epoll: no descriptors left at start";
  return epoll;
}

// `what` tells its events from those of connections.
void Watch(int epoll, int fd, void* what) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = what;
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) << "epoll_ctl";
}

}  // namespace

EventLoop::EventLoop(std::shared_ptr<Lane> lane, const LoopShared* shared)
    : lane_(std::move(lane)), shared_(*shared), epoll_(MakeEpoll()) {
  Watch(epoll_, lane_->fd(), lane_.get());
  Watch(epoll_, stop_.fd(), &stop_);
  thread_ = std::thread([this] {
    NameThread("loop");
    RunSoonAfterWaking();
    try {
      Run();
    } catch (const std::exception& e) {
      // No peer can cause this; without the loop its connections would hang silently.
      spdlog::critical("event loop: {}", e.what());
      std::abort();
    }
  });
}

EventLoop::~EventLoop() {
  Stop();
  ::close(epoll_);
}

void EventLoop::Stop() {
  stop_.Ring();
  if (thread_.joinable()) thread_.join();
}

void EventLoop::Run() {
  epoll_event events[kEventsAtOnce];
  while (true) {
    const int ready = epoll_wait(epoll_, events, kEventsAtOnce, /*timeout=*/-1);
    CHECK(ready >= 0 || errno == EINTR) << "epoll_wait";
    for (int i = 0; i < ready; ++i) {
      void* const what = events[i].data.ptr;
      if (what == &stop_) return;
      if (what == lane_.get()) {
        LetIn();
      } else {
        GoOn(static_cast<PeerConnection*>(what));
      }
    }
  }
}

void EventLoop::LetIn() {
  while (std::shared_ptr<PeerSocket> peer = lane_->Take()) {
    auto connection = std::make_unique<PeerConnection>(std::move(peer), epoll_,
                                                       shared_.new_processor(), shared_.limits);
    PeerConnection* const raw = connection.get();
    connections_.emplace(raw, std::move(connection));
    raw->Begin();
  }
}

void EventLoop::GoOn(PeerConnection* connection) {
  bool lives = true;
  try {
    if (connection->replying()) {
      connection->Reply();
      return;
    }
    switch (connection->Receive()) {
      case PeerConnection::Received::kPart:
        return;
      case PeerConnection::Received::kFrame:
        Serve(connection);
        return;
      case PeerConnection::Received::kEnd:
        lives = false;
    }
  } catch (const std::exception&) {
    // A frame that is none, a connection that is broken, no memory for the request: its own matter.
    lives = false;
  }
  if (!lives) connections_.erase(connection);
}

void EventLoop::Serve(PeerConnection* connection) {
  if (shared_.all_queued) {
    Enqueue(connection, QueuedMethod::Turn(), nullptr);
    return;
  }
  if (shared_.queued_method != nullptr) {
    if (auto turn = connection->TurnFor(*shared_.queued_method)) {
      Enqueue(connection, *std::move(turn),
              shared_.queued_method->NewCall(connection->arrived_ns()));
      return;
    }
  }
  connection->Process();
  connection->Reply();
}

void EventLoop::Enqueue(PeerConnection* connection, QueuedMethod::Turn turn,
                        std::unique_ptr<QueuedMethod::Call> call) {
  connection->Lend();
  PendingCall pending = {connection, std::move(call)};
  const std::optional<int32_t> retry_after_ms = shared_.queue->Add(turn, std::move(pending));
  if (!retry_after_ms.has_value()) return;  // it is a thread's now
  CHECK(pending.call != nullptr) << "the queue of all has room for every connection";
  pending.call->Refuse(*retry_after_ms);
  connection->Write(*pending.call);
  connection->Reply();
}

}  // namespace vitrine
