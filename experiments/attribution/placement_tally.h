// What shelves were shown and what came of them, added up by placement, source, rule, arm or
// position.

#ifndef VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_TALLY_H_
#define VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_TALLY_H_

#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "experiments/attribution/credit.h"
#include "store/records_types.h"

namespace vitrine {

enum class PlacementKey { kPlacement, kSource, kRule, kArm, kPosition };

// "placement", "source", "rule", "arm", "position".
absl::string_view PlacementKeyName(PlacementKey key);

struct ShownCounts {
  int64_t shelves = 0;                           // that show a product of this group
  int64_t shown = 0;                             // products, each time
  int64_t clicked = 0;                           // of those: clicked at least once
  int64_t carted = 0;                            // put into the cart at least once
  int64_t orders = 0;                            // with a product that is credited here
  std::map<std::string, int64_t> revenue_minor;  // by currency: purchases less refunds
};

// Times are those of shelves, from `from_ms` (inclusive) until `to_ms` (exclusive): what came of
// these counts, whenever it came.
struct ShownPeriod {
  int64_t from_ms = std::numeric_limits<int64_t>::min();
  int64_t to_ms = std::numeric_limits<int64_t>::max();

  bool Holds(const Exposure& shelf) const {
    return from_ms <= shelf.time_ms && shelf.time_ms < to_ms;
  }
};

class PlacementTally {
 public:
  // No keys: everything is one group.
  PlacementTally(std::vector<PlacementKey> by, ShownPeriod period)
      : by_(std::move(by)), period_(period) {}

  // A shelf outside of the period is passed over. ResourceExhausted if there are more than
  // limits::kReportGroupsMax groups.
  absl::Status AddShelf(const Exposure& shelf);

  // What CreditEvents made of one person's shelves and events.
  absl::Status AddCredits(std::span<const Exposure> shelves, std::span<const Event> events,
                          const Crediting& crediting);

  // By the values of the keys: a placement, a source's name, a rule and arms as in "experiment:arm"
  // (empty: none), a position from 1 in three digits.
  const std::map<std::vector<std::string>, ShownCounts>& groups() const { return groups_; }
  const std::vector<PlacementKey>& by() const { return by_; }

 private:
  absl::Status Find(const Exposure& shelf, size_t position, ShownCounts** counts);

  const std::vector<PlacementKey> by_;
  const ShownPeriod period_;
  std::map<std::vector<std::string>, ShownCounts> groups_;
};

}  // namespace vitrine

#endif  // VITRINE_EXPERIMENTS_ATTRIBUTION_PLACEMENT_TALLY_H_
