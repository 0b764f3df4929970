// track on the wire, as the server queues it: a turn for each site, one sync for each turn.

#ifndef VITRINE_API_SERVICE_TRACK_METHOD_H_
#define VITRINE_API_SERVICE_TRACK_METHOD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"

#include "api/auth/gatekeeper.h"
#include "api/server/queued_method.h"
#include "api/service/storefront.h"

namespace vitrine {

class TrackMethod final : public QueuedMethod {
 public:
  // Both outlive it. `gatekeeper` may be null: everybody may.
  explicit TrackMethod(Storefront* storefront, const Gatekeeper* gatekeeper = nullptr)
      : storefront_(*storefront), gatekeeper_(gatekeeper) {}

  absl::string_view name() const override { return "track"; }
  // None for a site that is not there or a deadline that is none: such calls never wait.
  std::optional<Turn> TurnOf(apache::thrift::protocol::TProtocol& arguments) const override;
  std::unique_ptr<Call> NewCall(int64_t arrived_ns) override;
  void Run(std::span<Call* const> calls) override;

 private:
  Storefront& storefront_;
  const Gatekeeper* const gatekeeper_;
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_TRACK_METHOD_H_
