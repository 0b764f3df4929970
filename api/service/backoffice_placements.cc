// What the storefront shows by, changed by the back office.

#include "absl/strings/str_cat.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "store/base/limits.h"

namespace vitrine {
void Backoffice::placements(PlacementVersion& version, const std::string& site) {
  version = *FindOrThrow(site)->placements();
}

void Backoffice::placement_history(std::vector<PlacementVersion>& versions, const std::string& site,
                                   int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  versions = ValueOrThrow(FindOrThrow(site)->house().PlacementHistory(static_cast<size_t>(limit)));
}

void Backoffice::set_placements(PlacementVersion& version, const std::string& site,
                                const PlacementSet& content, int64_t based_on,
                                const std::string& who, const std::string& comment) {
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
  version = ValueOrThrow(FindOrThrow(site)->SetPlacements(content, based_on, who, comment));
}

void Backoffice::roll_back_placements(PlacementVersion& version, const std::string& site_name,
                                      int64_t to, const std::string& who) {
  ThrowIfError(CheckText("who", who));
  Site* const site = FindOrThrow(site_name);
  const PlacementVersion old = ValueOrThrow(site->house().GetPlacements(to));
  version = ValueOrThrow(site->SetPlacements(old.content, site->placements()->version, who,
                                             absl::StrCat("back to version ", to)));
}

}  // namespace vitrine
