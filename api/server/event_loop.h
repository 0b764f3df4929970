// One thread that reads requests and sends replies of many connections (epoll, level-triggered),
// and runs the handlers of those requests that have to wait for nothing.

#ifndef VITRINE_API_SERVER_EVENT_LOOP_H_
#define VITRINE_API_SERVER_EVENT_LOOP_H_

#include <memory>
#include <thread>
#include <thrift/TProcessor.h>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "api/metrics/server_counts.h"
#include "api/server/call_queue.h"
#include "api/server/door.h"
#include "api/server/event_fd.h"
#include "api/server/peer_connection.h"
#include "api/server/queued_method.h"
#include "api/server/waiting_line.h"

namespace vitrine {

// What the loops of one server share.
struct LoopShared {
  NewProcessor new_processor;
  WireLimits limits = {};
  // Which requests leave the loop: those of one method, or all, or none.
  std::shared_ptr<QueuedMethod> queued_method = nullptr;
  bool all_queued = false;
  // Which requests wait in line where they are many; may be null.
  std::shared_ptr<const Admission> admission = nullptr;
  CallQueue* queue = nullptr;      // REQUIRES: there, if any leave
  ServerCounts* counts = nullptr;  // REQUIRES: there
};

class EventLoop {
 public:
  // Begins at once. `shared` outlives it.
  EventLoop(std::shared_ptr<Lane> lane, const LoopShared* shared);
  // REQUIRES: no connection is lent out.
  ~EventLoop();

  // Ends the thread. The connections stay, for handlers that are still at work.
  void Stop();

 private:
  void Run();
  void LetIn();
  void GoOn(PeerConnection* connection);
  void Serve(PeerConnection* connection);
  // Handles those in line for as long as `reading_ns` of reading allow; at least one.
  void HandleLine(int64_t reading_ns);
  void Refuse(PeerConnection* connection, QueuedMethod& method);
  void Enqueue(PeerConnection* connection, QueuedMethod::Turn turn,
               std::unique_ptr<QueuedMethod::Call> call);

  const std::shared_ptr<Lane> lane_;
  const LoopShared& shared_;
  const int epoll_;
  const Clock& clock_ = Clock::System();
  EventFd stop_{EventFd::kOnce};
  // Of the thread.
  absl::flat_hash_map<PeerConnection*, std::unique_ptr<PeerConnection>> connections_;
  WaitingLine<PeerConnection*> line_;
  std::thread thread_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_EVENT_LOOP_H_
