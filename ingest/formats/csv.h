// One CSV record into its fields (RFC 4180).

#ifndef VITRINE_INGEST_FORMATS_CSV_H_
#define VITRINE_INGEST_FORMATS_CSV_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace vitrine {

// Not thread-safe: keeps its buffers from record to record.
class CsvSplitter {
 public:
  explicit CsvSplitter(char delimiter) : delimiter_(delimiter) {}

  // The fields of a record that LineReader gave with the same delimiter, quotes taken off. The
  // views lie in `record` or in the splitter, and hold until the next call. O(bytes), no allocation
  // once the buffers have grown. A quote inside of an unquoted field is a character like any other.
  const std::vector<absl::string_view>& Split(absl::string_view record);

 private:
  // Takes the quoted field at the front of `*rest` off it.
  absl::string_view TakeQuoted(absl::string_view* rest);

  const char delimiter_;
  std::vector<absl::string_view> fields_;
  std::string unquoted_;  // fields with doubled quotes; never grows while views lie in it
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_CSV_H_
