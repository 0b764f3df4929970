// A file in, accounted for to the last line.
//
//   ASSIGN_OR_RETURN(ImportSummary done, ImportFile("retail.csv", mapping, &sink, {}));
//
// Every line ends in one outcome; batches carry the position, so an import that was killed goes on
// where its last batch ended, and an import of an unchanged file finds nothing to do.

#ifndef VITRINE_INGEST_IMPORTER_H_
#define VITRINE_INGEST_IMPORTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "ingest/batch_sink.h"
#include "ingest/mapping.h"
#include "ingest/robots/robot_lists.h"
#include "store/base/report.h"
#include "store/records_types.h"

namespace vitrine {

struct ImportProgress {
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;  // 0: not known
  int64_t lines_done = 0;
};

struct ImportOptions {
  std::string source_name = {};  // empty: the file's canonical path, or "stdin"
  size_t batch_events = 8192;
  // Called about once a batch, from one thread.
  std::function<void(const ImportProgress&)> on_progress = nullptr;
  // Events whose user agent is a robot's count as "robot"; null: nobody's is. Must outlive the
  // import.
  const RobotLists* robots = nullptr;
};

// What FollowFile waits with; a test says here what happens to the file meanwhile.
class FollowWaiter {
 public:
  virtual ~FollowWaiter() = default;

  // Waits a moment for the file to change. False: told to stop.
  virtual bool Wait() = 0;

  // Whether we are told to stop; asked between batches.
  virtual bool Stopped() = 0;
};

struct ImportSummary {
  SourceState before;  // what the source had offered when this import began
  SourceState after;
  double seconds = 0;
  std::string format;                 // what was recognised; empty: the mapping said it all
  std::vector<Reject> first_rejects;  // of this import, at most 10, to show
};

// Reads `path` (unpacked, if it is packed by gzip or zstd; "-" is standard input, which is always
// read from its beginning) from where its source stands to its end. InvalidArgument for a
// directory, an empty file, a missing column (named, with those that are there), a log that no
// format fits; DataLoss where a packed file is damaged (the lines before that are in); the store's
// error if it fails (what was committed stays, and the next import goes on from there).
absl::StatusOr<ImportSummary> ImportFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options);

// Reads `path` as ImportFile does, and then what it grows by, until `waiter` says to stop; all that
// was read is then committed. Derived rows are brought up to date whenever the end was reached. A
// last line is read when its line end is there. When the file is rotated (renamed and made anew, or
// copied and truncated) the rest of the old one comes first, even if that happened while nobody
// followed: it is found beside `path` by its content. All files are one source. InvalidArgument for
// CSV, and for a packed file.
absl::StatusOr<ImportSummary> FollowFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options,
                                         FollowWaiter* waiter);

// The accounting table: outcomes of this import and of the source in all, and that they add up.
Report AccountingReport(const ImportSummary& summary);

}  // namespace vitrine

#endif  // VITRINE_INGEST_IMPORTER_H_
