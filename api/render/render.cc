#include "api/render/render.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "api/render/wording.h"
#include "store/base/check.h"
#include "store/base/utf8.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kGap = "  ";

// Numbers stand right, text left; the last column of text is not filled up.
std::string Pad(const std::string& text, size_t width, bool right, bool is_last) {
  const size_t missing = width - std::min(width, DisplayWidth(text));
  if (right) return std::string(missing, ' ') + text;
  return is_last ? text : text + std::string(missing, ' ');
}

void AppendTable(const Report::Table& table, Language language, std::string* out) {
  const size_t columns = table.columns.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns, !table.rows.empty());
  std::vector<std::vector<std::string>> texts;
  std::vector<std::string> heads;
  for (size_t c = 0; c < columns; ++c) {
    heads.push_back(HeadOf(language, table.columns[c]));
    widths[c] = DisplayWidth(heads[c]);
  }
  for (const std::vector<Report::Cell>& row : table.rows) {
    CHECK(row.size() == columns) << "table " << table.name;
    std::vector<std::string>& line = texts.emplace_back();
    for (size_t c = 0; c < columns; ++c) {
      line.push_back(FormatCell(language, row[c], table.columns[c]));
      widths[c] = std::max(widths[c], DisplayWidth(line.back()));
      if (!IsNumber(row[c])) right[c] = false;
    }
  }
  const auto append_line = [&](const std::vector<std::string>& cells) {
    for (size_t c = 0; c < columns; ++c) {
      absl::StrAppend(out, kGap, Pad(cells[c], widths[c], right[c], c + 1 == columns));
    }
    out->push_back('\n');
  };
  const std::string title = TitleOf(language, table);
  if (!title.empty()) absl::StrAppend(out, title, "\n");
  std::vector<std::string> rules;
  for (size_t c = 0; c < columns; ++c) rules.emplace_back(widths[c], '-');
  append_line(heads);
  append_line(rules);
  for (const std::vector<std::string>& line : texts) append_line(line);
}

// Words of ours as programs know them: "cart" for "stage.cart".
std::string Word(const Report::Message& message) {
  if (!message.arguments.empty()) return FormatMessage(Language::kEnglish, message);
  return message.key.substr(message.key.rfind('.') + 1);
}

Json ToJson(const Report::Text& text) {
  if (const auto* message = std::get_if<Report::Message>(&text)) return Word(*message);
  return std::get<std::string>(text);
}

Json ToJson(const Report::Cell& cell) {
  if (const auto* message = std::get_if<Report::Message>(&cell)) return Word(*message);
  if (const auto* parts = std::get_if<Report::Parts>(&cell)) {
    Json list = Json::array();
    for (const Report::Text& part : parts->parts) list.push_back(ToJson(part));
    return list;
  }
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<int64_t>(&cell)) return *number;
  if (const auto* estimate = std::get_if<Report::Estimate>(&cell)) return estimate->value;
  return std::get<double>(cell);
}

}  // namespace

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0x7f >> length);
    for (size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = point << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3f);
    }
    const bool combines = (point >= 0x300 && point <= 0x36f) ||  // Latin marks
                          (point >= 0x64b && point <= 0x65f) ||  // Arabic marks
                          (point >= 0x200b && point <= 0x200f);  // joiners, direction
    width += combines ? 0 : 1;
    i += length;
  }
  return width;
}

std::string EscapeForTerminal(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const absl::string_view piece = text.substr(i, length);
    const bool control =
        lead < 0x20 || lead == 0x7f ||
        (lead == 0xc2 && piece.size() == 2 && static_cast<unsigned char>(piece[1]) < 0xa0);
    // U+200E, U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF: invisible, or they turn text.
    const bool unseen = (piece >= "\xe2\x80\x8e" && piece <= "\xe2\x80\x8f") ||
                        (piece >= "\xe2\x80\xa8" && piece <= "\xe2\x80\xae") ||
                        (piece >= "\xe2\x81\xa0" && piece <= "\xe2\x81\xaf") ||
                        piece == "\xef\xbb\xbf";
    if (lead == '\\') {
      out += "\\\\";
    } else if (!control && !unseen && IsUtf8(piece)) {
      absl::StrAppend(&out, piece);
    } else {
      length = control || unseen ? piece.size() : 1;
      for (const unsigned char byte : piece.substr(0, length)) {
        absl::StrAppend(&out, "\\x", absl::Hex(byte, absl::kZeroPad2));
      }
    }
    i += length;
  }
  return out;
}

std::string WithThousands(int64_t number) {
  std::string digits =
      absl::StrCat(number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number));
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return number < 0 ? "-" + digits : digits;
}

std::string RenderText(const Report& report, Language language) {
  std::string out;
  for (const Report::Table& table : report.tables) {
    if (!out.empty()) out.push_back('\n');
    AppendTable(table, language, &out);
  }
  const bool notes = !report.notes.empty() || !report.messages.empty() || !report.summary.empty();
  if (notes && !out.empty()) out.push_back('\n');
  for (const Report::Message& message : report.summary) {
    absl::StrAppend(&out, FormatMessage(language, message), "\n");
  }
  for (const std::string& note : report.notes) absl::StrAppend(&out, note, "\n");
  for (const Report::Message& message : report.messages) {
    absl::StrAppend(&out, FormatMessage(language, message), "\n");
  }
  return out;
}

std::string RenderJson(const Report& report) {
  Json tables = Json::object();
  for (const Report::Table& table : report.tables) {
    Json rows = Json::array();
    for (const std::vector<Report::Cell>& row : table.rows) {
      Json object = Json::object();
      for (size_t c = 0; c < row.size(); ++c) {
        const std::string& name = table.columns[c].name;
        object[name] = ToJson(row[c]);
        if (const auto* estimate = std::get_if<Report::Estimate>(&row[c])) {
          object[name + "_low"] = estimate->low;
          object[name + "_high"] = estimate->high;
        }
      }
      rows.push_back(std::move(object));
    }
    tables[table.name] = std::move(rows);
  }
  Json notes = report.notes;
  for (const Report::Message& message : report.summary) {
    notes.push_back(FormatMessage(Language::kEnglish, message));
  }
  for (const Report::Message& message : report.messages) {
    notes.push_back(FormatMessage(Language::kEnglish, message));
  }
  const Json document = {{"tables", std::move(tables)}, {"notes", std::move(notes)}};
  // Text that is no UTF-8 must not stop a report: its bytes are replaced.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vitrine
