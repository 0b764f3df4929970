#include "recommender/rank/trends.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/product_facts.h"

namespace vitrine {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr size_t kProductsPerLook = 256;  // that a writer waits for
constexpr double kHalfLifeHoursMax = 100.0 * 365 * 24;

struct Window {
  TrendList list;
  int32_t days;  // before today
};
constexpr Window kWindows[] = {
    {TrendList::kDay, 1}, {TrendList::kWeek, 7}, {TrendList::kMonth, 30}};

// log2(2^a + 2^b).
double LogAdd(double a, double b) {
  if (a < b) std::swap(a, b);
  if (a == -std::numeric_limits<double>::infinity()) return a;
  return a + std::log1p(std::exp2(b - a)) * std::numbers::log2e;
}

// Times are within limits::kTimeMs*, but nothing here depends on it.
int32_t DayOf(int64_t time_ms) {
  const int64_t day = time_ms / kDayMs - (time_ms % kDayMs < 0 ? 1 : 0);
  return static_cast<int32_t>(std::clamp<int64_t>(day, INT32_MIN / 2, INT32_MAX / 2));
}

absl::Status Validate(const TrendSettings& s) {
  if (!(s.half_life_hours > 0 && s.half_life_hours < s.usual_half_life_hours &&
        s.usual_half_life_hours <= kHalfLifeHoursMax)) {
    return absl::InvalidArgumentError(
        absl::StrCat("half_life_hours: ", s.half_life_hours, " is not above 0 and below ",
                     "usual_half_life_hours, ", s.usual_half_life_hours));
  }
  if (!(s.doubt > 0) || std::isinf(s.doubt)) {
    return absl::InvalidArgumentError(absl::StrCat("doubt: ", s.doubt, " is not above 0"));
  }
  if (s.list_length == 0) return absl::InvalidArgumentError("list_length: must be at least 1");
  if (s.refresh_ms < 0) return absl::InvalidArgumentError("refresh_ms: must not be negative");
  return absl::OkStatus();
}

}  // namespace

std::span<const Scored> TrendLists::Of(TrendList list, absl::string_view category) const {
  const auto found = by_category_.find(category);
  if (found == by_category_.end()) return {};
  return found->second[static_cast<size_t>(list)];
}

absl::StatusOr<std::unique_ptr<Trends>> Trends::Make(const TrendSettings& settings,
                                                     const Clock* clock) {
  if (const absl::Status status = Validate(settings); !status.ok()) return status;
  return std::unique_ptr<Trends>(new Trends(settings, clock));
}

Trends::Trends(const TrendSettings& settings, const Clock* clock)
    : settings_(settings),
      half_life_ms_(settings.half_life_hours * kHourMs),
      usual_half_life_ms_(settings.usual_half_life_hours * kHourMs),
      clock_(clock),
      lists_(std::make_shared<const TrendLists>()) {}

void Trends::Add(std::span<const Event> events) {
  const int64_t latest_ms = clock_->NowMs() + limits::kEventFutureMsMax;
  absl::MutexLock lock(&mutex_);
  for (const Event& event : events) {
    // One event from the year 2100 would outweigh everything until then.
    if (event.time_ms > latest_ms || event.weight == 0 ||
        event.product >= limits::kCatalogueProductsMax) {
      continue;
    }
    Product* const product = FindOrMake(event.product);
    const double log_weight = std::log2(event.weight);
    const auto time_ms = static_cast<double>(event.time_ms);
    product->recent = LogAdd(product->recent, time_ms / half_life_ms_ + log_weight);
    product->usual = LogAdd(product->usual, time_ms / usual_half_life_ms_ + log_weight);
    Count(DayOf(event.time_ms), event.weight, product);
  }
}

Trends::Product* Trends::FindOrMake(uint32_t product) {
  if (product >= products_.size()) products_.resize(size_t{product} + 1);
  return &products_[product];
}

// What a day's count is does not depend on the order: one that has left the ring would not have
// been counted either had it come now.
void Trends::Count(int32_t day, uint32_t weight, Product* product) {
  if (product->days == kNone) {
    product->days = static_cast<uint32_t>(days_.size());
    product->newest_day = day;
    days_.emplace_back();
  }
  const int64_t ahead = int64_t{day} - product->newest_day;
  if (ahead <= -kRingDays) return;
  Days& days = days_[product->days];
  for (int64_t d = 1; d <= std::min(ahead, kRingDays); ++d) {
    days[static_cast<size_t>(product->newest_day + d) % kRingDays] = 0;
  }
  product->newest_day = std::max(product->newest_day, day);
  uint32_t& count = days[static_cast<size_t>(day) % kRingDays];
  count += std::min(weight, UINT32_MAX - count);
}

uint64_t Trends::Sum(const Product& product, int32_t first, int32_t last) const {
  const Days& days = days_[product.days];
  uint64_t sum = 0;
  const int64_t begin = std::max(int64_t{first}, product.newest_day - kRingDays + 1);
  for (int64_t d = begin; d <= std::min(last, product.newest_day); ++d) {
    sum += days[static_cast<size_t>(d) % kRingDays];
  }
  return sum;
}

