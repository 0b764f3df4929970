#include "recommender/segments/evaluate.h"

#include <algorithm>
#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "recommender/segments/behaviour.h"
#include "store/base/limits.h"
#include "store/product_facts.h"

namespace vitrine {
namespace {

constexpr int64_t kDayMs = 86'400'000;

int64_t FloorDay(int64_t time_ms) { return time_ms / kDayMs - (time_ms % kDayMs < 0 ? 1 : 0); }

// --- Relations ---

bool Compares(const SegmentTest& test, std::optional<double> number) {
  if (!number || std::isnan(*number)) return false;
  return test.relation == Relation::AT_LEAST ? *number >= test.number : *number <= test.number;
}

bool IsNumeric(const SegmentTest& test) {
  return test.relation == Relation::AT_LEAST || test.relation == Relation::AT_MOST;
}

bool SaysOneOf(const SegmentTest& test, std::optional<absl::string_view> word) {
  const bool among = word && absl::c_linear_search(test.values, *word);
  return among == (test.relation == Relation::ONE_OF);
}

// --- Time ---

// The first of these instants, after now, at which `truth` is another than it is now.
template <typename Truth>
Membership Walk(std::vector<int64_t> instants, int64_t now_ms, Truth truth) {
  std::erase_if(instants, [now_ms](int64_t instant) { return instant <= now_ms; });
  absl::c_sort(instants);
  const bool now = truth(now_ms);
  for (const int64_t instant : instants) {
    if (truth(instant) != now) return {now, instant};
  }
  return {now, kNeverMs};
}

// Amounts that count from an instant on, for as long as the window is.
struct Amount {
  int64_t from_ms;
  double first;
  double second = 0;
};

// Of two sums over a window that slides. O(n log n).
template <typename Truth>
Membership WalkSums(const std::vector<Amount>& amounts, int32_t days, int64_t now_ms, Truth truth) {
  std::vector<Amount> steps = amounts;
  if (days > 0) {
    for (const Amount& amount : amounts) {
      steps.push_back({amount.from_ms + days * kDayMs, -amount.first, -amount.second});
    }
  }
  absl::c_sort(steps, [](const Amount& a, const Amount& b) { return a.from_ms < b.from_ms; });
  double first = 0, second = 0;
  size_t next = 0;
  const auto go_to = [&](int64_t instant) {
    for (; next < steps.size() && steps[next].from_ms <= instant; ++next) {
      first += steps[next].first;
      second += steps[next].second;
    }
    return truth(first, second);
  };
  const bool now = go_to(now_ms);
  while (next < steps.size()) {
    const int64_t instant = steps[next].from_ms;
    if (go_to(instant) != now) return {now, instant};
  }
  return {now, kNeverMs};
}

// --- Events ---

// Which events, and which of their items, a test is about.
class Filter {
 public:
  Filter(const SegmentTest& test, const SegmentWorld& world) : test_(test), world_(world) {}

  bool Takes(const Event& event) const {
    return Among(test_.kinds, event.kind) && Among(test_.channels, event.channel) &&
           TakesDevice(event) &&
           (!by_product() ||
            absl::c_any_of(event.items, [this](const Item& item) { return TakesItem(item); }));
  }

  bool TakesItem(const Item& item) const {
    if (!by_product() || absl::c_linear_search(test_.products, item.product_id)) return true;
    if (test_.categories.empty() || !world_.category_of) return false;
    const std::string path = world_.category_of(item.product_id);
    return absl::c_any_of(test_.categories, [&path](const std::string& category) {
      return IsInCategory(path, category);
    });
  }

  // What the items that it takes cost.
  double MoneyOf(const Event& event) const {
    double minor = 0;
    for (const Item& item : event.items) {
      if (item.__isset.price_minor && TakesItem(item)) {
        minor += static_cast<double>(item.price_minor) * item.quantity;
      }
    }
    return minor;
  }

 private:
  template <typename Value>
  static bool Among(const std::vector<Value>& wanted, Value value) {
    return wanted.empty() || absl::c_linear_search(wanted, value);
  }
  bool by_product() const { return !test_.products.empty() || !test_.categories.empty(); }
  bool TakesDevice(const Event& event) const {
    if (test_.devices.empty()) return true;
    const Device device = world_.device_of && event.__isset.user_agent
                              ? world_.device_of(event.user_agent)
                              : Device::UNKNOWN_DEVICE;
    return Among(test_.devices, device);
  }

