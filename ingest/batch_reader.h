// A source's file, opened where the source stands and cut into batches.

#ifndef VITRINE_INGEST_BATCH_READER_H_
#define VITRINE_INGEST_BATCH_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "ingest/batch_sink.h"
#include "ingest/formats/element.h"
#include "ingest/formats/line_reader.h"
#include "ingest/line_parser.h"
#include "ingest/mapping.h"
#include "ingest/robots/robot_lists.h"
#include "store/records_types.h"

namespace vitrine {

// A batch, and how much of the file (packed, if it is) had been read for it.
struct CutBatch {
  EventBatch batch;
  std::shared_ptr<const PreparedEvents> prepared;  // by PumpBatches, if the sink does so
  int64_t file_bytes = 0;
};

// Not thread-safe.
class BatchReader {
 public:
  // The file of a source, and how to read it. What it points to outlives the readers.
  struct Origin {
    std::string path;  // kStandardInput is read from its beginning, whatever the source had read
    std::string name;  // of the source
    const Mapping* mapping = nullptr;
    BatchSink* sink = nullptr;
    size_t batch_events = 0;
    const RobotLists* robots = nullptr;  // as ImportOptions has them
  };

  // Opens the file where the sink says that the source stands. One that no longer begins with what
  // was read is read again from its first line (BatchSink::RestartSource). InvalidArgument for a
  // file with nothing in it, and as LineParser::Create and ByteSource::Open.
  static absl::StatusOr<BatchReader> Open(const Origin& origin);

  // The same, but none if the file does not begin with what was read.
  static absl::StatusOr<std::optional<BatchReader>> OpenIfItGoesOn(const Origin& origin);

  // The next batch; none at the end of the file. Where the file is damaged, the error comes after
  // a batch with all lines before that.
  absl::StatusOr<std::optional<CutBatch>> Next();

  // Takes back a batch that is done with, for the room in it.
  void Recycle(CutBatch done);

  // Where the source stands, as far as batches were given.
  const SourceState& state() const { return state_; }
  std::string FormatDescription() const { return parser_.Description(); }
  LineReader& lines() { return reader_; }

 private:
  BatchReader(LineReader reader, LineParser parser, SourceState state, const Origin& origin);

  static absl::StatusOr<BatchReader> OpenAtFirstLine(const Origin& origin, SourceState state);
  static absl::StatusOr<std::optional<BatchReader>> OpenAt(const Origin& origin,
                                                           const SourceState& state);
  absl::Status RecallUpTo(const Origin& origin, const SourceState& state);
  void JudgeNewest(EventBatch* batch);
  void Take(const Line& line, EventBatch* batch);
  void TakeElements(const Line& line, EventBatch* batch);

  LineReader reader_;
  LineParser parser_;
  SourceState state_;
  int64_t batch_events_;
  std::vector<Event> room_;          // of a batch that is done with; empty
  std::vector<Element> elements_;    // of a line
  std::optional<AgentJudge> judge_;  // none: nobody is taken for a robot
};

// Parses, and has the sink prepare, on a thread of its own while this one hands the batches to
// `take`, until the end of the file, an error of either, or `take` says false.
absl::Status PumpBatches(BatchReader* reader, BatchSink* sink,
                         absl::FunctionRef<absl::StatusOr<bool>(const CutBatch&)> take);

}  // namespace vitrine

#endif  // VITRINE_INGEST_BATCH_READER_H_
