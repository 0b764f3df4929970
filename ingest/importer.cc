#include "ingest/importer.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "ingest/formats/line_reader.h"
#include "ingest/line_parser.h"
#include "store/base/atomic_file.h"
#include "store/base/clock.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// A batch also ends here, so that long lines do not make big batches.
constexpr int64_t kBatchSourceBytes = 8 << 20;
// Parsed batches that may wait for the store.
constexpr size_t kBatchesAhead = 2;
constexpr size_t kFirstRejects = 10;

// The file, open where its source stands.
struct OpenSource {
  LineReader reader;
  LineParser parser;
  SourceState state;
};

// Cuts the rest of a file into batches.
class BatchReader {
 public:
  BatchReader(OpenSource source, size_t batch_events)
      : source_(std::move(source)),
        batch_events_(std::clamp<size_t>(batch_events, 1, limits::kBatchEventsMax)) {}

  // The next batch; none at the end of the file.
  absl::StatusOr<std::optional<EventBatch>> Next() {
    EventBatch batch;
    batch.source = source_.state.name;
    batch.from_bytes = batch.to_bytes = source_.state.bytes;
    batch.from_lines = batch.to_lines = source_.state.lines;
    Line line;
    while (batch.events.size() + batch.rejects.size() < batch_events_ &&
           batch.to_bytes - batch.from_bytes < kBatchSourceBytes && source_.reader.Next(&line)) {
      Take(line, &batch);
      ++batch.to_lines;
      batch.to_bytes = source_.reader.Position();
    }
    RETURN_IF_ERROR(source_.reader.status());
    batch.to_bytes = source_.reader.Position();
    if (batch.to_bytes == batch.from_bytes) return std::nullopt;
    batch.to_digest = source_.reader.Digest();
    source_.state.bytes = batch.to_bytes;
    source_.state.lines = batch.to_lines;
    return batch;
  }

 private:
  void Take(const Line& line, EventBatch* batch) {
    Event& event = batch->events.emplace_back();
    Outcome outcome = source_.parser.Parse(line, &event);
    if (outcome.kind == Outcome::Kind::kEvent) return;
    batch->events.pop_back();
    if (outcome.kind == Outcome::Kind::kIgnored) {
      ++batch->ignored[outcome.reason];
      return;
    }
    Reject& reject = batch->rejects.emplace_back();
    reject.line = line.number;
    reject.byte_offset = line.offset;
    reject.reason = std::move(outcome.reason);
    reject.detail = std::move(outcome.detail);
    reject.raw = std::string(line.text.substr(0, limits::kRejectRawBytesMax));
  }

  OpenSource source_;
  const size_t batch_events_;
};

// Batches on their way from the thread that parses to the one that writes.
class BatchQueue {
 public:
  // Waits for room. False: nobody wants any more.
  bool Push(EventBatch batch) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BatchQueue::HasRoom));
    if (cancelled_) return false;
    batches_.push_back(std::move(batch));
    return true;
  }

  // No batch comes after those that were pushed, for this reason (OK: the file is at its end).
  void Close(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    status_ = std::move(status);
  }

  // Waits for a batch. None: the file is at its end. The reader's error, after its last batch.
  absl::StatusOr<std::optional<EventBatch>> Pop() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BatchQueue::HasNews));
    if (batches_.empty()) {
      RETURN_IF_ERROR(status_);
      return std::nullopt;
    }
    EventBatch batch = std::move(batches_.front());
    batches_.pop_front();
    return batch;
  }

  // Lets go of the thread that pushes.
  void Cancel() {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return cancelled_ || batches_.size() < kBatchesAhead;
  }
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return closed_ || !batches_.empty();
  }

  absl::Mutex mutex_;
  std::deque<EventBatch> batches_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

absl::Status ReadBatches(BatchReader* reader, BatchQueue* queue) {
  while (true) {
    ASSIGN_OR_RETURN(std::optional<EventBatch> batch, reader->Next());
    if (!batch.has_value() || !queue->Push(*std::move(batch))) return absl::OkStatus();
  }
}

// Where the parsing thread begins and ends.
void ReadBatchesInThread(BatchReader* reader, BatchQueue* queue) {
  try {
    queue->Close(ReadBatches(reader, queue));
  } catch (const std::exception& e) {
    queue->Close(absl::InternalError(absl::StrCat("parsing stopped: ", e.what())));
  }
}

class Import {
 public:
  Import(const std::string& path, const Mapping& mapping, BatchSink* sink,
         const ImportOptions& options)
      : path_(path), mapping_(mapping), sink_(sink), options_(options) {}

