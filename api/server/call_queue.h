// The threads behind the event loops, and what waits for them.

#ifndef VITRINE_API_SERVER_CALL_QUEUE_H_
#define VITRINE_API_SERVER_CALL_QUEUE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "api/metrics/server_counts.h"
#include "api/server/peer_connection.h"
#include "api/server/queued_method.h"
#include "api/server/turns.h"

namespace vitrine {

// A request that waits, lent by its event loop.
struct PendingCall {
  PeerConnection* connection;
  std::unique_ptr<QueuedMethod::Call> call;  // null: any method, for the processor
};

// Thread-safe. A key whose calls kept threads busy for more than a part of the time lately is
// heavy: its calls have threads of their own, which the kernel gives the processor after the
// others. So the flood of one site does not take it from a site that asks for little.
class CallQueue {
 public:
  // Calls of `method` (may be null), or of any. `heavy_threads` may be 0: then no key is heavy.
  // Begins at once. What waits is counted in `counts` (may be null), which outlives it.
  CallQueue(const Turns<PendingCall>::Limits& limits, size_t threads, size_t heavy_threads,
            std::shared_ptr<QueuedMethod> method, ServerCounts* counts = nullptr);
  ~CallQueue();

  // None if the call waits now. Else it stays the caller's, and this is when there should be room:
  // as many of the key wait as may, or it would wait for longer than its deadline, by the time that
  // the key's calls took lately.
  std::optional<int32_t> Add(const QueuedMethod::Turn& turn, PendingCall&& call);

  // That `calls` of the key took from one steady time to the other. True if it is heavy now.
  bool NoteTime(const std::string& key, size_t calls, int64_t start_ns, int64_t end_ns);

  // What is under way is finished and answered; what waits is left alone. Idempotent.
  void Stop();

 private:
  using Queue = Turns<PendingCall>;

  // What the calls of a key cost lately.
  struct Cost {
    double ms_per_call = 0;
    double busy_ms = 0;  // of threads, fading with the time
    int64_t end_ns = 0;
  };

  void Work(bool heavy);
  void Run(const Queue::Batch& batch);
  void RunMethod(const Queue::Batch& batch);

  const std::shared_ptr<QueuedMethod> method_;
  const bool has_heavy_;
  ServerCounts* const counts_;
  absl::Mutex mutex_;
  Queue turns_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_map<std::string, Cost> costs_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_CALL_QUEUE_H_
