// Calls on several servers that answer alike (copies of one shop's data), so that one of them can
// be restarted without a shop's page noticing.
//
//   StorefrontRouter router({{"10.0.0.1", 9090}, {"10.0.0.2", 9090}});
//   absl::Status asked = router.Call([&](StorefrontClient& call) { call.recommend(reply, request);
//   });

#ifndef VITRINE_API_CLIENT_ROUTER_H_
#define VITRINE_API_CLIENT_ROUTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "api/client/client.h"
#include "store/base/clock.h"

namespace vitrine {

struct Endpoint {
  std::string host;
  int port = 0;
};

struct RouterOptions {
  int timeout_ms = 1000;  // of a connect, and of each read and write; 0: no bound
  // A server that could not answer is not asked again for so long, unless no other one can.
  int rest_ms = 500;
};

// One thread at a time: have one for each. Keeps one connection to each server, and asks them in
// turn.
class StorefrontRouter {
 public:
  // REQUIRES: at least one endpoint. Connects when it has to.
  explicit StorefrontRouter(std::vector<Endpoint> endpoints, const RouterOptions& options = {},
                            const Clock* clock = &Clock::System());

  // Does `call` on one server; where that is gone, going, or has no room (Unavailable, Overloaded),
  // once more on the next one. What the last one said otherwise, as CatchThrift has it. For what is
  // asked: what is told (`track`) belongs to the one server whose data the others are copies of.
  absl::Status Call(const std::function<void(StorefrontClient&)>& call);

  // Calls that were done a second time.
  int64_t retries() const { return retries_; }

 private:
  struct Peer {
    Endpoint endpoint;
    std::unique_ptr<Connection<StorefrontClient>> connection;  // null: not connected
    int64_t rests_until_ns = 0;                                // steady
  };

  Peer& Next();
  absl::Status CallOn(Peer& peer, const std::function<void(StorefrontClient&)>& call);

  const RouterOptions options_;
  const Clock* const clock_;
  std::vector<Peer> peers_;
  size_t turn_ = 0;
  int64_t retries_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_API_CLIENT_ROUTER_H_
