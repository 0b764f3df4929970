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
// While requests wait in line, handling them takes at least so many parts of the thread's time for
// one part of reading and refusing others: a flood of requests that are refused must not be what
// the thread does. More, and refusals become slow.
constexpr int kHandlingShare = 4;
// When a call that waits for a disk is told to come again, while others are refused.
constexpr int32_t kRetryQueuedAfterMs = 500;

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
    const int ready = epoll_wait(epoll_, events, kEventsAtOnce, line_.empty() ? -1 : 0);
    CHECK(ready >= 0 || errno == EINTR) << "epoll_wait";
    const int64_t begin_ns = clock_.SteadyNs();
    for (int i = 0; i < ready; ++i) {
      void* const what = events[i].data.ptr;
      if (what == &stop_) return;
      if (what == lane_.get()) {
        LetIn();
      } else {
        GoOn(static_cast<PeerConnection*>(what));
      }
    }
    if (!line_.empty()) HandleLine(clock_.SteadyNs() - begin_ns);
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
  if (connection->in_line()) return;
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
      // It can be sent again; a page cannot wait.
      const bool busy = line_.Refuses(clock_.SteadyNs());
      if (busy) return Refuse(connection, *shared_.queued_method);
      Enqueue(connection, *std::move(turn),
              shared_.queued_method->NewCall(connection->arrived_ns()));
      return;
    }
  }
  if (shared_.admission != nullptr) {
    if (const auto request = connection->RequestFor(*shared_.admission)) {
      const auto retry_after_ms =
          line_.Add(connection, *request, connection->arrived_ns(), clock_.SteadyNs());
      connection->set_in_line(!retry_after_ms.has_value());
      if (connection->in_line()) {
        ++shared_.counts->waiting_in_line;
        return;
      }
      shared_.counts->NoteRefused(&shared_.counts->refused_on_arrival, clock_.SteadyNs());
      connection->Refuse(*shared_.admission, *retry_after_ms);
      connection->Reply();
      return;
    }
  }
  connection->Process();
  connection->Reply();
}

void EventLoop::HandleLine(int64_t reading_ns) {
  const int64_t end_ns = clock_.SteadyNs() + kHandlingShare * reading_ns;
  int64_t now_ns = 0;
  do {
    const auto place = line_.Next(clock_.SteadyNs());
    PeerConnection* const connection = place.who;
    connection->set_in_line(false);
    --shared_.counts->waiting_in_line;
    if (place.in_time) {
      const RequestArrival arrival(place.arrived_ns);
      connection->Process();
    } else {
      shared_.counts->NoteRefused(&shared_.counts->refused_late, clock_.SteadyNs());
      connection->Refuse(*shared_.admission, 1);
    }
    connection->Reply();
    now_ns = clock_.SteadyNs();
    if (place.in_time) line_.Done(place, now_ns);
  } while (!line_.empty() && now_ns < end_ns);
}

void EventLoop::Refuse(PeerConnection* connection, QueuedMethod& method) {
  const std::unique_ptr<QueuedMethod::Call> call = method.NewCall(connection->arrived_ns());
  shared_.counts->NoteRefused(&shared_.counts->refused_at_queue, clock_.SteadyNs());
  call->Refuse(kRetryQueuedAfterMs);
  connection->Write(*call);
  connection->Reply();
}

void EventLoop::Enqueue(PeerConnection* connection, QueuedMethod::Turn turn,
                        std::unique_ptr<QueuedMethod::Call> call) {
  connection->Lend();
  PendingCall pending = {connection, std::move(call)};
  const std::optional<int32_t> retry_after_ms = shared_.queue->Add(turn, std::move(pending));
  if (!retry_after_ms.has_value()) return;  // it is a thread's now
  CHECK(pending.call != nullptr) << "the queue of all has room for every connection";
  shared_.counts->NoteRefused(&shared_.counts->refused_at_queue, clock_.SteadyNs());
  pending.call->Refuse(*retry_after_ms);
  connection->Write(*pending.call);
  connection->Reply();
}

}  // namespace vitrine
