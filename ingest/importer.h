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
#include "store/base/report.h"
#include "store/records_types.h"

namespace vitrine {

struct ImportProgress {
  int64_t bytes_done = 0;
  int64_t bytes_total = 0;  // 0: not known
  int64_t lines_done = 0;
};

struct ImportOptions {
  std::string source_name = {};  // empty: the file's canonical path
  size_t batch_events = 8192;
  // Called about once a batch, from one thread.
  std::function<void(const ImportProgress&)> on_progress = nullptr;
};

struct ImportSummary {
  SourceState before;  // what the source had offered when this import began
  SourceState after;
  double seconds = 0;
  std::vector<Reject> first_rejects;  // of this import, at most 10, to show
};

// Reads `path` from where its source stands to its end. InvalidArgument for a directory, an empty
// file, a missing column (named, with those that are there); the store's error if it fails (what
// was committed stays, and the next import goes on from there).
absl::StatusOr<ImportSummary> ImportFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options);

// The accounting table: outcomes of this import and of the source in all, and that they add up.
Report AccountingReport(const ImportSummary& summary);

}  // namespace vitrine

#endif  // VITRINE_INGEST_IMPORTER_H_
