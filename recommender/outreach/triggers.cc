#include "recommender/outreach/triggers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

class Finder {
 public:
  Finder(const Trigger& trigger, const TriggerFacts& facts) : trigger_(trigger), facts_(facts) {}

  std::vector<Cause> Find() && {
    switch (trigger_.kind) {
      case CART_ABANDONED:
        FindCart();
        break;
      case BACK_IN_STOCK:
      case PRICE_DROP:
        FindChanges();
        break;
      case LAPSE_RISK:
        FindLapse();
        break;
      case BUY_AGAIN_DUE:
        FindBuyAgain();
        break;
      case BIRTHDAY:
        FindBirthday();
        break;
      case FIRST_ORDER:
        FindFirstOrder();
        break;
    }
    return std::move(causes_);
  }

 private:
  void Add(absl::string_view what, int64_t when, int64_t due_ms,
           std::vector<std::string> products) {
    Cause cause;
    cause.due_ms = due_ms;
    cause.until_ms = due_ms + trigger_.valid_hours * kHourMs;
    if (cause.until_ms <= facts_.now_ms) return;
    const std::string text =
        absl::StrCat(facts_.customer_id, absl::string_view("\0", 1), what, "@", when);
    cause.id =
        absl::StrCat(trigger_.id, "-", absl::BytesToHexString(keys::EventIdKey(text).substr(8)));
    cause.products = std::move(products);
    causes_.push_back(std::move(cause));
  }

  void FindCart() {
    std::map<std::string, int64_t> cart;
    int64_t last_ms = 0;
    for (auto event = facts_.events.rbegin(); event != facts_.events.rend(); ++event) {
      if (event->kind == PURCHASE) cart.clear();
      const bool puts = event->kind == ADD_TO_CART;
      if (!puts && event->kind != REMOVE_FROM_CART) continue;
      for (const Item& item : event->items) {
        int64_t& quantity = cart[item.product_id];
        quantity += puts ? item.quantity : -item.quantity;
        if (quantity <= 0) cart.erase(item.product_id);
      }
      if (puts) last_ms = event->time_ms;
    }
    if (cart.empty()) return;
    std::vector<std::string> products;
    for (const auto& [product, quantity] : cart) products.push_back(product);
    Add("cart", last_ms, last_ms + trigger_.delay_minutes * kMinuteMs, std::move(products));
  }

  void FindChanges() {
    for (const ProductChange& change : facts_.changes) {
      const int64_t time_ms = trigger_.kind == BACK_IN_STOCK ? change.back_ms : change.drop_ms;
      if (time_ms == 0 || (trigger_.kind == PRICE_DROP && !DropsEnough(change))) continue;
      if (IsWanted(change.product_id, time_ms)) {
        Add(change.product_id, time_ms, time_ms, {change.product_id});
      }
    }
  }

  bool DropsEnough(const ProductChange& change) const {
    const auto before = static_cast<double>(change.price_before_minor);
    return before - static_cast<double>(change.price_minor) >= trigger_.least_drop * before;
  }

  // The newest that they did with it is interest, and lately.
  bool IsWanted(const std::string& product, int64_t time_ms) const {
    const int64_t since_ms = time_ms - trigger_.interest_days * kDayMs;
    for (const Event& event : facts_.events) {
      if (event.time_ms < since_ms) return false;
      const bool buys = event.kind == PURCHASE;
      const bool wants =
          event.kind == VIEW_ITEM || event.kind == ADD_TO_WISHLIST || event.kind == ADD_TO_CART;
      if (!buys && !(wants && event.time_ms <= time_ms)) continue;
      for (const Item& item : event.items) {
        if (item.product_id == product) return !buys;
      }
    }
    return false;
  }

