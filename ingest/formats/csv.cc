#include "ingest/formats/csv.h"

#include <algorithm>

namespace vitrine {

const std::vector<absl::string_view>& CsvSplitter::Split(absl::string_view record) {
  fields_.clear();
  unquoted_.clear();
  absl::string_view rest = record;
  while (true) {
    if (!rest.empty() && rest.front() == '"') {
      if (unquoted_.empty()) unquoted_.reserve(record.size());
      fields_.push_back(TakeQuoted(&rest));
    } else {
      size_t end = 0;
      while (end < rest.size() && rest[end] != delimiter_) ++end;
      fields_.push_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
    if (rest.empty()) return fields_;
    rest.remove_prefix(1);  // the delimiter
  }
}

absl::string_view CsvSplitter::TakeQuoted(absl::string_view* rest) {
  rest->remove_prefix(1);
  const size_t start = unquoted_.size();
  bool doubled = false;
  const absl::string_view field = *rest;
  size_t end = 0;
  for (; end < field.size(); ++end) {
    if (field[end] == '"') {
      if (end + 1 == field.size() || field[end + 1] != '"') break;
      if (!doubled) unquoted_.append(field.data(), end);
      doubled = true;
      ++end;
    }
    if (doubled) unquoted_.push_back(field[end]);
  }
  const absl::string_view after = field.substr(std::min(end + 1, field.size()));
  rest->remove_prefix(field.size() - after.size());
  if (!doubled) return field.substr(0, end);
  return absl::string_view(unquoted_).substr(start);
}

}  // namespace vitrine
