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

absl::Status StoreSink::Finish(const SiteSettingsPatch& settings) {
  RETURN_IF_ERROR(house_->PatchSettings(settings));
  RETURN_IF_ERROR(DeriveAll(house_, nullptr, robots_));
  return house_->Sync();
}

}  // namespace vitrine
