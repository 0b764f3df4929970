#include "ingest/batch_sink.h"

#include "ingest/sessionizer.h"
#include "store/base/status_macros.h"

namespace vitrine {

absl::StatusOr<SourceState> StoreSink::Source(absl::string_view name) {
  return house_->GetSource(name);
}

absl::Status StoreSink::RestartSource(absl::string_view name) {
  return house_->RestartSource(name);
}

absl::StatusOr<CommitResult> StoreSink::Commit(const EventBatch& batch) {
  return house_->Commit(batch, Ack::kApplied);
}

absl::StatusOr<std::shared_ptr<const PreparedEvents>> StoreSink::Prepare(const EventBatch& batch) {
  return house_->Prepare(batch);
}

absl::StatusOr<CommitResult> StoreSink::CommitPrepared(const EventBatch& batch,
                                                       const PreparedEvents* prepared) {
  return house_->Commit(batch, Ack::kApplied, prepared);
}

absl::Status StoreSink::Finish(const SiteSettingsPatch& settings) {
  RETURN_IF_ERROR(house_->PatchSettings(settings));
  RETURN_IF_ERROR(house_->SpillEvents());
  RETURN_IF_ERROR(DeriveAll(house_, nullptr, robots_));
  return house_->Sync();
}

}  // namespace vitrine
