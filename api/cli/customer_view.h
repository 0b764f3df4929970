// One customer on one screen: who they are, where they stand, what they have open, and everything
// that happened between them and the shop in one time line.

#ifndef VITRINE_API_CLI_CUSTOMER_VIEW_H_
#define VITRINE_API_CLI_CUSTOMER_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "api/vitrine_types.h"
#include "store/base/report.h"

namespace vitrine::cli {

struct TimelineOptions {
  size_t most = 30;                     // rows, the newest
  std::vector<std::string> kinds = {};  // "purchase", "contact", "visit", "shown", ...; empty: all
  std::vector<std::string> channels = {};  // "web", "email", ...; empty: all
};

struct TimelineRow {
  int64_t time_ms = 0;
  std::string channel;
  std::string kind;  // of an event; "visit"; "shown"
  std::string what;

  bool operator==(const TimelineRow&) const = default;
};

// Events, visits and what was suggested, with what came of that, the newest first.
std::vector<TimelineRow> TimelineOf(const CustomerRecord& record, const TimelineOptions& options);

Report CustomerReport(const CustomerRecord& record, const TimelineOptions& options);

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_CUSTOMER_VIEW_H_
