// What a storefront shows by, version by version.

#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

// The newest version first.
std::string KeyOf(int64_t version) {
  std::string key(kPlacementsKey);
  AppendBigEndian(&key, ~static_cast<uint64_t>(version));
  return key;
}

}  // namespace

absl::StatusOr<std::vector<PlacementVersion>> WebHouse::PlacementHistory(size_t limit) const {
  std::vector<PlacementVersion> versions;
  auto cursor = impl_->Scan<PlacementVersion>(Table::kMeta, std::string(kPlacementsKey));
  for (; versions.size() < limit && cursor.Valid(); cursor.Next()) {
    versions.push_back(cursor.value());
  }
  RETURN_IF_ERROR(cursor.Finish());
  return versions;
}

absl::StatusOr<PlacementVersion> WebHouse::GetPlacements(int64_t version) const {
  PlacementVersion found;
  const absl::Status status = impl_->db->Get(Table::kMeta, KeyOf(version), &found);
  if (absl::IsNotFound(status)) {
    return absl::NotFoundError(absl::StrCat("there is no version ", version, " of the placements"));
  }
  RETURN_IF_ERROR(status);
  return found;
}

absl::StatusOr<PlacementVersion> WebHouse::SetPlacements(const PlacementSet& content,
                                                         int64_t based_on, absl::string_view who,
                                                         absl::string_view comment) {
  PlacementVersion next;
  {
    absl::MutexLock lock(&impl_->commit_mutex);
    RETURN_IF_ERROR(impl_->Writable());
    ASSIGN_OR_RETURN(const std::vector<PlacementVersion> newest, PlacementHistory(1));
    const int64_t version = newest.empty() ? 0 : newest.front().version;
    if (based_on != version) {
      return absl::AbortedError(absl::StrCat("based_on: this is a change of version ", based_on,
                                             ", but the placements are at version ", version,
                                             " now: somebody changed them meanwhile"));
    }
    next.version = version + 1;
    next.time_ms = impl_->options.clock->NowMs();
    next.who = std::string(who);
    next.comment = std::string(comment);
    next.content = content;
    rocksdb::WriteBatch rows = NewBatch();
    impl_->PutMeta(KeyOf(next.version), EncodeRecord(next), &rows);
    RETURN_IF_ERROR(impl_->Write(&rows, impl_->CurrentTotals()));
  }
  RETURN_IF_ERROR(Sync());
  return next;
}

}  // namespace vitrine
