// What a server has to tell Prometheus. Nothing is counted here: everybody counts their own, in
// atomics, and this looks at them when it is asked. README.md lists the names.

#ifndef VITRINE_API_METRICS_METRICS_H_
#define VITRINE_API_METRICS_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "api/auth/gatekeeper.h"
#include "api/metrics/server_counts.h"
#include "api/service/health.h"
#include "api/service/site.h"
#include "store/base/clock.h"

namespace vitrine {

// All outlive it. Thread-safe.
class Metrics {
 public:
  struct Parts {
    const Sites* sites = nullptr;
    const Gatekeeper* gatekeeper = nullptr;
    bool keys_required = false;
    // By the name of the service.
    std::vector<std::pair<std::string, std::shared_ptr<const ServerCounts>>> servers;
    std::function<int64_t()> degraded;  // replies that less was done for
    const Clock* clock = &Clock::System();
  };

  explicit Metrics(Parts parts) : parts_(std::move(parts)) {}

  // Prometheus' text format 0.0.4: the process, its servers, and those sites whose figures `key`
  // (empty: none) opens. Where no key is required, whoever asks sees all. Unauthenticated if it
  // opens none. Some 150 us a site.
  absl::StatusOr<std::string> Text(const std::string& key) const;

  // The same in a few numbers.
  ProcessFacts Facts() const;

 private:
  const Parts parts_;
};

}  // namespace vitrine

#endif  // VITRINE_API_METRICS_METRICS_H_
