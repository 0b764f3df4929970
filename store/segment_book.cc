#include "store/segment_book.h"

#include <string>

#include "store/base/status_macros.h"
#include "store/versions.h"
#include "store/web_house_impl.h"

namespace vitrine {

absl::StatusOr<std::vector<SegmentSetVersion>> SegmentBook::History(size_t limit) const {
  return NewestVersions<SegmentSetVersion>(*house_->impl_, std::string(kSegmentsKey), limit);
}

absl::StatusOr<SegmentSetVersion> SegmentBook::Segments() const {
  return NewestVersion<SegmentSetVersion>(*house_->impl_, std::string(kSegmentsKey));
}

absl::StatusOr<SegmentSetVersion> SegmentBook::SetSegments(const SegmentSet& content,
                                                           int64_t based_on, absl::string_view who,
                                                           absl::string_view comment) {
  const VersionChange change = {based_on, who, comment, "the segments are", "them"};
  return PutDurableVersion<SegmentSetVersion>(house_, house_->impl_.get(),
                                              std::string(kSegmentsKey), content, change);
}

}  // namespace vitrine
