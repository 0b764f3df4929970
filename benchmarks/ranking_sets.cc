#include "benchmarks/ranking_sets.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <vector>

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

void Append(std::vector<Cell> row, SparseRows* rows) {
  MergeCells(1, &row);
  rows->cells.insert(rows->cells.end(), row.begin(), row.end());
  rows->offsets.push_back(rows->cells.size());
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
    Append(std::move(row), &rows);
  }
  return rows;
}

// The liked films by person.
absl::Status ReadLiked(const std::string& path, std::vector<std::vector<Cell>>* liked) {
  constexpr uint32_t kLiked = 4;
  constexpr uint32_t kPersonsMax = 6040;
  liked->resize(kPersonsMax + 1);
  ASSIGN_OR_RETURN(const std::string text, Unpacked(path));
  const char* at = text.data();
  const char* const end = at + text.size();
  for (size_t line = 1; at < end; ++line) {
    uint32_t values[3] = {};  // person, film, rating
    for (uint32_t& value : values) {
      const auto [next, error] = std::from_chars(at, end, value);
      if (error != std::errc()) {
        return absl::DataLossError(absl::StrCat(path, ": line ", line, " is damaged"));
      }
      at = next < end ? next + 1 : end;
    }
    if (values[0] > kPersonsMax) {
      return absl::DataLossError(absl::StrCat(path, ": line ", line, " is of nobody"));
    }
    if (values[2] >= kLiked) (*liked)[values[0]].push_back({values[1], 1});
  }
  return absl::OkStatus();
}

size_t ColumnsOf(const SparseRows& rows) {
  uint32_t columns = 0;
  for (const Cell& cell : rows.cells) columns = std::max(columns, cell.index + 1);
  return columns;
}

}  // namespace

absl::StatusOr<RankingSet> ReadGowalla(const std::string& folder) {
  RankingSet set;
  ASSIGN_OR_RETURN(set.train, ReadRows(folder + "/train.txt.zst"));
  ASSIGN_OR_RETURN(set.test, ReadRows(folder + "/test.txt.zst"));
  set.train.columns = set.test.columns = std::max(ColumnsOf(set.train), ColumnsOf(set.test));
  if (set.train.rows() != set.test.rows()) {
    return absl::DataLossError(absl::StrCat(folder, ": ", set.train.rows(), " persons train, ",
                                            set.test.rows(), " are tested"));
  }
  return set;
}

absl::StatusOr<RankingSet> ReadMovielens(const std::string& folder, int fold) {
  std::vector<std::vector<Cell>> train, test;
  for (int f = 1; f <= kMovielensFolds; ++f) {
    RETURN_IF_ERROR(
        ReadLiked(absl::StrCat(folder, "/fold", f, ".csv.zst"), f == fold ? &test : &train));
  }
  RankingSet set;
  for (size_t person = 0; person < train.size(); ++person) {
    if (train[person].empty()) continue;
    Append(std::move(train[person]), &set.train);
    Append(std::move(test[person]), &set.test);
  }
  set.train.columns = set.test.columns = std::max(ColumnsOf(set.train), ColumnsOf(set.test));
  return set;
}

}  // namespace vitrine::benchmarks
