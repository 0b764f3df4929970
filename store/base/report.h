// What every floor hands up when it has something to tell a person: tables and notes, without a
// word about how they look. api/render alone turns a Report into terminal text or JSON.

#ifndef VITRINE_STORE_BASE_REPORT_H_
#define VITRINE_STORE_BASE_REPORT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vitrine {

struct Report {
  // Text stands left, numbers right. A double is shown with the digits of its column.
  using Cell = std::variant<std::string, int64_t, double>;

  struct Column {
    std::string name;
    int decimals = 0;  // digits after the point of a double
  };

  struct Table {
    std::string name;   // a key for JSON: lower_case_with_underscores
    std::string title;  // a heading for people
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;  // each as long as `columns`
  };

  std::vector<Table> tables;
  std::vector<std::string> notes;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_BASE_REPORT_H_
