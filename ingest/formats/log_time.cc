#include "ingest/formats/log_time.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"

#include "ingest/reasons.h"

namespace vitrine {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kMinuteMs = 60 * kSecondMs;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

constexpr size_t kCommonBytes = 26;    // 17/May/2015:10:05:03 +0000
constexpr size_t kCommonDay = 11;      // 17/May/2015
constexpr size_t kIsoDay = 10;         // 2015-05-17
constexpr size_t kClock = 8;           // 10:05:03
constexpr size_t kSecondsDigits = 10;  // of the seconds since 1970, until the year 2286

// The number in `digits`; -1 if something else is there.
int Number(absl::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

int MonthNamed(absl::string_view name) {
  constexpr absl::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const size_t at = kMonths.find(name);
  return at == absl::string_view::npos || at % 3 != 0 ? -1 : static_cast<int>(at / 3) + 1;
}

bool DayStart(int year, int month, int day, int64_t* start_ms) {
  if (year < 0 || month < 1 || day < 1) return false;
  const absl::CivilDay civil(year, month, day);
  // Civil time normalises the 31st of June away.
  if (civil.month() != month || civil.day() != day) return false;
  *start_ms = (civil - absl::CivilDay(1970, 1, 1)) * kDayMs;
  return true;
}

// 10:05:03 since midnight; -1 if it is none.
int64_t ClockMs(absl::string_view text) {
  if (text.size() != kClock || text[2] != ':' || text[5] != ':') return -1;
  const int hour = Number(text.substr(0, 2));
  const int minute = Number(text.substr(3, 2));
  const int second = Number(text.substr(6, 2));
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return -1;
  return hour * kHourMs + minute * kMinuteMs + std::min(second, 59) * kSecondMs;
}

// What a zone is ahead of UTC: "Z", "+0200", "+02:00", or nothing at all.
bool ZoneMs(absl::string_view zone, int64_t* ahead_ms) {
  *ahead_ms = 0;
  if (zone.empty() || zone == "Z" || zone == "z") return true;
  const bool colon = zone.size() == 6 && zone[3] == ':';
  if ((zone[0] != '+' && zone[0] != '-') || (!colon && zone.size() != 5)) return false;
  const int hours = Number(zone.substr(1, 2));
  const int minutes = Number(zone.substr(colon ? 4 : 3, 2));
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return false;
  *ahead_ms = (zone[0] == '-' ? -1 : 1) * (hours * kHourMs + minutes * kMinuteMs);
  return true;
}

// Takes ".123" off the front, in milliseconds; further digits are dropped.
bool TakeFraction(absl::string_view* text, int64_t* ms) {
  *ms = 0;
  if (text->empty() || (text->front() != '.' && text->front() != ',')) return true;
  text->remove_prefix(1);
  size_t digits = 0;
  for (int64_t unit = 100; digits < text->size() && absl::ascii_isdigit((*text)[digits]);
       ++digits) {
    *ms += unit * ((*text)[digits] - '0');
    unit /= 10;
  }
  text->remove_prefix(digits);
  return digits > 0;
}

// Seconds with a fraction, or milliseconds.
bool ParseNumber(absl::string_view text, int64_t* time_ms) {
  const size_t whole_bytes = std::min(text.find('.'), text.size());
  int64_t whole;
  if (!absl::SimpleAtoi(text.substr(0, whole_bytes), &whole) || whole < 0) return false;
  text.remove_prefix(whole_bytes);
  int64_t fraction;
  if (!TakeFraction(&text, &fraction) || !text.empty()) return false;
  if (whole_bytes > kSecondsDigits) {
    *time_ms = whole;
    return true;
  }
  *time_ms = whole * kSecondMs + fraction;
  return true;
}

}  // namespace

absl::Status LogTimeParser::Parse(absl::string_view text, int64_t* time_ms) {
  bool parsed = false;
  if (text.size() == kCommonBytes && text[2] == '/') {
    parsed = ParseCommon(text, time_ms);
  } else if (text.size() > kIsoDay && text[4] == '-') {
    parsed = ParseIso(text, time_ms);
  } else {
    parsed = ParseNumber(text, time_ms);
  }
  if (parsed) return absl::OkStatus();
  return Fault(reasons::kBadTime, Shown(text), " is no time that web servers write");
}

absl::Status LogTimeParser::ParseDateAndClock(absl::string_view date, absl::string_view clock,
                                              int64_t* time_ms) {
  int64_t day_ms;
  int64_t fraction_ms;
  absl::string_view rest = clock.substr(std::min(kClock, clock.size()));
  const int64_t clock_ms = ClockMs(clock.substr(0, kClock));
  if (!IsoDay(date, &day_ms) || clock_ms < 0 || !TakeFraction(&rest, &fraction_ms) ||
      !rest.empty()) {
    return Fault(reasons::kBadTime, Shown(date), " and ", Shown(clock), " are no date and time");
  }
  *time_ms = day_ms + clock_ms + fraction_ms;
  return absl::OkStatus();
}

bool LogTimeParser::ParseCommon(absl::string_view text, int64_t* time_ms) {
  const absl::string_view day = text.substr(0, kCommonDay);
  const absl::string_view zone = text.substr(kCommonBytes - 5);
  if (day != common_day_ || zone != common_zone_) {
    int64_t ahead_ms;
    if (day[6] != '/' || !ZoneMs(zone, &ahead_ms) ||
        !DayStart(Number(day.substr(7)), MonthNamed(day.substr(3, 3)), Number(day.substr(0, 2)),
                  &common_start_ms_)) {
      common_day_.clear();
      return false;
    }
    common_start_ms_ -= ahead_ms;
    common_day_ = std::string(day);
    common_zone_ = std::string(zone);
  }
  const int64_t clock_ms = ClockMs(text.substr(kCommonDay + 1, kClock));
  if (clock_ms < 0 || text[kCommonDay] != ':' || text[kCommonBytes - 6] != ' ') return false;
  *time_ms = common_start_ms_ + clock_ms;
  return true;
}

bool LogTimeParser::IsoDay(absl::string_view text, int64_t* day_ms) {
  if (text != iso_day_) {
    if (text.size() != kIsoDay || text[4] != '-' || text[7] != '-' ||
        !DayStart(Number(text.substr(0, 4)), Number(text.substr(5, 2)), Number(text.substr(8)),
                  &iso_start_ms_)) {
      iso_day_.clear();
      return false;
    }
    iso_day_ = std::string(text);
  }
  *day_ms = iso_start_ms_;
  return true;
}

bool LogTimeParser::ParseIso(absl::string_view text, int64_t* time_ms) {
  int64_t day_ms;
  if (!IsoDay(text.substr(0, kIsoDay), &day_ms)) return false;
  if (text[kIsoDay] != 'T' && text[kIsoDay] != ' ') return false;
  text.remove_prefix(kIsoDay + 1);
  const int64_t clock_ms = ClockMs(text.substr(0, kClock));
  if (clock_ms < 0) return false;
  text.remove_prefix(kClock);
  int64_t fraction_ms;
  int64_t ahead_ms;
  if (!TakeFraction(&text, &fraction_ms)) return false;
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (!ZoneMs(text, &ahead_ms)) return false;
  *time_ms = day_ms + clock_ms + fraction_ms - ahead_ms;
  return true;
}

}  // namespace vitrine
