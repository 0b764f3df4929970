// The listening socket and the thread beside it: lets peers in up to a limit, hands them to the
// event loops, and shows out those that stay silent. The event loops never see an accept error.

#ifndef VITRINE_API_SERVER_DOOR_H_
#define VITRINE_API_SERVER_DOOR_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "api/server/event_fd.h"
#include "api/server/peer_socket.h"
#include "api/server/server.h"
#include "store/base/clock.h"

namespace vitrine {

// How connections that the door has let in reach an event loop. Thread-safe.
class Lane {
 public:
  void Push(std::shared_ptr<PeerSocket> peer);

  // Readable while somebody waits.
  int fd() const { return bell_.fd(); }
  // The one that waits longest; null: nobody.
  std::shared_ptr<PeerSocket> Take();

 private:
  EventFd bell_{EventFd::kEach};
  absl::Mutex mutex_;
  std::deque<std::shared_ptr<PeerSocket>> waiting_ ABSL_GUARDED_BY(mutex_);
};

class Door {
 public:
  // Listens at once, lets nobody in before Start. Errors as StartServer.
  static absl::StatusOr<std::unique_ptr<Door>> Open(const ServerOptions& options, size_t lanes,
                                                    const Clock& clock);
  ~Door();

  int port() const { return port_; }
  ServerCounts& counts() { return *ledger_.counts; }
  const std::vector<std::shared_ptr<Lane>>& lanes() const { return lanes_; }

  void Start();

  // Stops listening, then hangs up on each connection as soon as nothing of it is under way.
  // True when all are; false at the timeout. True at once after Stop.
  bool Drain(int64_t timeout_ms);

  // Lets nobody in any more and ends the thread. Connections stay as they are.
  void Stop();

 private:
  Door(const ServerOptions& options, size_t lanes, const Clock& clock, int listener);

  void Watch();
  int PollTimeoutMs(int64_t now_ns) const;
  void LetIn(int64_t now_ns);
  void Admit(int fd);
  void MakeRound(int64_t now_ns);
  void HangUpOnTheQuiet();
  void Report(int64_t now_ns);

  const ServerOptions options_;
  const size_t connections_max_;
  const int64_t round_ns_;
  const Clock& clock_;
  const int port_;
  DoorLedger ledger_;
  const std::vector<std::shared_ptr<Lane>> lanes_;

  // Of the thread.
  int listener_;
  std::vector<std::weak_ptr<PeerSocket>> peers_;
  size_t next_lane_ = 0;
  int64_t accept_again_ns_ = 0;
  int64_t next_round_ns_ = 0;
  int64_t next_report_ns_ = 0;
  struct {
    int64_t refused = 0, not_accepted = 0, silent = 0, bad_frames = 0, malformed = 0, failed = 0;
  } reported_;  // up to now

  std::atomic<bool> stopping_{false};
  absl::Mutex mutex_;
  bool drained_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// How many connections fit beside `reserved` other files into this process's descriptor limit, but
// no more than `wanted`.
size_t ConnectionsThatFit(size_t wanted, size_t reserved);

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_DOOR_H_
