// How numbers, days and messages are written in each language. Plain text: whoever puts it into a
// page escapes it.

#ifndef VITRINE_API_RENDER_WORDING_H_
#define VITRINE_API_RENDER_WORDING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"

#include "api/render/messages.h"
#include "store/base/report.h"

namespace vitrine {

// "12,345,678"; in Persian with its own digits and signs: "۱۲٬۳۴۵٬۶۷۸", "۰٫۵", "۱۲٪". What is above
// 0 and would read as 0 is "<0.01".
std::string FormatInteger(Language language, int64_t number);
std::string FormatDecimal(Language language, double number, int decimals);
std::string FormatShare(Language language, double share, int decimals);

// A day like "2024-03-20"; in Persian of the Solar Hijri calendar: "۱۴۰۳/۰۱/۰۱". Other text is
// returned as it is.
std::string FormatDay(Language language, absl::string_view day);

std::string FormatArgument(Language language, const Report::Message::Argument& argument);

// The message with its arguments in it, each passed through `decorate` first. A key that the
// catalogue does not have is its own text.
std::string FormatMessage(Language language, const Report::Message& message,
                          const std::function<std::string(const std::string&)>& decorate = nullptr);

// A text, a cell, the head of a column ("revenue@GBP" is "revenue (GBP)"), the heading of a table.
// Parts are joined by " › " or " + "; an estimate is "0.1167 ±0.0066", with half the length of its
// interval.
std::string FormatText(Language language, const Report::Text& text);
std::string FormatCell(Language language, const Report::Cell& cell, const Report::Column& column);
// Where an estimate lies: "0.1101 – 0.1233".
std::string FormatRange(Language language, const Report::Estimate& estimate,
                        const Report::Column& column);
std::string HeadOf(Language language, const Report::Column& column);
std::string TitleOf(Language language, const Report::Table& table);

bool IsNumber(const Report::Cell& cell);

}  // namespace vitrine

#endif  // VITRINE_API_RENDER_WORDING_H_
