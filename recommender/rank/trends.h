// What is popular now: in the last day, week and month, and what is on the rise; of the whole shop
// and of each category. Counts of products only: nobody can be found in them.
//
// Weights are decayed towards the future instead of into the past (Cormode, Shkapenyuk, Srivastava,
// Xu: "Forward Decay", ICDE 2009): of a product with events of weight w at times t, the logarithm
//     y = log2(sum w 2^(t / half_life))
// is kept, and 2^(y - now / half_life) is its decayed weight at any time. So an event that comes
// late counts as if it had been in time, nothing has to be swept, and no landmark has to be moved.
//
// Rising is not popular. Let R and U be the weights of a product with a short and with a long
// half-life, and E = U * (sum of all R) / (sum of all U): what R would be if the product had its
// usual share of what the shop does now, be it night or Christmas. As the decayed weight of
// Poisson events of mean E has a variance of E / 2 (Campbell's theorem on shot noise), a product
// rises by
//     rise = (R - E) / sqrt((E + doubt) / 2)
// standard deviations, where `doubt` stands for the events that its usual share might as well have
// had: three views of a product that nobody knew are no trend yet.
//
// Windows are daily counts (UTC), added up exactly: today so far, and the whole days before it.
//
// Memory: 32 bytes a product, 128 more for one that ever had an event, and up to 32 more for each
// level of category it is listed in. Readers hold lists that nobody changes any more, and wait for
// nobody; Add waits for some 256 products to be looked at, at most.

#ifndef VITRINE_RECOMMENDER_RANK_TRENDS_H_
#define VITRINE_RECOMMENDER_RANK_TRENDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "recommender/rank/retrieval.h"
#include "store/base/clock.h"
#include "store/base/limits.h"

namespace vitrine {

struct TrendSettings {
  double half_life_hours = 24;             // of what is going on now; above 0
  double usual_half_life_hours = 14 * 24;  // of what is usual; longer
  double doubt = 5;                        // in the unit of weights; above 0
  size_t list_length = limits::kSuggestionsMax;
  int64_t refresh_ms = 30'000;  // lists are at least this old before they are made anew
};

// Today so far and the 1, 7 or 30 days before it: the score is the weight of the events (a float,
// so exact up to 2^24). kRising: the score is `rise`, above 0.
enum class TrendList : uint8_t { kRising, kDay, kWeek, kMonth };
inline constexpr size_t kTrendLists = 4;

// The lists as they were at one time. Immutable.
class TrendLists {
 public:
  // Best first, equal ones by product; none without events. `category`: a whole one or the
  // beginning of a path ("garden" has what is in "garden > lamp"); empty: all products.
  std::span<const Scored> Of(TrendList list, absl::string_view category = {}) const;

  int64_t made_at_ms() const { return made_at_ms_; }

 private:
  friend class Trends;
  using Lists = std::array<std::vector<Scored>, kTrendLists>;

  int64_t made_at_ms_ = std::numeric_limits<int64_t>::min();
  absl::flat_hash_map<std::string, Lists> by_category_;
};

// Thread-safe.
class Trends {
 public:
  struct Event {
    uint32_t product = 0;  // any numbering that stays; below limits::kCatalogueProductsMax
    int64_t time_ms = 0;
    uint32_t weight = 1;  // events; or another unit, if all are in it
  };

  // InvalidArgument if a setting is out of range. `clock` must outlive it.
  static absl::StatusOr<std::unique_ptr<Trends>> Make(const TrendSettings& settings,
                                                      const Clock* clock);

  // In any order. Left out are events of a product out of range, of no weight, and of a time that
  // is further ahead than limits::kEventFutureMsMax. O(1) each.
  void Add(std::span<const Event> events);

  // A product is in no category until it is told; the last one counts. Empty: in none.
  void SetCategory(uint32_t product, absl::string_view category);

  // Makes the lists anew if they are old enough and nobody else is at it; whether it did. For a
  // thread in the background: O(products + n log n) for the n with events in the last month.
  bool Refresh();

  // As the last Refresh made them; at first, empty ones.
  std::shared_ptr<const TrendLists> lists() const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr int64_t kRingDays = 32;  // today, 30 before it, and tomorrow: clocks differ

  struct Product {
    double recent = -std::numeric_limits<double>::infinity();  // y of the short half-life
    double usual = -std::numeric_limits<double>::infinity();   // y of the long one
    uint32_t category = kNone;
    uint32_t days = kNone;   // in days_
    int32_t newest_day = 0;  // of the events, if there are any
  };
  // The count of day d, above newest_day - kRingDays, is at d % kRingDays.
  using Days = std::array<uint32_t, kRingDays>;
  struct Category {
    std::string name;
    uint32_t above;  // the category that this one is in, or kNone
  };
  // A product when lists are made.
  struct Standing {
    uint32_t product;
    uint32_t category;
    double recent, usual;
    std::array<float, kTrendLists> score;
  };

  Trends(const TrendSettings& settings, const Clock* clock);

  Product* FindOrMake(uint32_t product) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(int32_t day, uint32_t weight, Product* product) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t Sum(const Product& product, int32_t first, int32_t last) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint32_t CategoryNumber(absl::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Standing> Look(int64_t now_ms) const;
  void Rise(std::vector<Standing>* standings) const;
  std::shared_ptr<const TrendLists> Rank(std::vector<Standing> standings, int64_t now_ms) const;

  const TrendSettings settings_;
  const double half_life_ms_, usual_half_life_ms_;
  const Clock* const clock_;

  mutable absl::Mutex mutex_;
  std::deque<Product> products_ ABSL_GUARDED_BY(mutex_);  // grows without being moved
  std::deque<Days> days_ ABSL_GUARDED_BY(mutex_);
  std::deque<Category> categories_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, uint32_t> category_numbers_ ABSL_GUARDED_BY(mutex_);

  absl::Mutex refresh_mutex_;  // of whoever makes lists
  mutable absl::Mutex lists_mutex_;
  std::shared_ptr<const TrendLists> lists_ ABSL_GUARDED_BY(lists_mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_RANK_TRENDS_H_