  static std::optional<double> MedianGap(const std::vector<int64_t>& times_ms) {
    std::vector<double> gaps;
    for (size_t i = 1; i < times_ms.size(); ++i) {
      gaps.push_back(static_cast<double>(times_ms[i] - times_ms[i - 1]));
    }
    if (gaps.empty()) return std::nullopt;
    std::sort(gaps.begin(), gaps.end());
    const size_t half = gaps.size() / 2;
    return gaps.size() % 2 == 1 ? gaps[half] : (gaps[half - 1] + gaps[half]) / 2;
  }

  // When they ordered, ascending; orders of one day are one.
  std::vector<int64_t> OrderTimes() const {
    std::vector<int64_t> times_ms;
    for (auto event = facts_.events.rbegin(); event != facts_.events.rend(); ++event) {
      if (event->kind != PURCHASE) continue;
      if (!times_ms.empty() && event->time_ms - times_ms.back() < kDayMs) {
        times_ms.back() = event->time_ms;
      } else {
        times_ms.push_back(event->time_ms);
      }
    }
    return times_ms;
  }

  void FindLapse() {
    const std::vector<int64_t> times_ms = OrderTimes();
    if (times_ms.empty()) return;
    const double gap_ms = times_ms.size() >= 3
                              ? *MedianGap(times_ms)
                              : static_cast<double>(trigger_.usual_gap_days * kDayMs);
    Add("lapse", times_ms.back(),
        times_ms.back() + static_cast<int64_t>(trigger_.gap_factor * gap_ms), {});
  }

  void FindBuyAgain() {
    std::map<std::string, std::vector<int64_t>> bought;  // ascending
    for (auto event = facts_.events.rbegin(); event != facts_.events.rend(); ++event) {
      if (event->kind != PURCHASE) continue;
      for (const Item& item : event->items) {
        std::vector<int64_t>& times_ms = bought[item.product_id];
        if (!times_ms.empty() && event->time_ms - times_ms.back() < kDayMs) {
          times_ms.back() = event->time_ms;
        } else {
          times_ms.push_back(event->time_ms);
        }
      }
    }
    for (const auto& [product, times_ms] : bought) {
      double gap_ms = 0;
      if (times_ms.size() >= 3) {
        gap_ms = *MedianGap(times_ms);
      } else if (facts_.product_gap_days != nullptr) {
        const auto usual = facts_.product_gap_days->find(product);
        if (usual != facts_.product_gap_days->end()) gap_ms = usual->second * kDayMs;
      }
      if (gap_ms <= 0) continue;
      Add(product, times_ms.back(), times_ms.back() + static_cast<int64_t>(gap_ms), {product});
    }
  }

  void FindBirthday() {
    const std::vector<absl::string_view> parts = absl::StrSplit(facts_.birthday, '-');
    int month = 0, day = 0;
    if (parts.size() < 2 || parts.size() > 3 ||
        !absl::SimpleAtoi(parts[parts.size() - 2], &month) ||
        !absl::SimpleAtoi(parts.back(), &day) || month < 1 || month > 12 || day < 1 || day > 31) {
      return;
    }
    absl::TimeZone zone = absl::UTCTimeZone();
    if (!facts_.time_zone.empty()) absl::LoadTimeZone(facts_.time_zone, &zone);
    const absl::CivilYear year(zone.At(absl::FromUnixMillis(facts_.now_ms)).cs);
    // That of last year may still be valid in January.
    for (const absl::CivilYear of : {year - 1, year, year + 1}) {
      const absl::CivilDay last = absl::CivilDay(absl::CivilMonth(of) + month) - 1;
      const absl::CivilDay on = std::min(absl::CivilDay(of.year(), month, 1) + (day - 1), last);
      const int64_t due_ms =
          absl::ToUnixMillis(absl::FromCivil(absl::CivilMinute(on) + trigger_.at_minute, zone));
      const size_t before = causes_.size();
      Add("birthday", of.year(), due_ms, {});
      if (causes_.size() > before) return;
    }
  }

