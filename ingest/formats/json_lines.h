// Our own events as JSON, one object a line (examples/events.toml shows one).

#ifndef VITRINE_INGEST_FORMATS_JSON_LINES_H_
#define VITRINE_INGEST_FORMATS_JSON_LINES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "store/records_types.h"

namespace vitrine {

// Fields are named as in store/records.thrift; kinds and channels in small letters. Instead of
// `time_ms` there may be an RFC 3339 `time`, instead of an item's `price_minor` a decimal `price`
// (a number or a string, read to the last digit). null is as good as absent; names that are not
// ours are skipped. With `sent_ms` and `received_ms` the time is repaired (ingest/clock_repair.h).
// Not thread-safe: keeps its buffers from line to line.
class JsonEventParser {
 public:
  // `default_currency` (may be empty) is that of priced events which name none.
  explicit JsonEventParser(absl::string_view default_currency);
  ~JsonEventParser();

  // Replaces `*event`; its id stays empty if the line gives none. A fault (reasons.h) names the
  // field: "bad_quantity: items[2].quantity: ...".
  absl::Status Parse(absl::string_view line, Event* event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_FORMATS_JSON_LINES_H_
