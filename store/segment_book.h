// The segments of a site, version by version.
//
//   SegmentBook book(&house);
//   ASSIGN_OR_RETURN(const SegmentSetVersion now, book.Segments());
//   ASSIGN_OR_RETURN(SegmentSetVersion next, book.SetSegments(set, now.version, "anna", "spring"));
//
// Whether a content makes sense is for the caller to know (recommender/segments/validate.h). Every
// version is kept, durable, and under the audit chain. Thread-safe.

#ifndef VITRINE_STORE_SEGMENT_BOOK_H_
#define VITRINE_STORE_SEGMENT_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/segments_types.h"
#include "store/web_house.h"

namespace vitrine {

class SegmentBook {
 public:
  // `house` must outlive this object.
  explicit SegmentBook(WebHouse* house) : house_(house) {}

  // The newest version; one of number 0, without any segment, before the first.
  absl::StatusOr<SegmentSetVersion> Segments() const;
  // The newest first, at most `limit`.
  absl::StatusOr<std::vector<SegmentSetVersion>> History(size_t limit) const;
  // Makes it the version after `based_on`. Aborted if that is not the newest.
  absl::StatusOr<SegmentSetVersion> SetSegments(const SegmentSet& content, int64_t based_on,
                                                absl::string_view who, absl::string_view comment);

 private:
  WebHouse* const house_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_SEGMENT_BOOK_H_
