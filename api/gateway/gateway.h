// HTTP/JSON for browsers and for those who cannot speak Thrift: the storefront API on a port of its
// own. Nothing a peer sends changes the process's life, its memory beyond named limits
// (store/base/limits.h), or the service of others.

#ifndef VITRINE_API_GATEWAY_GATEWAY_H_
#define VITRINE_API_GATEWAY_GATEWAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "api/gateway/http_api.h"
#include "store/base/limits.h"

namespace vitrine {

struct GatewayOptions {
  std::string host = "127.0.0.1";  // the address to bind; loopback unless told otherwise
  int port = 0;                    // 0: any free one
  std::string shop_directory;      // a static page to serve at / and /shop/; empty: none
  size_t io_threads = 2;
  // Threads that run handlers: those that ask, and those that wait for the disk. Behind each wait
  // at most limits::kHttpWaitingMax requests; one more is refused at once.
  size_t ask_threads = 2;
  size_t track_threads = 8;
  size_t connections_max = limits::kHttpConnectionsMax;  // one more is closed on arrival
  // Each phase of a connection has its own time, whatever arrives in it: a peer that drips bytes is
  // closed like one that sends none.
  int64_t idle_timeout_ms = 60'000;   // between requests
  int64_t header_timeout_ms = 5'000;  // from the first byte of a request to the end of its headers
  int64_t body_timeout_ms = 10'000;
  int64_t write_timeout_ms = 10'000;
  int64_t drain_timeout_ms = 5'000;
};

class Gateway {
 public:
  virtual ~Gateway() = default;  // stops at once if still running

  virtual int port() const = 0;

  // Accepts no more connections, closes those that are idle, answers the requests whose first byte
  // has arrived (at most drain_timeout_ms), then stops. Idempotent; from any thread but its own.
  virtual void Drain() = 0;
};

// Binds, listens, and serves on threads of its own. Errors: AlreadyExists if the port is taken,
// InvalidArgument if the host does not resolve, those of ShopFiles::Read. The process must ignore
// SIGPIPE.
absl::StatusOr<std::unique_ptr<Gateway>> StartGateway(GatewayParts parts,
                                                      const GatewayOptions& options);

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_GATEWAY_H_
