// What a site tries out, version by version.

#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

std::string PrefixOf(absl::string_view id) {
  return absl::StrCat(kExperimentsKey, id, absl::string_view("\0", 1));
}

// The newest version first.
std::string KeyOf(absl::string_view id, int64_t version) {
  std::string key = PrefixOf(id);
  AppendBigEndian(&key, ~static_cast<uint64_t>(version));
  return key;
}

}  // namespace

absl::StatusOr<std::vector<ExperimentVersion>> WebHouse::Experiments() const {
  std::vector<ExperimentVersion> newest;
  auto cursor = impl_->Scan<ExperimentVersion>(Table::kMeta, std::string(kExperimentsKey));
  while (cursor.Valid()) {
    newest.push_back(cursor.value());
    cursor.SkipTo(absl::StrCat(kExperimentsKey, newest.back().content.id, "\1"));
  }
  RETURN_IF_ERROR(cursor.Finish());
  return newest;
}

absl::StatusOr<std::vector<ExperimentVersion>> WebHouse::ExperimentHistory(absl::string_view id,
                                                                           size_t limit) const {
  std::vector<ExperimentVersion> versions;
  auto cursor = impl_->Scan<ExperimentVersion>(Table::kMeta, PrefixOf(id));
  for (; versions.size() < limit && cursor.Valid(); cursor.Next()) {
    versions.push_back(cursor.value());
  }
  RETURN_IF_ERROR(cursor.Finish());
  return versions;
}

absl::StatusOr<ExperimentVersion> WebHouse::SetExperiment(const Experiment& content,
                                                          int64_t based_on, absl::string_view who,
                                                          absl::string_view comment) {
  RETURN_IF_ERROR(Annotate(ValidId(content.id), "id"));
  ExperimentVersion next;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
    ASSIGN_OR_RETURN(const std::vector<ExperimentVersion> newest, ExperimentHistory(content.id, 1));
    const int64_t version = newest.empty() ? 0 : newest.front().version;
    if (based_on != version) {
      return absl::AbortedError(absl::StrCat("based_on: this is a change of version ", based_on,
                                             ", but the experiment ", content.id, " is at version ",
                                             version, " now: somebody changed it meanwhile"));
    }
    if (version == 0) {
      ASSIGN_OR_RETURN(const std::vector<ExperimentVersion> all, Experiments());
      if (all.size() >= limits::kExperimentsMax) {
        return absl::ResourceExhaustedError(
            absl::StrCat("a site has at most ", limits::kExperimentsMax, " experiments"));
      }
    }
    next.version = version + 1;
    next.time_ms = impl_->options.clock->NowMs();
    next.who = std::string(who);
    next.comment = std::string(comment);
    next.content = content;
    rocksdb::WriteBatch rows = NewBatch();
    impl_->PutMeta(KeyOf(content.id, next.version), EncodeRecord(next), &rows);
    RETURN_IF_ERROR(impl_->Write(&rows, impl_->CurrentTotals()));
  }
  RETURN_IF_ERROR(Sync());
  return next;
}

absl::StatusOr<std::string> WebHouse::DerivedKey(absl::string_view purpose) const {
  const std::shared_ptr<const AuditKey> key = impl_->CurrentAuditKey();
  if (key == nullptr) return absl::FailedPreconditionError("this store has no audit key");
  return key->Derive(purpose);
}

}  // namespace vitrine
