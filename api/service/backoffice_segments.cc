// The segments of a site, looked at and changed by the back office.

#include "absl/status/status.h"

#include "api/service/backoffice.h"
#include "api/service/errors.h"
#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/segment_book.h"

namespace vitrine {
namespace {

std::shared_ptr<const SegmentIndex> IndexOrThrow(const Site& site) {
  std::shared_ptr<const SegmentIndex> index = site.segments().index();
  if (index != nullptr) return index;
  const bool any = !site.segments().version()->content.segments.empty();
  ThrowStatus(any ? absl::UnavailableError("segments are being counted: ask again soon")
                  : absl::NotFoundError("the site has no segments"));
}

}  // namespace

void Backoffice::segments(Segments& reply, const std::string& site) {
  reply = FindOrThrow(site)->segments().Describe();
}

void Backoffice::segment_history(std::vector<SegmentSetVersion>& versions, const std::string& site,
                                 int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  versions =
      ValueOrThrow(SegmentBook(&FindOrThrow(site)->house()).History(static_cast<size_t>(limit)));
}

void Backoffice::set_segments(SegmentSetVersion& version, const std::string& site,
                              const SegmentSet& content, int64_t based_on, const std::string& who,
                              const std::string& comment) {
  ThrowIfError(CheckText("who", who));
  ThrowIfError(CheckText("comment", comment));
  version = ValueOrThrow(FindOrThrow(site)->segments().Set(content, based_on, who, comment));
}

void Backoffice::segment_preview(SegmentPreview& preview, const std::string& site,
                                 const Segment& segment) {
  preview = ValueOrThrow(FindOrThrow(site)->segments().Preview(segment));
}

void Backoffice::segment_members(std::vector<std::string>& customers, const std::string& site,
                                 const std::string& id, const std::string& after_id,
                                 int32_t limit) {
  ThrowIfError(CheckRange("limit", limit, 1, limits::kWireContainerMax));
  customers = ValueOrThrow(
      IndexOrThrow(*FindOrThrow(site))->Members(id, after_id, static_cast<size_t>(limit)));
}

void Backoffice::segments_of(std::vector<std::string>& ids, const std::string& site,
                             const std::string& customer_id) {
  ThrowIfError(Annotate(ValidId(customer_id), "customer_id"));
  ids = *IndexOrThrow(*FindOrThrow(site))->Of(customer_id);
}

void Backoffice::CountSegments(const std::string& site) {
  SegmentKeeper& keeper = FindOrThrow(site)->segments();
  keeper.Start();
  keeper.Settle();
}

}  // namespace vitrine
