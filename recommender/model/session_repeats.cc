#include "recommender/model/session_repeats.h"

#include <algorithm>

#include "store/base/limits.h"

namespace vitrine {
namespace {

constexpr double kPriorAsked = 10;
constexpr double kPriorCame = 0.1;

size_t DistanceBucket(uint32_t distance) {
  if (distance < 12) return distance;
  return distance < 16 ? 12 : distance < 24 ? 13 : 14;
}

size_t LengthBucket(size_t clicks) {
  size_t bucket = 0;
  for (size_t upto = 1; upto < clicks && bucket < 5; upto *= 2) ++bucket;
  return bucket;
}

}  // namespace

void ListSeen(std::span<const uint32_t> clicks, std::vector<Seen>* seen) {
  clicks = clicks.last(std::min(clicks.size(), limits::kSessionClicksMax));
  seen->clear();
  for (size_t back = 0; back < clicks.size(); ++back) {
    const uint32_t product = clicks[clicks.size() - 1 - back];
    const auto known = std::find_if(seen->begin(), seen->end(),
                                    [&](const Seen& one) { return one.product == product; });
    if (known != seen->end()) {
      ++known->count;
    } else {
      seen->push_back({product, static_cast<uint32_t>(back), 1});
    }
  }
}

size_t RepeatTable::CellOf(const Seen& seen, size_t session_clicks) {
  const size_t count = std::min<size_t>(seen.count, kCounts) - 1;
  return (DistanceBucket(seen.distance) * kCounts + count) * kLengths +
         LengthBucket(session_clicks);
}

void RepeatTable::Count(std::span<const uint32_t> clicks, int64_t sign) {
  seen_.clear();
  // seen_[i].distance is the position of the last click here, so that going one click further
  // changes one entry.
  for (size_t next = 0; next < clicks.size(); ++next) {
    auto known = seen_.end();
    for (auto one = seen_.begin(); one != seen_.end(); ++one) {
      const bool came = one->product == clicks[next];
      const auto distance = static_cast<uint32_t>(next - 1 - one->distance);
      Cell& cell = cells_[CellOf({one->product, distance, one->count}, next)];
      cell.asked += sign;
      if (came) {
        cell.came += sign;
        known = one;
      }
    }
    if (known == seen_.end()) {
      seen_.push_back({clicks[next], static_cast<uint32_t>(next), 1});
    } else {
      known->distance = static_cast<uint32_t>(next);
      ++known->count;
    }
  }
}

float RepeatTable::Probability(const Seen& seen, size_t session_clicks) const {
  const Cell& cell = cells_[CellOf(seen, session_clicks)];
  return static_cast<float>((kPriorCame + static_cast<double>(cell.came)) /
                            (kPriorAsked + static_cast<double>(cell.asked)));
}

}  // namespace vitrine
