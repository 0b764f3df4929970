// Where an import puts its batches: a store that this process owns, or the server that owns it.

#ifndef VITRINE_INGEST_BATCH_SINK_H_
#define VITRINE_INGEST_BATCH_SINK_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "ingest/robots/robot_lists.h"
#include "store/records_types.h"
#include "store/web_house.h"

namespace vitrine {

class BatchSink {
 public:
  virtual ~BatchSink() = default;

  // Where the source stands (WebHouse::GetSource).
  virtual absl::StatusOr<SourceState> Source(absl::string_view name) = 0;
  virtual absl::Status RestartSource(absl::string_view name) = 0;

  // Takes the batch whole, or nothing of it (WebHouse::Commit).
  virtual absl::StatusOr<CommitResult> Commit(const EventBatch& batch) = 0;

  // Does ahead what CommitPrepared of the batch can use (WebHouse::Prepare), on the thread that
  // parses while another batch is written. Null: nothing.
  virtual absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const EventBatch&) {
    return nullptr;
  }
  virtual absl::StatusOr<CommitResult> CommitPrepared(const EventBatch& batch,
                                                      const PreparedEvents* /*prepared*/) {
    return Commit(batch);
  }

  // After the last batch: `settings` are changed, derived rows are brought up to date, everything
  // is durable.
  virtual absl::Status Finish(const SiteSettingsPatch& settings) = 0;
};

// Writes to a store of this process. `house` and `robots` (as DeriveAll takes them) must outlive
// the sink. Batches are applied as they come and made durable by Finish(): what a loss of power
// takes, the next import reads again.
class StoreSink : public BatchSink {
 public:
  explicit StoreSink(WebHouse* house, const RobotLists* robots = nullptr)
      : house_(house), robots_(robots) {}

  absl::StatusOr<SourceState> Source(absl::string_view name) override;
  absl::Status RestartSource(absl::string_view name) override;
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override;
  absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const EventBatch& batch) override;
  absl::StatusOr<CommitResult> CommitPrepared(const EventBatch& batch,
                                              const PreparedEvents* prepared) override;
  absl::Status Finish(const SiteSettingsPatch& settings) override;

 private:
  WebHouse* const house_;
  const RobotLists* const robots_;
};

}  // namespace vitrine

#endif  // VITRINE_INGEST_BATCH_SINK_H_
