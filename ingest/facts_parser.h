// Files of the back office: a row of the catalogue or of the customer file in, facts out.

#ifndef VITRINE_INGEST_FACTS_PARSER_H_
#define VITRINE_INGEST_FACTS_PARSER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/formats/csv.h"
#include "ingest/formats/element.h"
#include "ingest/formats/json_tree.h"
#include "ingest/mapping.h"
#include "ingest/time_parser.h"
#include "store/records_types.h"

namespace vitrine {

// Reads what a [catalogue] or [customers] section of a mapping describes. A field that is empty (or
// null, or absent) is not set: what is known of it stays. Not thread-safe.
class FactsParser {
 public:
  // `header` is the line with the names of a CSV file's columns; nothing for JSON. InvalidArgument
  // if a column is missing. `mapping` must outlive the parser.
  static absl::StatusOr<FactsParser> Create(const Mapping& mapping, absl::string_view header);

  // Appends what the line holds: of CSV one row; of JSON any number of objects, behind one another
  // or in an array (formats/json_tree.h). Rows are valid (ValidateProduct, ValidateCustomerFacts)
  // and were said at `now_ms`.
  void Parse(absl::string_view line, int64_t now_ms, std::vector<Element>* elements);

 private:
  // The text of a column; empty: not set.
  using Column = absl::FunctionRef<absl::StatusOr<absl::string_view>(const std::string& name)>;
  using Attributes = std::map<std::string, std::string>;

  explicit FactsParser(const Mapping& mapping);

  absl::Status ReadCsv(absl::string_view line, Element* element);
  absl::Status ReadJson(absl::string_view object, Element* element);
  absl::Status Read(Column column, Element* element);
  absl::Status ReadProduct(Column column, Product* product);
  absl::Status ReadMoney(Column column, Product* product);
  absl::Status ReadCategory(Column column, Product* product);
  absl::Status ReadTime(Column column, absl::string_view field, std::optional<int64_t>* time_ms);
  absl::Status ReadCustomer(Column column, CustomerFacts* customer);
  absl::StatusOr<absl::string_view> One(Column column, absl::string_view field) const;

  const Mapping* mapping_;
  CsvSplitter splitter_;
  absl::flat_hash_map<std::string, size_t> columns_;  // of a CSV file
  std::unique_ptr<JsonTree> tree_;
  Attributes attributes_;  // of the row being read
  std::vector<TimeParser> times_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FACTS_PARSER_H_