void Trends::SetCategory(uint32_t product, absl::string_view category) {
  if (product >= limits::kCatalogueProductsMax) return;
  absl::MutexLock lock(&mutex_);
  FindOrMake(product)->category = category.empty() ? kNone : CategoryNumber(category);
}

uint32_t Trends::CategoryNumber(absl::string_view name) {
  uint32_t above = kNone;
  for (size_t end = 0; end < name.size();) {
    end = std::min(name.find(kCategorySeparator, end), name.size());
    const auto [entry, is_new] = category_numbers_.try_emplace(
        name.substr(0, end), static_cast<uint32_t>(categories_.size()));
    if (is_new) categories_.push_back({entry->first, above});
    above = entry->second;
    end += kCategorySeparator.size();
  }
  return above;
}

bool Trends::Refresh() {
  if (!refresh_mutex_.TryLock()) return false;
  const int64_t now_ms = clock_->NowMs();
  const std::shared_ptr<const TrendLists> old = lists();
  // A clock that was set back must not keep old lists for as long.
  const bool due = now_ms < old->made_at_ms() || now_ms - settings_.refresh_ms >= old->made_at_ms();
  if (due) {
    std::vector<Standing> standings = Look(now_ms);
    Rise(&standings);
    std::shared_ptr<const TrendLists> made = Rank(std::move(standings), now_ms);
    absl::MutexLock lock(&lists_mutex_);
    lists_ = std::move(made);
  }
  refresh_mutex_.Unlock();
  return due;
}

std::shared_ptr<const TrendLists> Trends::lists() const {
  absl::MutexLock lock(&lists_mutex_);
  return lists_;
}

// Products are looked at a few at a time, so that Add does not wait for all of them: those counted
// late may have an event more.
std::vector<Trends::Standing> Trends::Look(int64_t now_ms) const {
  const int32_t today = DayOf(now_ms);
  const auto now = static_cast<double>(now_ms);
  std::vector<Standing> standings;
  for (size_t first = 0;; first += kProductsPerLook) {
    absl::MutexLock lock(&mutex_);
    const size_t end = std::min(first + kProductsPerLook, products_.size());
    for (size_t p = first; p < end; ++p) {
      const Product& product = products_[p];
      if (product.days == kNone) continue;
      Standing& standing = standings.emplace_back();
      standing.product = static_cast<uint32_t>(p);
      standing.category = product.category;
      standing.recent = std::exp2(product.recent - now / half_life_ms_);
      standing.usual = std::exp2(product.usual - now / usual_half_life_ms_);
      for (const Window& window : kWindows) {
        standing.score[static_cast<size_t>(window.list)] =
            static_cast<float>(Sum(product, today - window.days, today));
      }
    }
    if (end == products_.size()) return standings;
  }
}

void Trends::Rise(std::vector<Standing>* standings) const {
  double recent = 0, usual = 0;
  for (const Standing& s : *standings) {
    recent += s.recent;
    usual += s.usual;
  }
  for (Standing& s : *standings) {
    const double expected = usual > 0 ? s.usual * (recent / usual) : 0;
    s.score[static_cast<size_t>(TrendList::kRising)] =
        static_cast<float>((s.recent - expected) / std::sqrt((expected + settings_.doubt) / 2));
  }
}

std::shared_ptr<const TrendLists> Trends::Rank(std::vector<Standing> standings,
                                               int64_t now_ms) const {
  auto lists = std::make_shared<TrendLists>();
  lists->made_at_ms_ = now_ms;
  // Room for each category that there is by now. Entries stay where they are from here on.
  std::vector<TrendLists::Lists*> of_category;
  std::vector<uint32_t> above;
  {
    absl::MutexLock lock(&mutex_);
    lists->by_category_.reserve(categories_.size() + 1);
    for (const Category& category : categories_) {
      of_category.push_back(&lists->by_category_[category.name]);
      above.push_back(category.above);
    }
  }
  TrendLists::Lists* const of_all = &lists->by_category_[""];
  for (size_t list = 0; list < kTrendLists; ++list) {
    const auto best_first = [list](const Standing& a, const Standing& b) {
      return a.score[list] != b.score[list] ? a.score[list] > b.score[list] : a.product < b.product;
    };
    std::sort(standings.begin(), standings.end(), best_first);
    for (const Standing& s : standings) {
      if (!(s.score[list] > 0)) break;
      const auto append = [&](TrendLists::Lists* to) {
        std::vector<Scored>& ranked = (*to)[list];
        if (ranked.size() < settings_.list_length) ranked.push_back({s.product, s.score[list]});
      };
      append(of_all);
      for (uint32_t c = s.category; c != kNone; c = above[c]) append(of_category[c]);
    }
  }
  return lists;
}

}  // namespace vitrine