  const SegmentTest& test_;
  const SegmentWorld& world_;
};

bool IsComplaint(const Event& event) {
  return event.kind == EventKind::CONTACT && event.__isset.contact &&
         (event.contact.topic == "complaint" ||
          event.contact.progress == ContactProgress::WAS_COMPLAINED_OF);
}

// One for each name, from the first event of that name on; nameless ones each for themselves.
class Once {
 public:
  bool IsFirst(bool named, const std::string& name) { return !named || seen_.insert(name).second; }

 private:
  absl::flat_hash_set<std::string> seen_;
};

std::vector<Amount> CountsOf(const SegmentTest& test, const CustomerProfile& profile,
                             const SegmentWorld& world) {
  const Filter filter(test, world);
  std::vector<Amount> counts;
  const auto count = [&counts](const Event& event) { counts.push_back({event.time_ms, 1}); };
  Once once;
  std::optional<int64_t> last_deed_ms;
  for (const Event& event : profile.events) {
    switch (test.measure) {
      case SegmentMeasure::EVENT_COUNT:
        if ((!test.kinds.empty() || IsOwnDeed(event)) && filter.Takes(event)) count(event);
        break;
      case SegmentMeasure::VISIT_COUNT:
        if (IsOwnDeed(event)) {
          const bool begins = !last_deed_ms || event.time_ms - *last_deed_ms > world.session_gap_ms;
          last_deed_ms = event.time_ms;
          if (begins && filter.Takes(event)) count(event);
        }
        break;
      case SegmentMeasure::ORDER_COUNT:
        if (event.kind == EventKind::PURCHASE && filter.Takes(event) &&
            once.IsFirst(event.__isset.order_id, event.order_id)) {
          count(event);
        }
        break;
      default:  // COMPLAINTS
        if (IsComplaint(event) && filter.Takes(event) &&
            once.IsFirst(true, event.contact.__isset.case_id
                                   ? absl::StrCat("case ", event.contact.case_id)
                                   : absl::StrCat("contact ", event.contact.contact_id))) {
          count(event);
        }
    }
  }
  return counts;
}

// First: bought. Second: returned.
std::vector<Amount> MoneyOf(const SegmentTest& test, const CustomerProfile& profile,
                            const SegmentWorld& world) {
  const Filter filter(test, world);
  std::vector<Amount> money;
  for (const Event& event : profile.events) {
    const bool bought = event.kind == EventKind::PURCHASE;
    if ((!bought && event.kind != EventKind::REFUND) || event.currency != test.currency ||
        !filter.Takes(event)) {
      continue;
    }
    const double minor = filter.MoneyOf(event);
    money.push_back({event.time_ms, bought ? minor : 0, bought ? 0 : minor});
  }
  return money;
}

Membership EvaluateMoney(const SegmentTest& test, const CustomerProfile& profile,
                         const SegmentWorld& world, int64_t now_ms) {
  return WalkSums(MoneyOf(test, profile, world), test.days, now_ms,
                  [&test](double bought, double returned) {
                    if (test.measure == SegmentMeasure::BOUGHT_MINOR) return Compares(test, bought);
                    if (test.measure == SegmentMeasure::RETURNED_MINOR) {
                      return Compares(test, returned);
                    }
                    return bought > 0 && Compares(test, returned / bought);
                  });
}

// Days since the first, or the last, of what the test is about.
Membership EvaluateSince(const SegmentTest& test, const CustomerProfile& profile,
                         const SegmentWorld& world, int64_t now_ms) {
  const Filter filter(test, world);
  const bool of_orders = test.measure == SegmentMeasure::DAYS_SINCE_LAST_ORDER;
  const bool of_first = test.measure == SegmentMeasure::DAYS_SINCE_FIRST_SEEN;
  std::vector<int64_t> times;  // ascending
  for (const Event& event : profile.events) {
    const bool counts = of_orders ? event.kind == EventKind::PURCHASE : IsOwnDeed(event);
    if (!counts || !filter.Takes(event)) continue;
    times.push_back(event.time_ms);
    if (of_first) break;
  }
  const auto truth = [&](int64_t instant) {
    const auto after = absl::c_upper_bound(times, instant);
    if (after == times.begin()) return false;
    return Compares(test, static_cast<double>(instant - *std::prev(after)) / kDayMs);
  };
  // From the last one that has happened on: either it happens again, or the days go by.
  const auto from = absl::c_upper_bound(times, now_ms);
  std::vector<int64_t> instants;
  const double wait_ms = test.number * kDayMs;
  for (auto it = from == times.begin() ? from : std::prev(from); it != times.end(); ++it) {
    // To either side, as the quotient is rounded.
    const auto passed = *it + static_cast<int64_t>(std::floor(wait_ms));
    instants.push_back(*it);
    for (int64_t beside = -1; beside <= 2; ++beside) instants.push_back(passed + beside);
  }
  return Walk(std::move(instants), now_ms, truth);
}

// --- Words ---

// When what is not yet will have happened.
std::vector<int64_t> TimesAfter(const CustomerProfile& profile, int64_t now_ms) {
  std::vector<int64_t> times;
  for (auto it = profile.events.rbegin(); it != profile.events.rend() && it->time_ms > now_ms;
       ++it) {
    times.push_back(it->time_ms);
  }
  return times;
}

// The newest event by then that `wanted` takes, or null.
const Event* NewestBy(const CustomerProfile& profile, int64_t instant,
                      absl::FunctionRef<bool(const Event&)> wanted) {
  for (auto it = profile.events.rbegin(); it != profile.events.rend(); ++it) {
    if (it->time_ms <= instant && wanted(*it)) return &*it;
  }
  return nullptr;
}

Membership EvaluateCountry(const SegmentTest& test, const CustomerProfile& profile,
                           int64_t now_ms) {
  if (profile.facts && profile.facts->__isset.country) {
    return {SaysOneOf(test, profile.facts->country), kNeverMs};
  }
  return Walk(TimesAfter(profile, now_ms), now_ms, [&](int64_t instant) {
    const Event* const event =
        NewestBy(profile, instant, [](const Event& e) { return e.__isset.country; });
    return SaysOneOf(test, event == nullptr
                               ? std::nullopt
                               : std::make_optional<absl::string_view>(event->country));
  });
}

bool Speaks(const SegmentTest& test, const CustomerProfile& profile) {
  const bool among = profile.facts && profile.facts->__isset.language &&
                     absl::c_any_of(test.values, [&](absl::string_view wanted) {
                       const absl::string_view language = profile.facts->language;
                       return absl::StartsWith(language, wanted) &&
                              (language.size() == wanted.size() || language[wanted.size()] == '-');
                     });
  return among == (test.relation == Relation::ONE_OF);
}

bool HasAttribute(const SegmentTest& test, const CustomerProfile& profile) {
  std::optional<absl::string_view> word;
  if (profile.facts && profile.facts->__isset.attributes) {
    const auto found = profile.facts->attributes.find(test.name);
    if (found != profile.facts->attributes.end()) word = found->second;
  }
  if (!IsNumeric(test)) return SaysOneOf(test, word);
  double number;
  return word && absl::SimpleAtod(*word, &number) && Compares(test, number);
}

Membership EvaluateConsent(const SegmentTest& test, const CustomerProfile& profile,
                           int64_t now_ms) {
  return Walk(TimesAfter(profile, now_ms), now_ms, [&](int64_t instant) {
    const Event* const event = NewestBy(profile, instant, [&test](const Event& e) {
      return e.kind == EventKind::CONSENT && e.__isset.consent && e.consent.purpose == test.name &&
             absl::c_linear_search(test.channels, e.consent.channel);
    });
    const absl::string_view word = event == nullptr         ? "unknown"
                                   : event->consent.granted ? "granted"
                                                            : "refused";
    return SaysOneOf(test, word);
  });
}

Membership EvaluateRating(const SegmentTest& test, const CustomerProfile& profile,
                          const SegmentWorld& world, int64_t now_ms) {
  const Filter filter(test, world);
  const auto wanted = [&](const Event& e) {
    return e.__isset.rating && e.rating.best > 0 &&
           (test.name.empty() || e.rating.about == test.name) && filter.Takes(e);
  };
  std::vector<int64_t> instants = TimesAfter(profile, now_ms);
  if (test.days > 0) {
    for (const Event& event : profile.events) {
      if (wanted(event)) instants.push_back(event.time_ms + test.days * kDayMs);
    }
  }
  return Walk(std::move(instants), now_ms, [&](int64_t instant) {
    const Event* const event = NewestBy(profile, instant, wanted);
    if (event == nullptr || (test.days > 0 && instant - event->time_ms >= test.days * kDayMs)) {
      return false;
    }
    return Compares(test, event->rating.value / event->rating.best);
  });
}

Membership EvaluateCases(const SegmentTest& test, const CustomerProfile& profile,
                         const SegmentWorld& world, int64_t now_ms) {
  const Filter filter(test, world);
  return Walk(TimesAfter(profile, now_ms), now_ms, [&](int64_t instant) {
    absl::flat_hash_map<absl::string_view, bool> open;  // by case
    for (const Event& event : profile.events) {
      if (event.time_ms > instant) break;
      if (event.kind != EventKind::CONTACT || !event.contact.__isset.case_id ||
          !filter.Takes(event)) {
        continue;
      }
      bool& is_open = open.try_emplace(event.contact.case_id, true).first->second;
      if (event.contact.__isset.outcome) is_open = event.contact.outcome == "open";
    }
    const auto n = absl::c_count_if(open, [](const auto& one) { return one.second; });
    return Compares(test, static_cast<double>(n));
  });
}

// --- Worth ---

bool HasWorth(const SegmentTest& test, const CustomerProfile& profile, const ValueModel& model,
              int32_t day) {
  const std::optional<CustomerValue> value = ScoreCustomer(model, profile.days, day);
  if (!value) return false;
  return Compares(
      test, test.measure == SegmentMeasure::ALIVE ? value->alive : value->lifetime_value_minor);
}

// The first day after `today` for which `as_today` does not hold, or `end`. REQUIRES: once it does
// not hold, it never does again before `end`.
template <typename AsToday>
int32_t FirstOtherDay(int32_t today, int32_t end, AsToday as_today) {
  int32_t same = today, step = 1;
  while (same + step < end && as_today(same + step)) {
    same += step;
    step *= 2;
  }
  int32_t other = std::min(same + step, end);
  while (other - same > 1) {
    const int32_t middle = same + (other - same) / 2;
    (as_today(middle) ? same : other) = middle;
  }
  return other;
}

// While nothing is bought, stages only go on (new, active, at risk, lapsed), P(alive) and what is
// expected only fall towards 0: what has changed stays so.
Membership EvaluateWorth(const SegmentTest& test, const CustomerProfile& profile,
                         const SegmentWorld& world, int64_t now_ms) {
  if (world.value == nullptr) return {test.relation == Relation::NONE_OF, kNeverMs};
  const auto today = static_cast<int32_t>(FloorDay(now_ms));
  const auto next = absl::c_find_if(
      profile.days, [today](const PurchaseDay& bought) { return bought.day > today; });
  const bool bought = next != profile.days.begin();
  const int32_t end = next == profile.days.end() ? today + limits::kHorizonDaysMax : next->day;
  const bool forever = !bought && next == profile.days.end();
  const auto until = [&](const auto& as_today) {
    return forever ? kNeverMs : FirstOtherDay(today, end, as_today) * kDayMs;
  };
  if (test.measure == SegmentMeasure::LIFE_STAGE_IS) {
    const auto stage = [&](int32_t day) { return StageAt(*world.value, profile.days, day); };
    const LifeStage now = stage(today);
    return {SaysOneOf(test, LifeStageName(now)),
            until([&](int32_t day) { return stage(day) == now; })};
  }
  const bool now = HasWorth(test, profile, *world.value, today);
  return {now,
          until([&](int32_t day) { return HasWorth(test, profile, *world.value, day) == now; })};
}

Membership EvaluateCluster(const SegmentTest& test, const CustomerProfile& profile,
                           const SegmentWorld& world, int64_t now_ms) {
  // Behaviour drifts with every day that goes by.
  const int64_t tomorrow_ms = (FloorDay(now_ms) + 1) * kDayMs;
  const Clustering* clustering = nullptr;
  if (world.clusterings != nullptr) {
    for (const Clustering& one : *world.clusterings) {
      if (one.id == test.name) clustering = &one;
    }
  }
  if (clustering == nullptr) return {test.relation == Relation::NONE_OF, kNeverMs};
  const std::optional<Behaviour> behaviour =
      BehaviourOf(profile, world, clustering->currency, now_ms);
  if (!behaviour) return {SaysOneOf(test, std::nullopt), kNeverMs};
  return {SaysOneOf(test, absl::StrCat(NearestCentroid(*clustering, *behaviour) + 1)), tomorrow_ms};
}

// --- Logic ---

// Of several that all must hold. As long as one does not, all do not: then the last of those to
// change counts.
class AllOf {
 public:
  void Add(const Membership& one) {
    if (one.holds) {
      while_all_hold_ms_ = std::min(while_all_hold_ms_, one.until_ms);
    } else {
      holds_ = false;
      while_one_fails_ms_ = std::max(while_one_fails_ms_, one.until_ms);
    }
  }
  Membership Result() const { return {holds_, holds_ ? while_all_hold_ms_ : while_one_fails_ms_}; }

