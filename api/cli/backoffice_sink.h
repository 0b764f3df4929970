// Where the commands that write batches send them.

#ifndef VITRINE_API_CLI_BACKOFFICE_SINK_H_
#define VITRINE_API_CLI_BACKOFFICE_SINK_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/Backoffice.h"
#include "api/client/client.h"
#include "api/service/backoffice.h"
#include "ingest/batch_sink.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {

// Batches go to the back office, whichever side of a socket it is on.
class BackofficeSink : public BatchSink {
 public:
  // `local` (may be null): the same back office, if it is in this process.
  BackofficeSink(BackofficeIf* backoffice, std::string site, Backoffice* local = nullptr)
      : backoffice_(backoffice), local_(local), site_(std::move(site)) {}

  absl::StatusOr<SourceState> Source(absl::string_view name) override {
    SourceState state;
    RETURN_IF_ERROR(CatchThrift([&] { backoffice_->source(state, site_, std::string(name)); }));
    return state;
  }
  absl::Status RestartSource(absl::string_view name) override {
    return CatchThrift([&] { backoffice_->restart_source(site_, std::string(name)); });
  }
  absl::StatusOr<CommitResult> Commit(const EventBatch& batch) override {
    CommitResult result;
    RETURN_IF_ERROR(CatchThrift([&] { backoffice_->import_batch(result, site_, batch); }));
    return result;
  }
  absl::StatusOr<std::shared_ptr<const PreparedEvents>> Prepare(const EventBatch& batch) override {
    std::shared_ptr<const PreparedEvents> prepared;
    if (local_ == nullptr) return prepared;
    absl::Status status;
    RETURN_IF_ERROR(CatchThrift([&] {
      auto made = local_->Prepare(site_, batch);
      status = made.status();
      if (made.ok()) prepared = *std::move(made);
    }));
    RETURN_IF_ERROR(status);
    return prepared;
  }
  absl::StatusOr<CommitResult> CommitPrepared(const EventBatch& batch,
                                              const PreparedEvents* prepared) override {
    if (local_ == nullptr) return Commit(batch);
    absl::StatusOr<CommitResult> result;
    RETURN_IF_ERROR(CatchThrift([&] { result = local_->ImportPrepared(site_, batch, prepared); }));
    return result;
  }
  absl::Status Finish(const SiteSettingsPatch& settings) override {
    return CatchThrift([&] { backoffice_->import_done(site_, settings); });
  }

 private:
  BackofficeIf* const backoffice_;
  Backoffice* const local_;
  const std::string site_;
};

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_BACKOFFICE_SINK_H_
