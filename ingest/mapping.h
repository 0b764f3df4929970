// How one file format becomes our Events: read from a small TOML file, one per kind of source
// (examples/gifts.toml, examples/fashion.toml; every key is explained in ingest/README.md).

#ifndef VITRINE_INGEST_MAPPING_H_
#define VITRINE_INGEST_MAPPING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

struct Mapping {
  enum class Format { kCsv, kJsonLines };

  // A condition on one column; the first rule that holds wins.
  struct Rule {
    std::string column;
    std::vector<std::string> equals;        // any of these; or
    std::string matches;                    // an RE2 that must match the whole field
    std::string reason;                     // of an [[ignore]] rule
    EventKind kind = EventKind::PAGE_VIEW;  // of a [[kind]] rule
  };

  struct Time {
    std::vector<std::string> columns;  // joined by one space, then parsed by
    std::string format;                // absl::ParseTime format, or "unix_ms" / "unix_s"
    std::string zone = "UTC";          // IANA name
    std::string step_column;           // optional: a number; adds (number - 1) * step_ms
    int64_t step_ms = 0;
  };

  Format format = Format::kCsv;
  char delimiter = ',';
  std::string currency;  // ISO 4217; for lines that do not say
  EventKind default_kind = EventKind::VIEW_ITEM;
  std::vector<Rule> kinds;
  std::vector<Rule> ignores;
  Time time;
  // Column names; empty = the file has none. `id` columns joined make the event id; without any
  // the id is a fingerprint of the event, so equal lines are duplicates.
  std::vector<std::string> id;
  std::string customer, customer_strip_suffix, visitor, visitor_prefix, visitor_fallback;
  std::string order, product, name, category, quantity, price, country;
  int64_t session_gap_ms = 30 * 60 * 1000;
};

// InvalidArgument with file, line and what is wrong; unknown keys are errors (they are typos).
absl::StatusOr<Mapping> ParseMapping(absl::string_view toml, absl::string_view file_name);

}  // namespace vitrine

#endif  // VITRINE_INGEST_MAPPING_H_
