#include "api/service/live_visits.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "recommender/model/clicks.h"
#include "store/base/limits.h"
#include "store/key_format.h"

namespace vitrine {

void LiveVisits::Add(std::span<const Event> events, const WeightSettings& weights, int64_t now_ms,
                     int64_t gap_ms) {
  absl::MutexLock lock(&mutex_);
  for (const Event& event : events) {
    if (now_ms - event.time_ms > gap_ms) continue;
    const bool clicked = weights.Of(event.kind) > 0 && !event.items.empty();
    const bool nobody = !event.__isset.visitor_id && !event.__isset.customer_id;
    if (nobody || (!clicked && event.kind != LOGIN)) continue;
    Visit& visit = Find(event, gap_ms);
    visit.last_ms = std::max(visit.last_ms, event.time_ms);
    if (event.__isset.customer_id) visit.customer = event.customer_id;
    if (!clicked) continue;
    for (const Item& item : event.items) AppendClick(event.kind, item.product_id, &visit.clicks);
    if (visit.clicks.size() > limits::kSessionClicksMax) {
      visit.clicks.erase(visit.clicks.begin(), visit.clicks.end() - limits::kSessionClicksMax);
    }
  }
}

LiveVisits::Visit& LiveVisits::Find(const Event& event, int64_t gap_ms) {
  std::string key =
      keys::PersonPrefix(event.__isset.visitor_id ? Person::Visitor(event.visitor_id)
                                                  : Person::Customer(event.customer_id));
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    visits_.splice(visits_.end(), visits_, found->second);
    Visit& visit = visits_.back();
    if (event.time_ms - visit.last_ms > gap_ms) {
      ended_.push_back(std::exchange(visit.clicks, {}));
    }
    return visit;
  }
  if (visits_.size() >= visits_max_) EndOldest();
  visits_.push_back({.key = key, .customer = "", .last_ms = event.time_ms});
  by_key_.emplace(std::move(key), std::prev(visits_.end()));
  return visits_.back();
}

void LiveVisits::EndOldest() {
  by_key_.erase(visits_.front().key);
  ended_.push_back(std::move(visits_.front().clicks));
  visits_.pop_front();
}

std::vector<EndedVisit> LiveVisits::TakeEnded(int64_t now_ms, int64_t gap_ms) {
  absl::MutexLock lock(&mutex_);
  while (!visits_.empty() && now_ms - visits_.front().last_ms > gap_ms) EndOldest();
  std::erase_if(ended_, [](const EndedVisit& clicks) { return clicks.size() < 2; });
  return std::exchange(ended_, {});
}

void LiveVisits::Forget(absl::string_view customer_id) {
  absl::MutexLock lock(&mutex_);
  ended_.clear();  // one of these may be theirs
  for (auto visit = visits_.begin(); visit != visits_.end();) {
    const auto next = std::next(visit);
    if (visit->customer == customer_id) {
      by_key_.erase(visit->key);
      visits_.erase(visit);
    }
    visit = next;
  }
}

}  // namespace vitrine
