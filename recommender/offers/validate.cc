#include "recommender/offers/validate.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/enum_number.h"
#include "store/event_names.h"
#include "store/key_format.h"

namespace vitrine {
namespace {

constexpr int32_t kDayMinutes = 24 * 60;

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

template <typename Number>
absl::Status CheckRange(absl::string_view where, Number value, Number low, Number high) {
  if (value >= low && value <= high) return absl::OkStatus();  // no NaN is
  return Wrong(where, absl::StrCat(value, " is not between ", low, " and ", high));
}

absl::Status CheckCount(absl::string_view where, size_t count, size_t most) {
  if (count <= most) return absl::OkStatus();
  return Wrong(where, absl::StrCat("has ", count, " entries, at most ", most, " are taken"));
}

absl::Status CheckChannel(const std::string& where, const Channel& channel) {
  if (IsChannel(channel)) return absl::OkStatus();
  return Wrong(where, absl::StrCat(NumberIn(channel), " is no channel"));
}

template <typename Rule>  // any with an optional channel
absl::Status CheckChannelOf(const std::string& where, const Rule& rule) {
  return rule.__isset.channel ? CheckChannel(where + ".channel", rule.channel) : absl::OkStatus();
}

template <typename Rule>
absl::Status CheckDates(const std::string& where, const Rule& rule) {
  if (rule.__isset.from_ms && rule.__isset.to_ms && rule.from_ms >= rule.to_ms) {
    return Wrong(where + ".to_ms", "ends before it begins");
  }
  return absl::OkStatus();
}

// Calls `check` with the place and the value of each.
template <typename List, typename Check>
absl::Status Each(const std::string& where, const List& list, size_t most, Check check) {
  RETURN_IF_ERROR(CheckCount(where, list.size(), most));
  for (size_t i = 0; i < list.size(); ++i) {
    RETURN_IF_ERROR(check(absl::StrCat(where, "[", i, "]"), list[i]));
  }
  return absl::OkStatus();
}

absl::Status CheckId(const std::string& where, const std::string& id) {
  return Annotate(ValidId(id), where);
}

absl::Status CheckPriority(const std::string& where, int32_t priority) {
  return CheckRange(where, priority, 0, limits::kContactPriorityMax);
}

absl::Status CheckWindow(const std::string& where, const HoursWindow& window) {
  RETURN_IF_ERROR(CheckRange(where + ".from_minute", window.from_minute, 0, kDayMinutes - 1));
  RETURN_IF_ERROR(CheckRange(where + ".to_minute", window.to_minute, 1, kDayMinutes));
  if (window.from_minute == window.to_minute) {
    return Wrong(where + ".to_minute", "ends where it begins");
  }
  std::set<int32_t> days;
  for (const int32_t day : window.days) {
    RETURN_IF_ERROR(CheckRange(where + ".days", day, 1, 7));
    if (!days.insert(day).second) return Wrong(where + ".days", "names a day twice");
  }
  RETURN_IF_ERROR(CheckPriority(where + ".below_priority", window.below_priority));
  return CheckChannelOf(where, window);
}

absl::Status CheckCap(const std::string& where, const FrequencyCap& cap) {
  if (cap.period < CAP_ROLLING || cap.period > CAP_MONTH) {
    return Wrong(where + ".period", absl::StrCat(static_cast<int>(cap.period), " is no period"));
  }
  RETURN_IF_ERROR(CheckRange(where + ".most", cap.most, 1, limits::kContactsPerCapMax));
  const int32_t hours_min = cap.period == CAP_ROLLING ? 1 : 0;
  const int32_t hours_max = cap.period == CAP_ROLLING ? limits::kCapHoursMax : 0;
  RETURN_IF_ERROR(CheckRange(where + ".hours", cap.hours, hours_min, hours_max));
  RETURN_IF_ERROR(Each(where + ".purposes", cap.purposes, limits::kPurposeRulesMax, CheckId));
  RETURN_IF_ERROR(CheckPriority(where + ".below_priority", cap.below_priority));
  return CheckChannelOf(where, cap);
}

absl::Status CheckPurpose(const std::string& where, const PurposeRule& rule) {
  RETURN_IF_ERROR(CheckId(where + ".purpose", rule.purpose));
  if (rule.basis != OPT_IN && rule.basis != OPT_OUT) {
    return Wrong(where + ".basis", absl::StrCat(static_cast<int>(rule.basis), " is no basis"));
  }
  RETURN_IF_ERROR(CheckPriority(where + ".priority", rule.priority));
  return CheckChannelOf(where, rule);
}

absl::Status CheckTexts(const std::string& where, const std::map<std::string, std::string>& texts) {
  for (const auto& [language, text] : texts) {
    const std::string place = absl::StrCat(where, "[", language, "]");
    RETURN_IF_ERROR(CheckId(place, language));
    RETURN_IF_ERROR(CheckRange<size_t>(place, text.size(), 1, limits::kTextBytesMax));
  }
  return CheckCount(where, texts.size(), limits::kWireContainerMax);
}

template <typename Low, typename High>
absl::Status CheckSpan(const std::string& where, bool has_low, Low low, bool has_high, High high) {
  if (has_low && has_high && low > high) return Wrong(where, "the least is above the most");
  return absl::OkStatus();
}

absl::Status CheckEligibility(const std::string& where, const OfferEligibility& who) {
  const std::pair<const char*, const std::vector<std::string>*> lists[] = {
      {".segments", &who.segments},
      {".not_segments", &who.not_segments},
      {".products", &who.products},
      {".categories", &who.categories}};
  for (const auto& [name, list] : lists) {
    RETURN_IF_ERROR(Each(where + name, *list, limits::kOfferListMax, CheckId));
  }
  RETURN_IF_ERROR(CheckDates(where, who));
  RETURN_IF_ERROR(Each(where + ".channels", who.channels, limits::kOfferListMax, CheckChannel));
  const auto& set = who.__isset;
  RETURN_IF_ERROR(CheckSpan(where + ".cart_min_minor", set.cart_min_minor, who.cart_min_minor,
                            set.cart_max_minor, who.cart_max_minor));
  return CheckSpan(where + ".value_min_minor", set.value_min_minor, who.value_min_minor,
                   set.value_max_minor, who.value_max_minor);
}

// What each kind is made of.
absl::Status CheckKind(const ShopOffer& offer) {
  const auto& set = offer.__isset;
  switch (offer.kind) {
    case DISCOUNT:
      if (set.percent == set.amount_minor) return Wrong("percent", "or amount_minor is wanted");
      if (set.percent && !(offer.percent > 0 && offer.percent <= 100)) {
        return Wrong("percent", "is not above 0 and at most 100");
      }
      return CheckCount("products", offer.products.size(), limits::kOfferListMax);
    case BUNDLE:
      if (!set.amount_minor) return Wrong("amount_minor", "is wanted for a bundle");
      return CheckRange<size_t>("products", offer.products.size(), 2, limits::kBundleProductsMax);
    case GIFT:
      return CheckRange<size_t>("products", offer.products.size(), 1, 1);
    case POINTS:
      if (!set.points) return Wrong("points", "is wanted");
      return CheckRange<int64_t>("points", offer.points, 1, limits::kLedgerAmountMax);
    case FREE_SHIPPING:
    case MESSAGE:
      return absl::OkStatus();
  }
  return Wrong("kind", absl::StrCat(static_cast<int>(offer.kind), " is no kind of offer"));
}

}  // namespace

absl::Status ValidateContactPolicy(const ContactPolicy& policy) {
  RETURN_IF_ERROR(Each("purposes", policy.purposes, limits::kPurposeRulesMax, CheckPurpose));
  RETURN_IF_ERROR(Each("quiet_hours", policy.quiet_hours, limits::kContactRulesMax, CheckWindow));
  RETURN_IF_ERROR(Each("caps", policy.caps, limits::kContactRulesMax, CheckCap));
  absl::TimeZone zone;
  if (!policy.time_zone.empty() && !absl::LoadTimeZone(policy.time_zone, &zone)) {
    return Wrong("time_zone", "is no IANA name of a time zone that this machine knows");
  }
  RETURN_IF_ERROR(CheckRange("first_weekday", policy.first_weekday, 1, 7));
  RETURN_IF_ERROR(CheckRange("consent_days", policy.consent_days, 0, limits::kConsentDaysMax));
  return CheckRange("hold_days", policy.hold_days, 1, limits::kHoldDaysMax);
}

absl::Status ValidateContactPreference(const ContactPreference& preference) {
  RETURN_IF_ERROR(CheckId("customer_id", preference.customer_id));
  RETURN_IF_ERROR(Each("channels", preference.channels, limits::kContactRulesMax, CheckChannel));
  RETURN_IF_ERROR(Each("hours", preference.hours, limits::kContactRulesMax, CheckWindow));
  if (preference.__isset.time_zone) {
    RETURN_IF_ERROR(
        CheckRange<size_t>("time_zone", preference.time_zone.size(), 1, limits::kIdBytesMax));
  }
  const auto check_pause = [](const std::string& where, const ContactPause& pause) {
    const absl::Status dates = CheckDates(where, pause);
    return dates.ok() ? CheckChannelOf(where, pause) : dates;
  };
  RETURN_IF_ERROR(Each("pauses", preference.pauses, limits::kContactRulesMax, check_pause));
  const auto check_stop = [](const std::string& where, const DoNotContact& stop) -> absl::Status {
    if (stop.reason < UNSUBSCRIBED || stop.reason > OTHER_REASON) {
      return Wrong(where + ".reason", absl::StrCat(static_cast<int>(stop.reason), " is no reason"));
    }
    RETURN_IF_ERROR(
        CheckRange<size_t>(where + ".note", stop.note.size(), 0, limits::kTextBytesMax));
    return CheckChannelOf(where, stop);
  };
  RETURN_IF_ERROR(
      Each("do_not_contact", preference.do_not_contact, limits::kContactRulesMax, check_stop));
  return Each("caps", preference.caps, limits::kContactRulesMax, CheckCap);
}

absl::Status ValidateOffer(const ShopOffer& offer) {
  RETURN_IF_ERROR(Annotate(ValidName(offer.id), "id"));
  RETURN_IF_ERROR(CheckKind(offer));
  RETURN_IF_ERROR(CheckTexts("titles", offer.titles));
  RETURN_IF_ERROR(CheckTexts("terms", offer.terms));
  RETURN_IF_ERROR(CheckEligibility("eligibility", offer.eligibility));
  RETURN_IF_ERROR(CheckRange<size_t>("currency", offer.currency.size(), 3, 3));
  RETURN_IF_ERROR(Each("products", offer.products, limits::kOfferListMax, CheckId));
  const auto& set = offer.__isset;
  const auto check_optional = [](const char* where, bool is_set, int64_t value, int64_t most) {
    return is_set ? CheckRange<int64_t>(where, value, 1, most) : absl::OkStatus();
  };
  RETURN_IF_ERROR(
      check_optional("amount_minor", set.amount_minor, offer.amount_minor, limits::kPriceMinorMax));
  RETURN_IF_ERROR(CheckRange<int64_t>("cost_minor", offer.cost_minor, 0, limits::kPriceMinorMax));
  RETURN_IF_ERROR(check_optional("budget_minor", set.budget_minor, offer.budget_minor,
                                 limits::kLedgerAmountMax));
  RETURN_IF_ERROR(check_optional("uses", set.uses, offer.uses, limits::kOfferUsesMax));
  RETURN_IF_ERROR(check_optional("uses_per_customer", set.uses_per_customer,
                                 offer.uses_per_customer, limits::kOfferUsesMax));
  if (set.margin_floor) RETURN_IF_ERROR(CheckRange("margin_floor", offer.margin_floor, -1.0, 1.0));
  RETURN_IF_ERROR(Each("excludes", offer.excludes, limits::kOfferListMax, CheckId));
  if (!offer.group.empty()) RETURN_IF_ERROR(CheckId("group", offer.group));
  return CheckId("purpose", offer.purpose);
}

absl::Status ValidateOfferSet(const OfferSet& set) {
  std::set<absl::string_view> ids;
  const auto check_offer = [&ids](const std::string& where, const ShopOffer& offer) {
    RETURN_IF_ERROR(Annotate(ValidateOffer(offer), where));
    return ids.insert(offer.id).second ? absl::OkStatus()
                                       : Wrong(where + ".id", "another offer has it");
  };
  RETURN_IF_ERROR(Each("offers", set.offers, kOffersMax, check_offer));
  RETURN_IF_ERROR(CheckRange("explore", set.explore, 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("hold_minutes", set.hold_minutes, 1, kOfferHoldMinutesMax));
  RETURN_IF_ERROR(CheckRange("control", set.control, 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("margin_share", set.margin_share, 0.0, 1.0));
  if (!set.__isset.points) return absl::OkStatus();
  const PointsPlan& points = set.points;
  RETURN_IF_ERROR(CheckRange("points.per_hundred", points.per_hundred, 0.0, 1e6));
  RETURN_IF_ERROR(CheckRange<size_t>("points.currency", points.currency.size(), 3, 3));
  return CheckRange("points.expire_days", points.expire_days, 0, limits::kConsentDaysMax);
}

}  // namespace vitrine
