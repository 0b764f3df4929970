#include "recommender/offers/tally.h"

#include <algorithm>

#include <boost/math/distributions/beta.hpp>

namespace vitrine {
namespace {

// What is thought before anything is counted.
constexpr double kOrdersBefore = 1;
constexpr double kDecisionsBefore = 20;

// The posterior hardly moves between decisions: it is worked out again after so large a part more.
constexpr int64_t kStalePart = 100;

}  // namespace

bool OfferTally::AddDecision(absl::string_view person, std::span<const std::string> offers,
                             int64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  Close(now_ms);
  const auto [open, is_new] = open_.try_emplace(std::string(person));
  if (!is_new) return false;
  in_order_.push_back(open->first);
  open->second.begun_ms = now_ms;
  open->second.offers.assign(offers.begin(), offers.end());
  ++decisions_;
  if (offers.empty()) ++control_.decisions;
  for (const std::string& offer : offers) {
    Row& row = rows_[offer];
    ++row.counts.decisions;
  }
  return true;
}

bool OfferTally::AddOrder(absl::string_view person, int64_t now_ms) {
  absl::MutexLock lock(&mutex_);
  const auto open = open_.find(person);
  if (open == open_.end() || open->second.ordered) return false;
  if (now_ms - open->second.begun_ms >= kDayMs) return false;
  open->second.ordered = true;
  if (open->second.offers.empty()) ++control_.orders;
  for (const std::string& offer : open->second.offers) {
    Row& row = rows_[offer];
    ++row.counts.orders;
    row.worked_out_at = 0;
  }
  return true;
}

void OfferTally::Close(int64_t now_ms) {
  while (!in_order_.empty()) {
    const auto oldest = open_.find(in_order_.front());
    const bool is_over = now_ms - oldest->second.begun_ms >= kDayMs;
    if (!is_over && open_.size() < kOpenMax) return;
    open_.erase(oldest);
    in_order_.pop_front();
  }
}

OfferCounts OfferTally::Of(absl::string_view offer) const {
  absl::MutexLock lock(&mutex_);
  const auto row = rows_.find(offer);
  return row == rows_.end() ? OfferCounts() : row->second.counts;
}

OfferCounts OfferTally::Control() const {
  absl::MutexLock lock(&mutex_);
  return control_;
}

double OfferTally::Baseline() const {
  return (kOrdersBefore + static_cast<double>(control_.orders)) /
         (kDecisionsBefore + static_cast<double>(control_.decisions));
}

OfferOdds OfferTally::OddsOf(absl::string_view offer) const {
  absl::MutexLock lock(&mutex_);
  OfferOdds odds;
  odds.buys_without = Baseline();
  Row& row = rows_[offer];
  const int64_t stale_after = row.worked_out_at + row.worked_out_at / kStalePart;
  if (row.worked_out_at == 0 || decisions_ + 1 > stale_after) {
    const auto orders = static_cast<double>(row.counts.orders);
    const auto decisions = static_cast<double>(row.counts.decisions);
    const boost::math::beta_distribution<double> posterior(
        kDecisionsBefore * odds.buys_without + orders,
        kDecisionsBefore * (1 - odds.buys_without) + decisions - orders);
    const double t = kDecisionsBefore + static_cast<double>(decisions_);
    row.upper = boost::math::quantile(posterior, 1 - 1 / t);
    row.worked_out_at = decisions_ + 1;
  }
  odds.buys_with = row.upper;
  return odds;
}

}  // namespace vitrine
