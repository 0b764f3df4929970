// Where the commands that write batches send them.

#ifndef VITRINE_API_CLI_BACKOFFICE_SINK_H_
#define VITRINE_API_CLI_BACKOFFICE_SINK_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "api/Backoffice.h"
#include "api/client/client.h"
#include "ingest/batch_sink.h"
#include "store/base/status_macros.h"

namespace vitrine::cli {

// Batches go to the back office, whichever side of a socket it is on.
class BackofficeSink : public BatchSink {
 public:
  BackofficeSink(BackofficeIf* backoffice, std::string site)
      : backoffice_(backoffice), site_(std::move(site)) {}

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
  absl::Status Finish(const SiteSettingsPatch& settings) override {
    return CatchThrift([&] { backoffice_->import_done(site_, settings); });
  }

 private:
  BackofficeIf* const backoffice_;
  const std::string site_;
};

}  // namespace vitrine::cli

#endif  // VITRINE_API_CLI_BACKOFFICE_SINK_H_
