#include "experiments/statistics/winsorise.h"

#include <cmath>

#include "store/base/check.h"

namespace vitrine::experiments {
namespace {

double Quantile(std::vector<double>& values, double q) {
  const double rank = std::ceil(q * static_cast<double>(values.size()));
  const auto at = values.begin() + static_cast<ptrdiff_t>(std::max(1.0, rank)) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

Caps PooledCaps(std::vector<double> values, double low, double high) {
  CHECK(low >= 0 && low <= high && high <= 1) << low << ", " << high;
  Caps caps;
  if (values.empty()) return caps;
  if (low > 0) caps.low = Quantile(values, low);
  if (high < 1) caps.high = Quantile(values, high);
  return caps;
}

}  // namespace vitrine::experiments
