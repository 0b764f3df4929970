// What a storefront shows by, version by version.

#include <string>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/versions.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<std::vector<PlacementVersion>> WebHouse::PlacementHistory(size_t limit) const {
  return NewestVersions<PlacementVersion>(*impl_, std::string(kPlacementsKey), limit);
}

absl::StatusOr<PlacementVersion> WebHouse::GetPlacements(int64_t version) const {
  PlacementVersion found;
  const absl::Status status =
      impl_->db->Get(Table::kMeta, VersionKey(std::string(kPlacementsKey), version), &found);
  if (absl::IsNotFound(status)) {
    return absl::NotFoundError(absl::StrCat("there is no version ", version, " of the placements"));
  }
  RETURN_IF_ERROR(status);
  return found;
}

absl::StatusOr<PlacementVersion> WebHouse::SetPlacements(const PlacementSet& content,
                                                         int64_t based_on, absl::string_view who,
                                                         absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the placements are", "them"};
  return PutDurableVersion<PlacementVersion>(this, impl_.get(), std::string(kPlacementsKey),
                                             content, change);
}

}  // namespace vitrine
