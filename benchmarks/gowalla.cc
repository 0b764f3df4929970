#include "benchmarks/gowalla.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"

namespace vitrine::benchmarks {
namespace {

absl::StatusOr<std::string> Unpacked(const std::string& path) {
  if (!std::filesystem::exists(path))
    return absl::NotFoundError(absl::StrCat(path, " is not here"));
  const std::string command = absl::StrCat("zstd -dcfq '", path, "'");
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  if (!pipe) return absl::InternalError("zstd does not start");
  std::string text;
  char buffer[1 << 16];
  while (const size_t got = std::fread(buffer, 1, sizeof(buffer), pipe.get())) {
    text.append(buffer, got);
  }
  return text;
}

absl::StatusOr<SparseRows> ReadRows(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, Unpacked(path));
  SparseRows rows;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t line = 0; at < end; ++line) {
    const char* const line_end = std::find(at, end, '\n');
    std::vector<Cell> row;
    bool first = true;
    while (at < line_end) {
      uint32_t number = 0;
      const auto [next, error] = std::from_chars(at, line_end, number);
      if (error != std::errc() || (first && number != line)) {
        return absl::DataLossError(absl::StrCat(path, ": line ", line + 1, " is damaged"));
      }
      if (!first) row.push_back({number, 1});
      first = false;
      at = next;
      while (at < line_end && (*at == ' ' || *at == '\r')) ++at;
    }
    ++at;
    MergeCells(1, &row);
    for (const Cell& cell : row) rows.columns = std::max<size_t>(rows.columns, cell.index + 1);
    rows.cells.insert(rows.cells.end(), row.begin(), row.end());
    rows.offsets.push_back(rows.cells.size());
  }
  return rows;
}

}  // namespace

absl::StatusOr<Gowalla> ReadGowalla(const std::string& folder) {
  Gowalla gowalla;
  ASSIGN_OR_RETURN(gowalla.train, ReadRows(folder + "/train.txt.zst"));
  ASSIGN_OR_RETURN(gowalla.test, ReadRows(folder + "/test.txt.zst"));
  const size_t columns = std::max(gowalla.train.columns, gowalla.test.columns);
  gowalla.train.columns = gowalla.test.columns = columns;
  if (gowalla.train.rows() != gowalla.test.rows()) {
    return absl::DataLossError(absl::StrCat(folder, ": ", gowalla.train.rows(), " persons train, ",
                                            gowalla.test.rows(), " are tested"));
  }
  return gowalla;
}

}  // namespace vitrine::benchmarks
