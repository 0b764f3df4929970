// Who is in which segment: the memberships of all customers in memory, kept up to date one customer
// at a time, after they did something and when time alone may have moved them.
//
//   SegmentIndex index(version, device_of);
//   RETURN_IF_ERROR(index.Build(copy, now_ms));
//   RETURN_IF_ERROR(index.Update(house, "17850", now_ms));     // 17850 did something
//   RETURN_IF_ERROR(index.UpdateDue(house, now_ms).status());  // windows slid meanwhile
//   index.Of("17850");
//
// Memory: some 150 bytes a customer with an id of usual length, and 20 for each membership; at most
// limits::kSegmentedMax customers.
//
// Thread-safe: any number of readers beside one thread that builds and updates.

#ifndef VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_INDEX_H_
#define VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_set.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "recommender/segments/segment_people.h"
#include "store/segments_types.h"
#include "store/web_house.h"

namespace vitrine {

class SegmentIndex {
 public:
  // REQUIRES: a content that ValidateSegments takes.
  SegmentIndex(SegmentSetVersion version, SegmentPeople::DeviceOf device_of);

  const SegmentSetVersion& version() const { return version_; }
  // Null where no segment asks for worth, and before Build.
  std::shared_ptr<const FittedWorth> worth() const;

  // Looks at everybody, and fits a value model first if a segment asks for one; once, before any
  // update. `copy`: a checkpoint, or a store nobody writes to. `goes_on` is asked now and then;
  // Cancelled if it says no. ResourceExhausted beyond limits::kSegmentedMax.
  absl::Status Build(const WebHouse& copy, int64_t now_ms,
                     const std::function<bool()>& goes_on = nullptr);

  // Looks at one customer again; one who is not known any more is in nothing. O(their events).
  absl::Status Update(const WebHouse& house, const std::string& customer, int64_t now_ms);
  // The same for those whose membership may have changed by now by time alone, the most overdue
  // first, at most `limit`; how many those were.
  absl::StatusOr<size_t> UpdateDue(const WebHouse& house, int64_t now_ms, size_t limit);
  int64_t next_due_ms() const;  // kNeverMs: nobody's

  // Ids of segments, sorted; never null.
  using Ids = std::shared_ptr<const std::vector<std::string>>;
  Ids Of(absl::string_view customer) const;
  // Customers in a segment by their ids, after this one (empty: from the first). NotFound if there
  // is no such segment.
  absl::StatusOr<std::vector<std::string>> Members(absl::string_view segment,
                                                   absl::string_view after, size_t limit) const;
  // Of the segments, in their order.
  std::vector<int64_t> Sizes() const;
  int64_t customers() const;

 private:
  using Numbers = std::vector<uint16_t>;  // of segments, ascending
  struct Standing {
    Numbers in;
    int64_t due_ms = kNeverMs;
  };
  struct Entry {
    const Numbers* in = nullptr;  // a key of `names_`
    int64_t due_ms = kNeverMs;
  };

  Standing Evaluate(const SegmentPeople& people, const CustomerProfile& profile,
                    int64_t now_ms) const;
  absl::Status Put(const std::string& customer, Standing standing);
  void Remove(absl::string_view customer);

  const SegmentSetVersion version_;
  const SegmentPeople::DeviceOf device_of_;
  const Ids none_ = std::make_shared<const std::vector<std::string>>();

  mutable absl::Mutex mutex_;
  std::shared_ptr<const FittedWorth> worth_ ABSL_GUARDED_BY(mutex_);
  absl::node_hash_map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // Many customers are in the same ones.
  std::map<Numbers, Ids> names_ ABSL_GUARDED_BY(mutex_);
  // Views of the keys of `entries_`.
  std::vector<absl::btree_set<absl::string_view>> members_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<std::pair<int64_t, absl::string_view>> due_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_SEGMENTS_SEGMENT_INDEX_H_
