// The segments of a site, and who is in them: kept up to date in the background, within a second of
// what a customer did.

#ifndef VITRINE_API_SERVICE_SITE_SEGMENTS_H_
#define VITRINE_API_SERVICE_SITE_SEGMENTS_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

#include "api/vitrine_types.h"
#include "recommender/segments/segment_index.h"
#include "store/base/clock.h"
#include "store/segments_types.h"
#include "store/web_house.h"

namespace vitrine {

// Everybody is looked at when the segments change, once a day, and when the site is opened; one
// customer after they did something, or when time may have moved them. A site without segments, and
// one that was not started, has neither thread nor memory here. Thread-safe.
class SegmentKeeper {
 public:
  using ReadCopy = std::function<absl::Status(const std::function<absl::Status(const WebHouse&)>&)>;

  // `read_copy` gives a consistent copy of `house`. All must outlive this object.
  SegmentKeeper(WebHouse* house, ReadCopy read_copy, const Clock* clock, std::string site);
  ~SegmentKeeper();
  SegmentKeeper(const SegmentKeeper&) = delete;
  SegmentKeeper& operator=(const SegmentKeeper&) = delete;

  // Reads the newest segments; before anything else.
  absl::Status Load();
  // From now on memberships are kept. A command that opens a site for a moment need not.
  void Start();

  std::shared_ptr<const SegmentSetVersion> version() const;
  // Makes these the segments (SegmentBook::SetSegments). InvalidArgument, naming what is wrong.
  absl::StatusOr<SegmentSetVersion> Set(const SegmentSet& content, int64_t based_on,
                                        absl::string_view who, absl::string_view comment);

  // Whether anybody has to be told.
  bool wanted() const { return wanted_; }
  // What is known of these has changed: to be called after it was written. Visitors do not count.
  void Note(std::span<const Person> persons);
  // The same of everybody.
  void NoteAll();

  // Memberships, maybe by an earlier version; null before everybody was looked at, and where there
  // are no segments.
  std::shared_ptr<const SegmentIndex> index() const;
  // Waits until everything that was noted, and all that is due by now, is in the memberships.
  // REQUIRES: it was started.
  void Settle();

  // The reply to Backoffice.segments.
  Segments Describe() const;
  // Who would be in this one. InvalidArgument; reads a copy.
  absl::StatusOr<SegmentPreview> Preview(const Segment& segment) const;

 private:
  // Takes `version` as the newest.
  void Take(SegmentSetVersion version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Loop();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Begins to look at everybody, on a thread of its own.
  void BeginBuild() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Build(std::shared_ptr<SegmentIndex> next);
  void UpdateSome(SegmentIndex* index, const absl::flat_hash_set<std::string>& customers);
  bool stopping() const;

  WebHouse* const house_;
  const ReadCopy read_copy_;
  const Clock* const clock_;
  const std::string site_;

  std::atomic<bool> wanted_ = false;
  absl::Mutex set_mutex_;  // of whoever changes them
  mutable absl::Mutex mutex_;
  std::shared_ptr<const SegmentSetVersion> version_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SegmentIndex> index_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> queue_ ABSL_GUARDED_BY(mutex_);
  // Whom a copy that is being read may not know as they are.
  absl::flat_hash_set<std::string> touched_ ABSL_GUARDED_BY(mutex_);
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool building_ ABSL_GUARDED_BY(mutex_) = false;
  bool working_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t built_ns_ ABSL_GUARDED_BY(mutex_) = 0;  // steady
  std::thread builder_;
  std::thread loop_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace vitrine

#endif  // VITRINE_API_SERVICE_SITE_SEGMENTS_H_
