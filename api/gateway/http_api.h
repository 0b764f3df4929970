// The storefront API as HTTP: routes, JSON, status codes, keys, CORS. No sockets: a request in, a
// reply out.

#ifndef VITRINE_API_GATEWAY_HTTP_API_H_
#define VITRINE_API_GATEWAY_HTTP_API_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/Storefront.h"
#include "api/gateway/http_message.h"
#include "api/gateway/shop_files.h"
#include "api/metrics/server_counts.h"
#include "store/base/clock.h"

namespace vitrine {

// What the gateway speaks for. The functions are called from many threads at once.
struct GatewayParts {
  StorefrontIf* storefront = nullptr;  // outlives the gateway
  // /readyz: OK while requests can be answered. Absent: always.
  std::function<absl::Status()> ready;
  // /metrics: Prometheus' text format, as much of it as whoever shows this key (empty: none) may
  // see; an error of Gatekeeper::Check. Absent: there is no such page.
  std::function<absl::StatusOr<std::string>(const std::string& key)> metrics;
  // What the gateway sees is counted there: routes by their paths, outcomes by the numbers of the
  // Storefront's exceptions. Null: for itself.
  std::shared_ptr<ServerCounts> counts = nullptr;
  // Hosts whose pages may ask for this site (SiteSettings.hosts; those below them may too); of the
  // empty site, those of all. Absent: none but the gateway's own.
  std::function<std::vector<std::string>(const std::string& site)> hosts;
  const Clock* clock = &Clock::System();
};

struct HttpRoute {
  const char* path;
  const char* methods;  // "GET POST"; HEAD goes with GET, OPTIONS with all
};

class HttpApi {
 public:
  HttpApi(GatewayParts parts, ShopFiles shop);

  // Where a request is to run. kAtOnce waits for nothing; kTrack waits for the disk.
  enum class Kind { kAtOnce, kAsk, kTrack };
  static Kind KindOf(const HttpRequest& request);
  // The path of its route, as Routes() has it; "files" for all others.
  static absl::string_view RouteOf(const HttpRequest& request);

  // Answers it; `waited_ms` of its deadline have passed already. Never throws. Thread-safe.
  HttpReply Handle(const HttpRequest& request, int64_t waited_ms = 0) const;

  // All but the page's files.
  static std::vector<HttpRoute> Routes();

 private:
  struct Call;
  struct RouteEntry;
  static const std::vector<RouteEntry>& RouteTable();
  static const RouteEntry* FindRoute(absl::string_view path);

  HttpReply Dispatch(Call* call) const;
  HttpReply Preflight(const Call& call, const std::string& methods) const;
  HttpReply Events(Call* call) const;
  HttpReply ForeignEvents(Call* call, TrackRequest request) const;
  HttpReply Recommendations(Call* call) const;
  HttpReply Page(Call* call) const;
  HttpReply Offers(Call* call) const;
  HttpReply Health(Call* call) const;
  HttpReply Ready(Call* call) const;
  HttpReply Metrics(Call* call) const;
  HttpReply OpenApi(Call* call) const;
  HttpReply Script(Call* call) const;

  bool OriginMayAsk(const Call& call) const;
  // Reads the request of a call from its query or its body, with its key and what is left of its
  // deadline. Throws InvalidRequest, DeadlineExceeded.
  template <typename Request>
  void ReadRequest(Call* call, absl::string_view name, Request* request) const;
  void Complete(const Call& call, Context* context) const;

  const GatewayParts parts_;
  const ShopFiles shop_;
};

}  // namespace vitrine

#endif  // VITRINE_API_GATEWAY_HTTP_API_H_
