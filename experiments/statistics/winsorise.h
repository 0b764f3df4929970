// Outliers: one customer who buys for a thousand would otherwise decide the test. Values beyond a
// cap count as the cap.

#ifndef VITRINE_EXPERIMENTS_STATISTICS_WINSORISE_H_
#define VITRINE_EXPERIMENTS_STATISTICS_WINSORISE_H_

#include <algorithm>
#include <limits>
#include <vector>

namespace vitrine::experiments {

// The same for all arms; of a ratio, values and denominators have a pair each, taken over the same
// units. Must not depend on what an arm did: taken from the time before, or pooled over all arms.
struct Caps {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  double Capped(double value) const { return std::clamp(value, low, high); }
};

// From the values of the units of all arms together, zeros too (takes them, for it reorders them):
// the smallest value that at least `low` resp. `high` of them do not exceed. 0 and 1 leave that
// side as it is. O(n). No values: no caps. REQUIRES: 0 <= low <= high <= 1.
Caps PooledCaps(std::vector<double> values, double low, double high);

}  // namespace vitrine::experiments

#endif  // VITRINE_EXPERIMENTS_STATISTICS_WINSORISE_H_