  void FindFirstOrder() {
    const auto first = std::find_if(facts_.events.rbegin(), facts_.events.rend(),
                                    [](const Event& event) { return event.kind == PURCHASE; });
    if (first == facts_.events.rend()) return;
    std::vector<std::string> products;
    for (const Item& item : first->items) products.push_back(item.product_id);
    Add("first order", first->time_ms, first->time_ms + trigger_.delay_minutes * kMinuteMs,
        std::move(products));
  }

  const Trigger& trigger_;
  const TriggerFacts& facts_;
  std::vector<Cause> causes_;
};

template <typename Value>
absl::Status CheckWithin(absl::string_view where, Value value, Value low, Value high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(where, ": ", value, " is not between ", low, " and ", high));
}

absl::Status ValidateTrigger(const Trigger& trigger) {
  RETURN_IF_ERROR(Annotate(ValidName(trigger.id), "id"));
  if (trigger.kind < CART_ABANDONED || trigger.kind > FIRST_ORDER) {
    return absl::InvalidArgumentError("kind: is none");
  }
  if (trigger.channels.empty()) return absl::InvalidArgumentError("channels: there is none");
  std::set<Channel> channels;
  for (const Channel& channel : trigger.channels) {
    if (channel < WEB || channel > ATM) return absl::InvalidArgumentError("channels: is none");
    if (!channels.insert(channel).second) {
      return absl::InvalidArgumentError("channels: one stands there twice");
    }
  }
  RETURN_IF_ERROR(Annotate(ValidId(trigger.purpose), "purpose"));
  RETURN_IF_ERROR(CheckWithin("delay_minutes", trigger.delay_minutes, 0, 44640));
  RETURN_IF_ERROR(CheckWithin("interest_days", trigger.interest_days, 1, 366));
  RETURN_IF_ERROR(CheckWithin("least_drop", trigger.least_drop, 0.0, 1.0));
  RETURN_IF_ERROR(CheckWithin("gap_factor", trigger.gap_factor, 0.01, 100.0));
  RETURN_IF_ERROR(CheckWithin("usual_gap_days", trigger.usual_gap_days, 1, 3660));
  RETURN_IF_ERROR(CheckWithin("valid_hours", trigger.valid_hours, 1, 8784));
  RETURN_IF_ERROR(CheckWithin("at_minute", trigger.at_minute, 0, 1439));
  for (const auto& [language, text] : trigger.texts) {
    RETURN_IF_ERROR(Annotate(ValidId(language), "texts"));
    RETURN_IF_ERROR(CheckWithin("texts: bytes", text.size(), size_t{1}, limits::kTextBytesMax));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Cause> CausesOf(const Trigger& trigger, const TriggerFacts& facts) {
  if (!trigger.enabled) return {};
  return Finder(trigger, facts).Find();
}

absl::Status ValidateTriggers(const TriggerSet& triggers) {
  constexpr size_t kTriggersMax = 100;  // of a site
  RETURN_IF_ERROR(CheckWithin("triggers", triggers.triggers.size(), size_t{0}, kTriggersMax));
  std::set<std::string> ids;
  for (size_t i = 0; i < triggers.triggers.size(); ++i) {
    const std::string where = absl::StrCat("triggers[", i, "].");
    const absl::Status status = ValidateTrigger(triggers.triggers[i]);
    if (!status.ok()) return absl::InvalidArgumentError(absl::StrCat(where, status.message()));
    if (!ids.insert(triggers.triggers[i].id).second) {
      return absl::InvalidArgumentError(absl::StrCat(where, "id: stands there twice"));
    }
  }
  return absl::OkStatus();
}

absl::string_view NameOf(TriggerKind kind) {
  switch (kind) {
    case CART_ABANDONED:
      return "cart_abandoned";
    case BACK_IN_STOCK:
      return "back_in_stock";
    case PRICE_DROP:
      return "price_drop";
    case LAPSE_RISK:
      return "lapse_risk";
    case BUY_AGAIN_DUE:
      return "buy_again_due";
    case BIRTHDAY:
      return "birthday";
    case FIRST_ORDER:
      return "first_order";
  }
  return "unknown";
}

}  // namespace vitrine