 private:
  bool holds_ = true;
  int64_t while_all_hold_ms_ = kNeverMs;
  int64_t while_one_fails_ms_ = std::numeric_limits<int64_t>::min();
};

Membership Not(Membership one) {
  one.holds = !one.holds;
  return one;
}

Membership EvaluateCondition(const SegmentCondition& condition, const CustomerProfile& profile,
                             const SegmentWorld& world, int64_t now_ms) {
  AllOf none;  // De Morgan
  for (const SegmentTest& test : condition.any) {
    none.Add(Not(EvaluateTest(test, profile, world, now_ms)));
  }
  return condition.negated ? none.Result() : Not(none.Result());
}

}  // namespace

bool IsOwnDeed(const Event& event) {
  if (event.kind == EventKind::REFUND) return false;
  if (event.kind != EventKind::CONTACT || !event.__isset.contact) return true;
  const ContactProgress progress = event.contact.progress;
  return event.contact.inbound || progress == ContactProgress::WAS_OPENED ||
         progress == ContactProgress::WAS_CLICKED || progress == ContactProgress::WAS_ANSWERED ||
         progress == ContactProgress::WAS_COMPLAINED_OF;
}

Membership EvaluateTest(const SegmentTest& test, const CustomerProfile& profile,
                        const SegmentWorld& world, int64_t now_ms) {
  switch (test.measure) {
    case SegmentMeasure::COUNTRY_IS:
      return EvaluateCountry(test, profile, now_ms);
    case SegmentMeasure::LANGUAGE_IS:
      return {Speaks(test, profile), kNeverMs};
    case SegmentMeasure::ATTRIBUTE_IS:
      return {HasAttribute(test, profile), kNeverMs};
    case SegmentMeasure::CONSENT_IS:
      return EvaluateConsent(test, profile, now_ms);
    case SegmentMeasure::CLUSTER_IS:
      return EvaluateCluster(test, profile, world, now_ms);
    case SegmentMeasure::EVENT_COUNT:
    case SegmentMeasure::VISIT_COUNT:
    case SegmentMeasure::ORDER_COUNT:
    case SegmentMeasure::COMPLAINT_COUNT:
      return WalkSums(CountsOf(test, profile, world), test.days, now_ms,
                      [&test](double count, double) { return Compares(test, count); });
    case SegmentMeasure::BOUGHT_MINOR:
    case SegmentMeasure::RETURNED_MINOR:
    case SegmentMeasure::RETURNED_SHARE:
      return EvaluateMoney(test, profile, world, now_ms);
    case SegmentMeasure::DAYS_SINCE_FIRST_SEEN:
    case SegmentMeasure::DAYS_SINCE_LAST_SEEN:
    case SegmentMeasure::DAYS_SINCE_LAST_ORDER:
      return EvaluateSince(test, profile, world, now_ms);
    case SegmentMeasure::LIFE_STAGE_IS:
    case SegmentMeasure::ALIVE:
    case SegmentMeasure::LIFETIME_VALUE_MINOR:
      return EvaluateWorth(test, profile, world, now_ms);
    case SegmentMeasure::OPEN_CASE_COUNT:
      return EvaluateCases(test, profile, world, now_ms);
    case SegmentMeasure::LAST_RATING:
      return EvaluateRating(test, profile, world, now_ms);
  }
  return {};
}

Membership EvaluateSegment(const Segment& segment, const CustomerProfile& profile,
                           const SegmentWorld& world, int64_t now_ms) {
  AllOf all;
  for (const SegmentCondition& condition : segment.conditions) {
    all.Add(EvaluateCondition(condition, profile, world, now_ms));
  }
  return all.Result();
}

bool AsksForWorth(const Segment& segment) {
  return absl::c_any_of(segment.conditions, [](const SegmentCondition& condition) {
    return absl::c_any_of(condition.any, [](const SegmentTest& test) {
      return test.measure == SegmentMeasure::LIFE_STAGE_IS ||
             test.measure == SegmentMeasure::ALIVE ||
             test.measure == SegmentMeasure::LIFETIME_VALUE_MINOR;
    });
  });
}

}  // namespace vitrine
