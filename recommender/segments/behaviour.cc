#include "recommender/segments/behaviour.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/container/flat_hash_set.h"

namespace vitrine {
namespace {

constexpr double kDayMs = 86'400'000;
constexpr double kMinorPerUnit = 100;

double PaidOf(const Event& event) {
  double minor = 0;
  for (const Item& item : event.items) {
    if (item.__isset.price_minor) minor += static_cast<double>(item.price_minor) * item.quantity;
  }
  return minor;
}

}  // namespace

std::optional<Behaviour> BehaviourOf(const CustomerProfile& profile, const SegmentWorld& world,
                                     absl::string_view currency, int64_t now_ms) {
  std::optional<int64_t> first_ms, last_ms;
  absl::flat_hash_set<absl::string_view> orders;
  double visits = 0, nameless_orders = 0, bought = 0, returned = 0;
  for (const Event& event : profile.events) {
    if (event.time_ms > now_ms) break;
    const bool counts = event.currency == currency;
    if (event.kind == EventKind::REFUND && counts) returned += PaidOf(event);
    if (!IsOwnDeed(event)) continue;
    if (!last_ms || event.time_ms - *last_ms > world.session_gap_ms) ++visits;
    if (!first_ms) first_ms = event.time_ms;
    last_ms = event.time_ms;
    if (event.kind != EventKind::PURCHASE) continue;
    if (counts) bought += PaidOf(event);
    if (event.__isset.order_id) {
      orders.insert(event.order_id);
    } else {
      ++nameless_orders;
    }
  }
  if (!first_ms) return std::nullopt;
  return Behaviour{std::log1p(static_cast<double>(now_ms - *last_ms) / kDayMs),
                   std::log1p(static_cast<double>(orders.size()) + nameless_orders),
                   std::log1p(bought / kMinorPerUnit),
                   bought > 0 ? std::min(1.0, returned / bought) : 0,
                   std::log1p(visits),
                   std::log1p(static_cast<double>(now_ms - *first_ms) / kDayMs)};
}

size_t NearestCentroid(const Clustering& clustering, const Behaviour& behaviour) {
  size_t nearest = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t c = 0; c < clustering.centroids.size(); ++c) {
    double distance = 0;
    for (size_t i = 0; i < kBehaviourSize; ++i) {
      const double z = (behaviour[i] - clustering.means[i]) / clustering.scales[i];
      distance += (z - clustering.centroids[c][i]) * (z - clustering.centroids[c][i]);
    }
    if (distance < least) {
      least = distance;
      nearest = c;
    }
  }
  return nearest;
}

}  // namespace vitrine
