// What a server or a gateway has seen since it started.

#ifndef VITRINE_API_METRICS_SERVER_COUNTS_H_
#define VITRINE_API_METRICS_SERVER_COUNTS_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "api/metrics/call_counts.h"

namespace vitrine {

// Thread-safe; each number by itself.
struct ServerCounts {
  // As CallCounts takes them.
  explicit ServerCounts(const std::vector<std::string>& methods = {}) : calls(methods) {}

  using Count = std::atomic<int64_t>;

  CallCounts calls;

  Count connections{0};           // now
  Count accepted{0};              // connections let in
  Count refused_connections{0};   // at the limit
  Count deferred_connections{0};  // times that there were no descriptors or memory for one
  Count silent_connections{0};    // closed for completing no request in time
  Count bad_frames{0};            // empty, too long, or another protocol altogether
  Count malformed{0};             // requests that are none
  Count failed_requests{0};       // exceptions that no handler should let out

  // Of requests that wait, now: for their loop, and for the threads behind the loops.
  Count waiting_in_line{0};
  Count waiting_in_queue{0};
  // Refused, for they would have waited too long: on arrival, when their turn came, and at a queue.
  Count refused_on_arrival{0};
  Count refused_late{0};
  Count refused_at_queue{0};
  Count last_refused_ns{0};  // steady; 0: never

  void NoteRefused(Count* where, int64_t now_ns) {
    ++*where;
    last_refused_ns = now_ns;
  }
  int64_t refused() const { return refused_on_arrival + refused_late + refused_at_queue; }
};

}  // namespace vitrine

#endif  // VITRINE_API_METRICS_SERVER_COUNTS_H_
