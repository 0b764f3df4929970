#include "api/render/render.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "store/base/check.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kGap = "  ";

std::string CellText(const Report::Cell& cell, const Report::Column& column) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<int64_t>(&cell)) return WithThousands(*number);
  return absl::StrFormat("%.*f", column.decimals, std::get<double>(cell));
}

bool IsNumber(const Report::Cell& cell) { return !std::holds_alternative<std::string>(cell); }

// Numbers stand right, text left; the last column of text is not filled up.
std::string Pad(const std::string& text, size_t width, bool right, bool is_last) {
  const size_t missing = width - std::min(width, DisplayWidth(text));
  if (right) return std::string(missing, ' ') + text;
  return is_last ? text : text + std::string(missing, ' ');
}

void AppendTable(const Report::Table& table, std::string* out) {
  const size_t columns = table.columns.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns, !table.rows.empty());
  std::vector<std::vector<std::string>> texts;
  for (size_t c = 0; c < columns; ++c) widths[c] = DisplayWidth(table.columns[c].name);
  for (const std::vector<Report::Cell>& row : table.rows) {
    CHECK(row.size() == columns) << "table " << table.name;
    std::vector<std::string>& line = texts.emplace_back();
    for (size_t c = 0; c < columns; ++c) {
      line.push_back(CellText(row[c], table.columns[c]));
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
  if (!table.title.empty()) absl::StrAppend(out, table.title, "\n");
  std::vector<std::string> heads;
  std::vector<std::string> rules;
  for (size_t c = 0; c < columns; ++c) {
    heads.push_back(table.columns[c].name);
    rules.emplace_back(widths[c], '-');
  }
  append_line(heads);
  append_line(rules);
  for (const std::vector<std::string>& line : texts) append_line(line);
}

Json ToJson(const Report::Cell& cell) {
  return std::visit([](const auto& value) { return Json(value); }, cell);
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

std::string WithThousands(int64_t number) {
  std::string digits =
      absl::StrCat(number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number));
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return number < 0 ? "-" + digits : digits;
}

std::string RenderText(const Report& report) {
  std::string out;
  for (const Report::Table& table : report.tables) {
    if (!out.empty()) out.push_back('\n');
    AppendTable(table, &out);
  }
  if (!report.notes.empty() && !out.empty()) out.push_back('\n');
  for (const std::string& note : report.notes) absl::StrAppend(&out, note, "\n");
  return out;
}

std::string RenderJson(const Report& report) {
  Json tables = Json::object();
  for (const Report::Table& table : report.tables) {
    Json rows = Json::array();
    for (const std::vector<Report::Cell>& row : table.rows) {
      Json object = Json::object();
      for (size_t c = 0; c < row.size(); ++c) object[table.columns[c].name] = ToJson(row[c]);
      rows.push_back(std::move(object));
    }
    tables[table.name] = std::move(rows);
  }
  const Json document = {{"tables", std::move(tables)}, {"notes", report.notes}};
  // Text that is no UTF-8 must not stop a report: its bytes are replaced.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vitrine
