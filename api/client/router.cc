#include "api/client/router.h"

#include <utility>

#include "store/base/check.h"

namespace vitrine {
namespace {

bool AnotherMayAnswer(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

}  // namespace

StorefrontRouter::StorefrontRouter(std::vector<Endpoint> endpoints, const RouterOptions& options,
                                   const Clock* clock)
    : options_(options), clock_(clock) {
  CHECK(!endpoints.empty());
  for (Endpoint& endpoint : endpoints) peers_.push_back({std::move(endpoint), nullptr, 0});
}

// The next in turn that does not rest; the next in turn where all do.
StorefrontRouter::Peer& StorefrontRouter::Next() {
  const int64_t now_ns = clock_->SteadyNs();
  for (size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[turn_++ % peers_.size()];
    if (peer.rests_until_ns <= now_ns) return peer;
  }
  return peers_[turn_++ % peers_.size()];
}

absl::Status StorefrontRouter::CallOn(Peer& peer,
                                      const std::function<void(StorefrontClient&)>& call) {
  absl::Status status;
  if (peer.connection == nullptr) {
    auto opened = Connection<StorefrontClient>::Open(peer.endpoint.host, peer.endpoint.port,
                                                     options_.timeout_ms);
    status = opened.status();
    if (opened.ok()) peer.connection = *std::move(opened);
  }
  if (status.ok()) status = CatchThrift([&] { call(peer.connection->call()); });
  if (!AnotherMayAnswer(status)) return status;
  // After half an answer a connection is of no use; an Overloaded one costs a connect at worst.
  peer.connection = nullptr;
  peer.rests_until_ns = clock_->SteadyNs() + int64_t{options_.rest_ms} * 1'000'000;
  return status;
}

absl::Status StorefrontRouter::Call(const std::function<void(StorefrontClient&)>& call) {
  const absl::Status status = CallOn(Next(), call);
  if (!AnotherMayAnswer(status)) return status;
  ++retries_;
  Peer& second = Next();
  second.connection = nullptr;  // it may be from before a restart, and there is no third try
  return CallOn(second, call);
}

}  // namespace vitrine
