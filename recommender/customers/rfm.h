// RFM: recency, frequency, monetary value of a customer, each as a score from 1 to 5 (Hughes,
// "Strategic Database Marketing", 1994).

#ifndef VITRINE_RECOMMENDER_CUSTOMERS_RFM_H_
#define VITRINE_RECOMMENDER_CUSTOMERS_RFM_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "recommender/customers/purchase_summary.h"

namespace vitrine {

constexpr int kRfmScores = 5;

// Each 1 (worst) to kRfmScores.
struct RfmScore {
  int recency = 0, frequency = 0, monetary = 0;

  bool operator==(const RfmScore&) const = default;
};

// The score of each value: 1 + floor(kRfmScores * (values that are lower) / (values)). Equal values
// thus have equal scores, the lowest 1; where many are equal, scores above theirs stay empty, and
// no score depends on the order of customers. O(n log n).
std::vector<int> QuantileScores(std::span<const double> values);

// By the day of the last purchase (later is better), the days with a purchase, and what was paid in
// all less what was paid back.
std::vector<RfmScore> ScoreRfm(std::span<const PurchaseSummary> customers);

// Customers of each recency (row, 1 first) and frequency (column).
struct RfmCell {
  int64_t customers = 0;
  double net_minor = 0;
};
using RfmGrid = std::array<std::array<RfmCell, kRfmScores>, kRfmScores>;

// REQUIRES: as many scores as customers.
RfmGrid FillRfmGrid(std::span<const RfmScore> scores, std::span<const PurchaseSummary> customers);

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_CUSTOMERS_RFM_H_
