// Rejected lines, read again with a mapping (or a program) that was put right.
//
//   ASSIGN_OR_RETURN(ReplaySummary done, ReplayRejects(mapping, find, &sink, {.reason =
//   "bad_time"}));
//
// A reject that is one no longer moves, in one write, from "rejected:<reason>" to what it is now in
// the accounting of the source that it came from, and its row goes. So the outcomes still add up to
// the lines, and replaying twice, or being killed half way, or reading a corrected file besides,
// counts nothing twice.

#ifndef VITRINE_INGEST_REPLAY_H_
#define VITRINE_INGEST_REPLAY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "ingest/batch_sink.h"
#include "ingest/mapping.h"
#include "store/base/report.h"
#include "store/records_types.h"

namespace vitrine {

struct ReplayOptions {
  std::string source = {};  // empty: every source
  std::string reason = {};  // empty: whatever the reason was
  bool dry_run = false;     // parses, writes nothing
  size_t batch_rejects = 1000;
  // Called about once a batch with the rejects looked at so far.
  std::function<void(int64_t)> on_progress = nullptr;
};

struct ReplaySummary {
  // Source and outcome to lines that it gained or lost; a source's add up to 0. A dry run does not
  // know which events are duplicates: they all are "event".
  std::map<std::pair<std::string, std::string>, int64_t> changes;
  int64_t lines = 0;           // looked at
  int64_t still_rejected = 0;  // for the reason they were
  // Why to rejects that could not be read again and stay as they are.
  std::map<std::string, int64_t> left;
  bool dry_run = false;
};

// Where the rejects are (WebHouse::FindRejects, or the same through a server).
using FindRejects = std::function<absl::StatusOr<RejectPage>(const RejectQuery&)>;

// InvalidArgument if the mapping fits none of the files; Aborted if somebody else replays the same
// rejects (run it again); else the store's errors. What was committed before an error stays.
absl::StatusOr<ReplaySummary> ReplayRejects(const Mapping& mapping, const FindRejects& find,
                                            BatchSink* sink, const ReplayOptions& options);

// What moved where, and what could not be read again and why.
Report ReplayReport(const ReplaySummary& summary);

}  // namespace vitrine

#endif  // VITRINE_INGEST_REPLAY_H_