  absl::StatusOr<ImportSummary> Run() {
    const int64_t start_ns = Clock::System().SteadyNs();
    ASSIGN_OR_RETURN(const std::string name, SourceName());
    ASSIGN_OR_RETURN(summary_.before, sink_->Source(name));
    ASSIGN_OR_RETURN(OpenSource source, Open(summary_.before));
    ASSIGN_OR_RETURN(bytes_total_, source.reader.FileSize());
    lines_in_ = lines_before_ = source.state.lines;

    absl::Status status = Pump(BatchReader(std::move(source), options_.batch_events));
    if (status.ok()) status = sink_->Finish(mapping_.site);
    if (!status.ok()) return SayWhatIsIn(status);
    ASSIGN_OR_RETURN(summary_.after, sink_->Source(name));
    summary_.seconds = static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-9;
    return std::move(summary_);
  }

 private:
  absl::StatusOr<std::string> SourceName() const {
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::canonical(path_, error);
    if (error) return ErrnoStatus("cannot open", path_, error.value());
    return options_.source_name.empty() ? canonical.string() : options_.source_name;
  }

  // Opens the file where `state` says, or at its beginning if it is no longer what was read then.
  absl::StatusOr<OpenSource> Open(SourceState state) {
    ASSIGN_OR_RETURN(OpenSource source, OpenAtFirstLine(state));
    if (state.bytes == 0) return source;
    LineReader& reader = source.reader;
    const bool same =
        reader.SkipTo(state.bytes) && reader.Digest() == state.digest && reader.SkipLineEnd();
    RETURN_IF_ERROR(reader.status());
    if (same) {
      if (source.parser.HasMemory()) RETURN_IF_ERROR(RecallUpTo(state, &source.parser));
      return source;
    }
    RETURN_IF_ERROR(sink_->RestartSource(state.name));
    ASSIGN_OR_RETURN(state, sink_->Source(state.name));
    return OpenAtFirstLine(state);
  }

  // Shows the parser what was read before: its lines depend on them.
  absl::Status RecallUpTo(const SourceState& state, LineParser* parser) const {
    ASSIGN_OR_RETURN(OpenSource again, OpenAtFirstLine(state));
    for (Line line; again.reader.Position() < state.bytes && again.reader.Next(&line);) {
      parser->Recall(line, state.lines + 1);
    }
    return again.reader.status();
  }

  absl::StatusOr<OpenSource> OpenAtFirstLine(const SourceState& state) const {
    ASSIGN_OR_RETURN(LineReader reader, LineReader::Open(path_, LineParser::Delimiter(mapping_)));
    ASSIGN_OR_RETURN(const int64_t size, reader.FileSize());
    if (size == 0) return absl::InvalidArgumentError(absl::StrCat(path_, " is empty"));
    absl::StatusOr<LineParser> parser = LineParser::Create(mapping_, &reader);
    RETURN_IF_ERROR(Annotate(parser.status(), path_));
    return OpenSource{std::move(reader), *std::move(parser), state};
  }

  // Parses on a thread of its own while this one writes.
  absl::Status Pump(BatchReader reader) {
    BatchQueue queue;
    std::thread parsing(ReadBatchesInThread, &reader, &queue);
    const absl::Status status = WriteBatches(&queue);
    queue.Cancel();
    parsing.join();
    return status;
  }

  absl::Status WriteBatches(BatchQueue* queue) {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<EventBatch> batch, queue->Pop());
      if (!batch.has_value()) return absl::OkStatus();
      RETURN_IF_ERROR(sink_->Commit(*batch).status());
      lines_in_ = batch->to_lines;
      for (const Reject& reject : batch->rejects) {
        if (summary_.first_rejects.size() == kFirstRejects) break;
        summary_.first_rejects.push_back(reject);
      }
      if (options_.on_progress) {
        options_.on_progress({batch->to_bytes, bytes_total_, batch->to_lines - lines_before_});
      }
    }
  }

  absl::Status SayWhatIsIn(const absl::Status& status) const {
    const char* const cure = absl::IsResourceExhausted(status) ? "free space and run" : "run";
    return absl::Status(status.code(), absl::StrCat(path_, ": ", status.message(), "; ", lines_in_,
                                                    " lines of it are in: ", cure,
                                                    " the same command again to go on from there"));
  }

  const std::string& path_;
  const Mapping& mapping_;
  BatchSink* const sink_;
  const ImportOptions& options_;
  ImportSummary summary_;
  int64_t bytes_total_ = 0;
  int64_t lines_before_ = 0;
  int64_t lines_in_ = 0;  // lines of the source that the sink has taken
};

}  // namespace

absl::StatusOr<ImportSummary> ImportFile(const std::string& path, const Mapping& mapping,
                                         BatchSink* sink, const ImportOptions& options) {
  return Import(path, mapping, sink, options).Run();
}

}  // namespace vitrine
