// The socket loop behind one interface, so that it can be replaced when a measurement says so.

#ifndef VITRINE_API_SERVER_SERVER_H_
#define VITRINE_API_SERVER_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "api/metrics/server_counts.h"
#include "api/server/admission.h"
#include "api/server/queued_method.h"
#include "store/base/limits.h"

namespace apache::thrift {
class TProcessor;
}

namespace vitrine {

// The outcome of a call: 0, or the number of the exception that its method declares, or this.
inline constexpr size_t kCallFailed = CallCounts::kOutcomesMax - 1;  // by no declared exception

struct ServerOptions {
  std::string name = "storefront";  // in logs
  std::string host = "127.0.0.1";   // the address to bind; loopback unless told otherwise
  int port = 0;                     // 0: any free one
  size_t workers = 2;               // threads that run handlers
  // Where they run. kInline: in `workers` event loops, each with its share of the connections;
  // cheapest, but a handler holds up its neighbours. kPool: in `workers` threads behind one event
  // loop; for handlers that take long.
  enum class Handlers { kInline, kPool } handlers = Handlers::kInline;
  // With kInline: the method whose calls leave the loops and take turns in `queue_threads` others,
  // those of heavy keys in others again (api/server/call_queue.h); one turn of a key at a time. Of
  // one key, `waiting_per_key_max` calls wait at most.
  std::shared_ptr<QueuedMethod> queued_method = nullptr;
  // With kInline: which requests may wait in line for their loop, and how they are refused where
  // they would wait too long (api/server/waiting_line.h). Null: all wait, however long.
  std::shared_ptr<const Admission> admission = nullptr;
  // What it sees is counted there: methods by their names on the wire, outcomes as kCallFailed
  // says. Null: for itself.
  std::shared_ptr<ServerCounts> counts = nullptr;
  size_t queue_threads = limits::kQueueThreads;
  size_t queue_heavy_threads = limits::kQueueThreads;
  size_t waiting_per_key_max = limits::kWaitingPerSiteMax;
  size_t connections_max = limits::kConnectionsMax;  // one more is closed on arrival
  int32_t frame_bytes_max = limits::kFrameBytesMax;
  int32_t string_bytes_max = limits::kWireStringBytesMax;
  int32_t container_max = limits::kWireContainerMax;
  // A connection that completes no request for this long is closed (half-open, dripping,
  // forgotten).
  int64_t idle_timeout_ms = 60'000;
  int64_t drain_timeout_ms = 5'000;
};

// A framed TBinaryProtocol server. Nothing a peer sends changes the process's life or its memory
// beyond the limits above.
//
// The process must block SIGTERM and ignore SIGPIPE before it makes any thread (api/cli/serve
// does).
class Server {
 public:
  virtual ~Server() = default;  // stops at once if still running

  // The port it listens on.
  virtual int port() const = 0;

  // Accepts no more connections, lets requests under way finish and their replies leave (at most
  // drain_timeout_ms), then stops. Idempotent, from any thread.
  virtual void Drain() = 0;
};

// Makes the processor of one connection, which may thus remember what the connection said before.
// Called from any event loop.
using NewProcessor = std::function<std::shared_ptr<apache::thrift::TProcessor>()>;

// Binds, listens, and serves on threads of its own. Errors: AlreadyExists if the port is taken,
// InvalidArgument if the host does not resolve.
absl::StatusOr<std::unique_ptr<Server>> StartServer(NewProcessor new_processor,
                                                    const ServerOptions& options);
// The same with one processor for all connections.
absl::StatusOr<std::unique_ptr<Server>> StartServer(
    std::shared_ptr<apache::thrift::TProcessor> processor, const ServerOptions& options);

}  // namespace vitrine

#endif  // VITRINE_API_SERVER_SERVER_H_
