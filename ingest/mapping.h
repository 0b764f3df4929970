// How one file format becomes our Events: read from a small TOML file, one per kind of source
// (examples/gifts.toml, examples/fashion.toml; every key is explained in ingest/README.md).

#ifndef VITRINE_INGEST_MAPPING_H_
#define VITRINE_INGEST_MAPPING_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/access_log_mapping.h"
#include "store/records_types.h"

namespace vitrine {

struct Mapping {
  enum class Format {
    kCsv,
    kAccessLog,
    kJsonLines,    // our own events
    kJson,         // any dialect, recognised object by object
    kGa4,          // bodies of the Measurement Protocol
    kGa4BigQuery,  // rows of GA4's export
    kSegment,
  };

  // What the lines of a file are about.
  enum class Rows { kEvents, kProducts, kCustomers };

  // Of a [catalogue] or [customers] section: which columns (of JSON, fields) hold what. A field of
  // ours that is not here is not in a CSV file, and is called as we call it in JSON.
  struct Facts {
    std::map<std::string, std::vector<std::string>> columns;  // by our name of the field
    std::string time_format;  // of available_from and _to; empty: %Y-%m-%d or RFC 3339
    std::string time_zone = "UTC";
  };

  // Holds if the column's field is one of `values`; a value that ends in '*' stands for all that
  // begin so.
  struct Condition {
    std::string column;
    std::vector<std::string> values;
  };

  // Holds if every condition of `when` does and none of `unless`. The first rule that holds wins.
  struct Rule {
    std::vector<Condition> when;
    std::vector<Condition> unless;
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

  struct Customer {
    std::string column;        // a line whose field is empty names no customer
    std::string strip_suffix;  // cut off where it is there ("17850.0")
  };

  struct Visitor {
    std::string column;
    std::string prefix;                  // put in front, to keep the ids of two sources apart
    bool only_without_customer = false;  // lines that name a customer get no visitor
  };

  Format format = Format::kCsv;
  SiteSettingsPatch site;  // what an import with this mapping sets for its site
  std::string currency;    // ISO 4217; for lines that do not say
  int64_t max_age_ms = 0;  // an older event is rejected; 0: none is too old

  AccessLogMapping access_log;  // for kAccessLog

  Rows rows = Rows::kEvents;
  Facts facts;  // of products and customers

  // The rest is for CSV.
  char delimiter = ',';
  EventKind default_kind = EventKind::VIEW_ITEM;
  Channel channel = Channel::WEB;
  std::vector<Rule> kinds;
  std::vector<Rule> ignores;
  Time time;
  Customer customer;
  Visitor visitor;
  // Column names; empty = the file has none. `event_id` columns joined by '/' make the event id;
  // without any the id is a fingerprint of the event, so equal lines are duplicates.
  std::vector<std::string> event_id;
  std::string order, product, name, category, quantity, price, country, recommendation;
  std::map<std::string, std::string> category_names;  // what the file writes, to what people read
};

// InvalidArgument with file, line and what is wrong; unknown keys are errors (they are typos).
absl::StatusOr<Mapping> ParseMapping(absl::string_view toml, absl::string_view file_name);

}  // namespace vitrine

#endif  // VITRINE_INGEST_MAPPING_H_
