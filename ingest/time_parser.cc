#include "ingest/time_parser.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "ingest/reasons.h"

namespace vitrine {
namespace {

constexpr int64_t kSecondMs = 1000;

// Whether `format` holds nothing but %Y %m %d %H %M %S, each a number and there once at most, and
// printable characters that are no digits, so that every field ends where the next character says.
bool IsPlain(absl::string_view format) {
  std::string fields;
  for (size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if (absl::ascii_isdigit(c) || !absl::ascii_isprint(c)) return false;
    if (c != '%') continue;
    if (++i == format.size() ||
        absl::string_view("YmdHMS").find(format[i]) == absl::string_view::npos ||
        absl::StrContains(fields, format[i])) {
      return false;
    }
    fields += format[i];
  }
  return !fields.empty();  // absl::ParseTime knows texts of its own: "infinite-past"
}

// Takes a number of up to `width` digits off the front. -1: there is none.
int TakeNumber(absl::string_view* text, size_t width) {
  int value = 0;
  size_t digits = 0;
  while (digits < width && digits < text->size() && absl::ascii_isdigit((*text)[digits])) {
    value = value * 10 + ((*text)[digits++] - '0');
  }
  text->remove_prefix(digits);
  return digits == 0 ? -1 : value;
}

struct CivilFields {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
};

bool ReadFields(absl::string_view format, absl::string_view text, CivilFields* fields) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      if (text.empty() || text.front() != format[i]) return false;
      text.remove_prefix(1);
      continue;
    }
    switch (format[++i]) {
      case 'Y':  // four digits only: absl takes any number of them, and a sign
        if (text.size() > 4 && absl::ascii_isdigit(text[4])) return false;
        if ((fields->year = TakeNumber(&text, 4)) < 1000) return false;
        break;
      case 'm':
        fields->month = TakeNumber(&text, 2);
        break;
      case 'd':
        fields->day = TakeNumber(&text, 2);
        break;
      case 'H':
        fields->hour = TakeNumber(&text, 2);
        break;
      case 'M':
        fields->minute = TakeNumber(&text, 2);
        break;
      case 'S':
        fields->second = TakeNumber(&text, 2);
        break;
    }
  }
  return text.empty() && fields->hour >= 0 && fields->hour < 24 && fields->minute >= 0 &&
         fields->minute < 60 && fields->second >= 0 && fields->second < 60;
}

}  // namespace

absl::StatusOr<TimeParser> TimeParser::Create(absl::string_view format, absl::string_view zone) {
  TimeParser parser;
  if (!absl::LoadTimeZone(zone, &parser.zone_)) {
    return absl::InvalidArgumentError(absl::StrCat("no time zone is called \"", zone, "\""));
  }
  parser.format_ = std::string(format);
  if (format == "unix_ms") {
    parser.unit_ = Unit::kMilliseconds;
  } else if (format == "unix_s") {
    parser.unit_ = Unit::kSeconds;
  } else {
    const std::string spelt = absl::StrReplaceAll(format, {{"%F", "%Y-%m-%d"}, {"%T", "%H:%M:%S"}});
    if (IsPlain(spelt)) parser.plain_format_ = spelt;
  }
  return parser;
}

absl::Status TimeParser::Parse(absl::string_view text, int64_t* time_ms) {
  if (unit_ == Unit::kFormat) {
    return ParseFast(text, time_ms) ? absl::OkStatus() : ParseSlow(text, time_ms);
  }
  const int64_t scale = unit_ == Unit::kSeconds ? kSecondMs : 1;
  int64_t count;
  if (!absl::SimpleAtoi(text, &count) || __builtin_mul_overflow(count, scale, time_ms)) {
    return Fault(reasons::kBadTime, Shown(text), " is no whole number of ",
                 unit_ == Unit::kSeconds ? "seconds" : "milliseconds");
  }
  return absl::OkStatus();
}

bool TimeParser::ParseFast(absl::string_view text, int64_t* time_ms) {
  CivilFields f;
  if (plain_format_.empty() || !ReadFields(plain_format_, text, &f)) return false;
  const absl::CivilHour hour(f.year, f.month, f.day, f.hour);
  // Civil time normalises the 31st of June away; absl::ParseTime refuses it.
  if (hour.month() != f.month || hour.day() != f.day) return false;
  int64_t start_ms;
  if (!HourStart(hour, &start_ms)) return false;
  *time_ms = start_ms + (f.minute * 60 + f.second) * kSecondMs;
  return true;
}

// Where `hour` of the zone's clocks begins; false if it is no whole hour, because the clocks are
// put forward in it. `pre` is what absl::ParseTime takes for a time that the clocks show twice or
// never.
bool TimeParser::HourStart(absl::CivilHour hour, int64_t* start_ms) {
  if (!hour_known_ || hour != hour_) {
    const absl::CivilSecond first(hour);
    const absl::Time begin = zone_.At(first).pre;
    const absl::Time end = zone_.At(first + 3599).pre;
    if (end - begin != absl::Seconds(3599)) return false;
    hour_ = hour;
    hour_start_ms_ = absl::ToUnixMillis(begin);
    hour_known_ = true;
  }
  *start_ms = hour_start_ms_;
  return true;
}

absl::Status TimeParser::ParseSlow(absl::string_view text, int64_t* time_ms) const {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(format_, text, zone_, &time, &error)) {
    return Fault(reasons::kBadTime, Shown(text), " is not of the form ", format_);
  }
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) {
    return Fault(reasons::kBadTime, Shown(text), " is no time");
  }
  *time_ms = absl::ToUnixMillis(time);
  return absl::OkStatus();
}

}  // namespace vitrine
