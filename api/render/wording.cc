#include "api/render/wording.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"

#include "api/render/render.h"

namespace vitrine {
namespace {

constexpr absl::string_view kPersianDigits[] = {"۰", "۱", "۲", "۳", "۴", "۵", "۶", "۷", "۸", "۹"};

// Digits and signs of a number that is written the English way.
std::string ToPersian(absl::string_view english) {
  std::string persian;
  for (const char c : english) {
    if (c >= '0' && c <= '9') {
      absl::StrAppend(&persian, kPersianDigits[c - '0']);
    } else if (c == ',') {
      persian += "٬";
    } else if (c == '.') {
      persian += "٫";
    } else if (c == '%') {
      persian += "٪";
    } else {
      persian.push_back(c);
    }
  }
  return persian;
}

std::string InDigitsOf(Language language, std::string english) {
  return language == Language::kPersian ? ToPersian(english) : std::move(english);
}

// The Solar Hijri calendar in its 33-year arithmetic, which is the observed one from 1799 to 2256.
bool IsPersianLeapYear(int64_t year) { return (25 * year + 11) % 33 < 8; }

std::string PersianDay(absl::CivilDay day) {
  int64_t year = 1403;
  int64_t left = day - absl::CivilDay(2024, 3, 20);  // its first day
  const auto days_of = [](int64_t y) { return IsPersianLeapYear(y) ? 366 : 365; };
  while (left < 0) left += days_of(--year);
  while (left >= days_of(year)) left -= days_of(year++);
  // Six months of 31 days, then months of 30.
  const int64_t month = left < 186 ? left / 31 : 6 + (left - 186) / 30;
  const int64_t of_month = left < 186 ? left % 31 : (left - 186) % 30;
  return absl::StrFormat("%d/%02d/%02d", year, month + 1, of_month + 1);
}

// As the column says.
std::string FormatNumber(Language language, double number, const Report::Column& column) {
  return column.unit == Report::Unit::kShare ? FormatShare(language, number, column.decimals)
                                             : FormatDecimal(language, number, column.decimals);
}

}  // namespace

std::string FormatInteger(Language language, int64_t number) {
  return InDigitsOf(language, WithThousands(number));
}

std::string FormatDecimal(Language language, double number, int decimals) {
  if (!std::isfinite(number)) return absl::StrCat(number);
  const double least = std::pow(10, -decimals);
  if (number > 0 && number < least / 2) return "<" + FormatDecimal(language, least, decimals);
  std::string text = absl::StrFormat("%.*f", decimals, number);
  // Thousands, as integers have them.
  const size_t first = text[0] == '-' ? 1 : 0;
  size_t at = std::min(text.find('.'), text.size());
  while (at > first + 3) text.insert(at -= 3, ",");
  return InDigitsOf(language, std::move(text));
}

std::string FormatShare(Language language, double share, int decimals) {
  return FormatDecimal(language, 100 * share, decimals) +
         (language == Language::kPersian ? "٪" : "%");
}

std::string FormatDay(Language language, absl::string_view day) {
  absl::CivilDay civil;
  if (language == Language::kEnglish || !absl::ParseCivilTime(day, &civil)) {
    return std::string(day);
  }
  return ToPersian(PersianDay(civil));
}

std::string FormatArgument(Language language, const Report::Message::Argument& argument) {
  if (const auto* number = std::get_if<int64_t>(&argument)) return FormatInteger(language, *number);
  if (const auto* number = std::get_if<double>(&argument)) {
    return FormatDecimal(language, *number, 2);
  }
  if (const auto* key = std::get_if<Report::Key>(&argument)) {
    return std::string(FindMessage(language, key->key).value_or(key->key));
  }
  return FormatDay(language, std::get<std::string>(argument));
}

std::string FormatMessage(Language language, const Report::Message& message,
                          const std::function<std::string(const std::string&)>& decorate) {
  const std::string text(FindMessage(language, message.key).value_or(message.key));
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t n = i + 2 < text.size() && text[i] == '{' && text[i + 2] == '}'
                         ? static_cast<size_t>(text[i + 1] - '0')
                         : message.arguments.size();
    if (n >= message.arguments.size()) {
      out.push_back(text[i]);
      continue;
    }
    const std::string argument = FormatArgument(language, message.arguments[n]);
    out += decorate ? decorate(argument) : argument;
    i += 2;
  }
  return out;
}

std::string FormatText(Language language, const Report::Text& text) {
  if (const auto* data = std::get_if<std::string>(&text)) return *data;
  return FormatMessage(language, std::get<Report::Message>(text));
}

std::string FormatCell(Language language, const Report::Cell& cell, const Report::Column& column) {
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return column.unit == Report::Unit::kDay ? FormatDay(language, *text) : *text;
  }
  if (const auto* number = std::get_if<int64_t>(&cell)) return FormatInteger(language, *number);
  if (const auto* number = std::get_if<double>(&cell)) {
    return FormatNumber(language, *number, column);
  }
  if (const auto* message = std::get_if<Report::Message>(&cell)) {
    return FormatMessage(language, *message);
  }
  if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) {
    return absl::StrCat(FormatNumber(language, estimate->value, column), " ±",
                        FormatNumber(language, (estimate->high - estimate->low) / 2, column));
  }
  const auto& parts = std::get<Report::Parts>(cell);
  return absl::StrJoin(
      parts.parts, parts.ordered ? " › " : " + ",
      [&](std::string* out, const Report::Text& part) { out->append(FormatText(language, part)); });
}

std::string FormatRange(Language language, const Report::Estimate& estimate,
                        const Report::Column& column) {
  return absl::StrCat(FormatNumber(language, estimate.low, column), " – ",
                      FormatNumber(language, estimate.high, column));
}

std::string HeadOf(Language language, const Report::Column& column) {
  const size_t at = std::min(column.name.find('@'), column.name.size());
  const auto known = FindMessage(language, absl::StrCat("column.", column.name.substr(0, at)));
  if (!known) return column.name;
  const std::string rest = column.name.substr(at);
  if (rest.size() > 1 && !absl::ascii_isdigit(rest[1])) {
    return absl::StrCat(*known, " (", rest.substr(1), ")");
  }
  return absl::StrCat(*known, InDigitsOf(language, rest));
}

std::string TitleOf(Language language, const Report::Table& table) {
  return std::string(
      FindMessage(language, absl::StrCat("table.", table.name)).value_or(table.title));
}

bool IsNumber(const Report::Cell& cell) {
  return std::holds_alternative<int64_t>(cell) || std::holds_alternative<double>(cell) ||
         std::holds_alternative<Report::Estimate>(cell);
}

}  // namespace vitrine
