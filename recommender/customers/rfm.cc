#include "recommender/customers/rfm.h"

#include <algorithm>

#include "store/base/check.h"

namespace vitrine {

std::vector<int> QuantileScores(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> scores;
  scores.reserve(values.size());
  for (const double value : values) {
    const auto lower = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
    scores.push_back(1 + static_cast<int>(kRfmScores * static_cast<size_t>(lower) / sorted.size()));
  }
  return scores;
}

std::vector<RfmScore> ScoreRfm(std::span<const PurchaseSummary> customers) {
  std::vector<double> recency, frequency, monetary;
  for (const PurchaseSummary& customer : customers) {
    recency.push_back(customer.last_day);
    frequency.push_back(static_cast<double>(customer.history.purchases));
    monetary.push_back(static_cast<double>(customer.net_minor()));
  }
  const std::vector<int> r = QuantileScores(recency);
  const std::vector<int> f = QuantileScores(frequency);
  const std::vector<int> m = QuantileScores(monetary);
  std::vector<RfmScore> scores;
  for (size_t i = 0; i < customers.size(); ++i) scores.push_back({r[i], f[i], m[i]});
  return scores;
}

RfmGrid FillRfmGrid(std::span<const RfmScore> scores, std::span<const PurchaseSummary> customers) {
  CHECK(scores.size() == customers.size());
  RfmGrid grid = {};
  for (size_t i = 0; i < scores.size(); ++i) {
    RfmCell& cell = grid[static_cast<size_t>(scores[i].recency - 1)]
                        [static_cast<size_t>(scores[i].frequency - 1)];
    ++cell.customers;
    cell.net_minor += static_cast<double>(customers[i].net_minor());
  }
  return grid;
}

}  // namespace vitrine
