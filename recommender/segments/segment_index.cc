#include "recommender/segments/segment_index.h"

#include <algorithm>
#include <iterator>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"

#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"

namespace vitrine {

SegmentIndex::SegmentIndex(SegmentSetVersion version, SegmentPeople::DeviceOf device_of)
    : version_(std::move(version)), device_of_(std::move(device_of)) {
  members_.resize(version_.content.segments.size());
}

std::shared_ptr<const FittedWorth> SegmentIndex::worth() const {
  absl::ReaderMutexLock lock(&mutex_);
  return worth_;
}

SegmentIndex::Standing SegmentIndex::Evaluate(const SegmentPeople& people,
                                              const CustomerProfile& profile,
                                              int64_t now_ms) const {
  Standing standing;
  const std::vector<Segment>& segments = version_.content.segments;
  for (size_t s = 0; s < segments.size(); ++s) {
    const Membership one = EvaluateSegment(segments[s], profile, people.world(), now_ms);
    if (one.holds) standing.in.push_back(static_cast<uint16_t>(s));
    standing.due_ms = std::min(standing.due_ms, one.until_ms);
  }
  return standing;
}

absl::Status SegmentIndex::Put(const std::string& customer, Standing standing) {
  absl::MutexLock lock(&mutex_);
  if (entries_.size() >= limits::kSegmentedMax && !entries_.contains(customer)) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", limits::kSegmentedMax,
                                                     " customers; memberships are held in memory"));
  }
  const auto [at, added] = entries_.try_emplace(customer);
  const absl::string_view id = at->first;
  Entry& entry = at->second;
  auto names = names_.find(standing.in);
  if (names == names_.end()) {
    auto ids = std::make_shared<std::vector<std::string>>();
    for (const uint16_t number : standing.in) {
      ids->push_back(version_.content.segments[number].id);
    }
    absl::c_sort(*ids);
    names = names_.emplace(std::move(standing.in), std::move(ids)).first;
  }
  if (entry.in != &names->first) {
    if (entry.in != nullptr) {
      for (const uint16_t number : *entry.in) members_[number].erase(id);
    }
    for (const uint16_t number : names->first) members_[number].insert(id);
    entry.in = &names->first;
  }
  if (entry.due_ms != standing.due_ms) {
    if (entry.due_ms != kNeverMs) due_.erase({entry.due_ms, id});
    if (standing.due_ms != kNeverMs) due_.insert({standing.due_ms, id});
    entry.due_ms = standing.due_ms;
  }
  return absl::OkStatus();
}

void SegmentIndex::Remove(absl::string_view customer) {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(customer);
  if (found == entries_.end()) return;
  const absl::string_view id = found->first;
  for (const uint16_t number : *found->second.in) members_[number].erase(id);
  if (found->second.due_ms != kNeverMs) due_.erase({found->second.due_ms, id});
  entries_.erase(found);
}

absl::Status SegmentIndex::Build(const WebHouse& copy, int64_t now_ms,
                                 const std::function<bool()>& goes_on) {
  std::shared_ptr<const FittedWorth> worth;
  if (absl::c_any_of(version_.content.segments, AsksForWorth)) {
    ASSIGN_OR_RETURN(worth, FitWorth(copy));
    absl::MutexLock lock(&mutex_);
    worth_ = worth;
  }
  const SegmentPeople people(&copy, &version_.content.clusterings, worth, device_of_);
  absl::Status status;
  RETURN_IF_ERROR(people.ForEach([&](const std::string& customer, const CustomerProfile& profile) {
    if (goes_on && !goes_on()) status = absl::CancelledError("looking at everybody was ended");
    if (status.ok()) status = Put(customer, Evaluate(people, profile, now_ms));
    return status.ok();
  }));
  return status;
}

absl::Status SegmentIndex::Update(const WebHouse& house, const std::string& customer,
                                  int64_t now_ms) {
  const SegmentPeople people(&house, &version_.content.clusterings, worth(), device_of_);
  ASSIGN_OR_RETURN(const std::optional<CustomerProfile> profile, people.Read(customer));
  if (profile) return Put(customer, Evaluate(people, *profile, now_ms));
  Remove(customer);
  return absl::OkStatus();
}

absl::StatusOr<size_t> SegmentIndex::UpdateDue(const WebHouse& house, int64_t now_ms,
                                               size_t limit) {
  std::vector<std::string> due;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (auto it = due_.begin(); it != due_.end() && it->first <= now_ms && due.size() < limit;
         ++it) {
      due.emplace_back(it->second);
    }
  }
  for (const std::string& customer : due) RETURN_IF_ERROR(Update(house, customer, now_ms));
  return due.size();
}

int64_t SegmentIndex::next_due_ms() const {
  absl::ReaderMutexLock lock(&mutex_);
  return due_.empty() ? kNeverMs : due_.begin()->first;
}

SegmentIndex::Ids SegmentIndex::Of(absl::string_view customer) const {
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = entries_.find(customer);
  return found == entries_.end() ? none_ : names_.at(*found->second.in);
}

absl::StatusOr<std::vector<std::string>> SegmentIndex::Members(absl::string_view segment,
                                                               absl::string_view after,
                                                               size_t limit) const {
  const auto found = absl::c_find_if(version_.content.segments,
                                     [segment](const Segment& one) { return one.id == segment; });
  if (found == version_.content.segments.end()) {
    return absl::NotFoundError("there is no such segment");
  }
  absl::ReaderMutexLock lock(&mutex_);
  const auto& members = members_[found - version_.content.segments.begin()];
  std::vector<std::string> page;
  for (auto it = members.upper_bound(after); it != members.end() && page.size() < limit; ++it) {
    page.emplace_back(*it);
  }
  return page;
}

std::vector<int64_t> SegmentIndex::Sizes() const {
  absl::ReaderMutexLock lock(&mutex_);
  std::vector<int64_t> sizes;
  for (const auto& members : members_) sizes.push_back(static_cast<int64_t>(members.size()));
  return sizes;
}

int64_t SegmentIndex::customers() const {
  absl::ReaderMutexLock lock(&mutex_);
  return static_cast<int64_t>(entries_.size());
}

}  // namespace vitrine
