#include <deque>
#include <exception>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "ingest/batch_reader.h"
#include "store/base/status_macros.h"

namespace vitrine {
namespace {

// Parsed batches that may wait for the store.
constexpr size_t kBatchesAhead = 2;

// Batches on their way from the thread that parses to the one that writes.
class BatchQueue {
 public:
  // Waits for room. False: nobody wants any more. Replaces `*done`, which
  // is empty, by the batches that were taken back: freed where they were allocated they cost half.
  bool Push(CutBatch batch, std::vector<CutBatch>* done) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BatchQueue::HasRoom));
    if (cancelled_) return false;
    batches_.push_back(std::move(batch));
    done->swap(done_);
    return true;
  }

  // Takes back a batch that is done with.
  void Return(CutBatch batch) {
    absl::MutexLock lock(&mutex_);
    done_.push_back(std::move(batch));
  }

  // No batch comes after those that were pushed, for this reason (OK: the file is at its end).
  void Close(absl::Status status) {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    status_ = std::move(status);
  }

  // Waits for a batch. None: the file is at its end. The reader's error, after its last batch.
  absl::StatusOr<std::optional<CutBatch>> Pop() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &BatchQueue::HasNews));
    if (batches_.empty()) {
      RETURN_IF_ERROR(status_);
      return std::nullopt;
    }
    CutBatch batch = std::move(batches_.front());
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
  std::deque<CutBatch> batches_ ABSL_GUARDED_BY(mutex_);
  std::vector<CutBatch> done_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

absl::Status ReadBatches(BatchReader* reader, BatchSink* sink, BatchQueue* queue) {
  std::vector<CutBatch> done;
  while (true) {
    ASSIGN_OR_RETURN(std::optional<CutBatch> batch, reader->Next());
    if (!batch.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(batch->prepared, sink->Prepare(batch->batch));
    if (!queue->Push(*std::move(batch), &done)) return absl::OkStatus();
    for (CutBatch& taken_back : done) reader->Recycle(std::move(taken_back));
    done.clear();
  }
}

// Where the parsing thread begins and ends.
void ReadBatchesInThread(BatchReader* reader, BatchSink* sink, BatchQueue* queue) {
  try {
    queue->Close(ReadBatches(reader, sink, queue));
  } catch (const std::exception& e) {
    queue->Close(absl::InternalError(absl::StrCat("parsing stopped: ", e.what())));
  }
}

absl::Status TakeBatches(BatchQueue* queue,
                         absl::FunctionRef<absl::StatusOr<bool>(const CutBatch&)> take) {
  while (true) {
    ASSIGN_OR_RETURN(std::optional<CutBatch> batch, queue->Pop());
    if (!batch.has_value()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, take(*batch));
    queue->Return(*std::move(batch));
    if (!more) return absl::OkStatus();
  }
}

}  // namespace

absl::Status PumpBatches(BatchReader* reader, BatchSink* sink,
                         absl::FunctionRef<absl::StatusOr<bool>(const CutBatch&)> take) {
  BatchQueue queue;
  std::thread parsing(ReadBatchesInThread, reader, sink, &queue);
  const absl::Status status = TakeBatches(&queue, take);
  queue.Cancel();
  parsing.join();
  return status;
}

}  // namespace vitrine
