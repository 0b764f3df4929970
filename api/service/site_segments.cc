#include "api/service/site_segments.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"
#include "spdlog/spdlog.h"

#include "ingest/visit/device.h"
#include "recommender/segments/validate.h"
#include "store/base/segment_limits.h"
#include "store/base/status_macros.h"
#include "store/base/thread.h"
#include "store/segment_book.h"

namespace vitrine {
namespace {

// How often it looks for whom time has moved.
constexpr absl::Duration kRound = absl::Milliseconds(500);
// Facts of products and the value model are followed so often.
constexpr absl::Duration kBuildPeriod = absl::Hours(24);
// After a failure, everybody is tried again.
constexpr absl::Duration kRetryPeriod = absl::Minutes(1);
constexpr size_t kDuePerRound = 1000;
constexpr size_t kUpdatesPerLook = 64;

}  // namespace

SegmentKeeper::SegmentKeeper(WebHouse* house, ReadCopy read_copy, const Clock* clock,
                             std::string site)
    : house_(house),
      read_copy_(std::move(read_copy)),
      clock_(clock),
      site_(std::move(site)),
      version_(std::make_shared<const SegmentSetVersion>()) {}

SegmentKeeper::~SegmentKeeper() {
  std::thread loop;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    loop = std::move(loop_);
  }
  if (loop.joinable()) loop.join();
  if (builder_.joinable()) builder_.join();
}

absl::Status SegmentKeeper::Load() {
  ASSIGN_OR_RETURN(SegmentSetVersion newest, SegmentBook(house_).Segments());
  absl::MutexLock lock(&mutex_);
  Take(std::move(newest));
  return absl::OkStatus();
}

void SegmentKeeper::Start() {
  absl::MutexLock lock(&mutex_);
  if (started_) return;
  started_ = true;
  Take(*version_);
}

void SegmentKeeper::Take(SegmentSetVersion version) {
  const bool any = !version.content.segments.empty();
  version_ = std::make_shared<const SegmentSetVersion>(std::move(version));
  wanted_ = any && started_;
  all_wanted_ = wanted_;
  if (!any) index_ = nullptr;
  if (wanted_ && !loop_.joinable()) loop_ = std::thread([this] { Loop(); });
}

std::shared_ptr<const SegmentSetVersion> SegmentKeeper::version() const {
  absl::ReaderMutexLock lock(&mutex_);
  return version_;
}

absl::StatusOr<SegmentSetVersion> SegmentKeeper::Set(const SegmentSet& content, int64_t based_on,
                                                     absl::string_view who,
                                                     absl::string_view comment) {
  RETURN_IF_ERROR(ValidateSegments(content));
  absl::MutexLock setting(&set_mutex_);
  ASSIGN_OR_RETURN(SegmentSetVersion next,
                   SegmentBook(house_).SetSegments(content, based_on, who, comment));
  absl::MutexLock lock(&mutex_);
  Take(next);
  return next;
}

void SegmentKeeper::Note(std::span<const Person> persons) {
  if (!wanted_) return;
  absl::MutexLock lock(&mutex_);
  for (const Person& person : persons) {
    if (person.kind == Person::Kind::kCustomer) queue_.insert(person.id);
  }
  if (queue_.size() <= limits::kSegmentQueueMax) return;
  queue_.clear();
  all_wanted_ = true;
}

void SegmentKeeper::NoteAll() {
  if (!wanted_) return;
  absl::MutexLock lock(&mutex_);
  all_wanted_ = true;
}

std::shared_ptr<const SegmentIndex> SegmentKeeper::index() const {
  if (!wanted_) return nullptr;
  absl::ReaderMutexLock lock(&mutex_);
  return index_;
}

bool SegmentKeeper::stopping() const {
  absl::ReaderMutexLock lock(&mutex_);
  return stopping_;
}

bool SegmentKeeper::HasWork() const {
  return stopping_ || (all_wanted_ && !building_) || (index_ != nullptr && !queue_.empty());
}

void SegmentKeeper::Settle() {
  absl::MutexLock lock(&mutex_);
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !wanted_ || stopping_ ||
           (!all_wanted_ && !building_ && !working_ && queue_.empty() && index_ != nullptr &&
            index_->next_due_ms() > clock_->NowMs());
  };
  mutex_.Await(absl::Condition(&settled));
}

void SegmentKeeper::BeginBuild() {
  if (builder_.joinable()) builder_.join();  // it has said that it is done
  all_wanted_ = false;
  building_ = true;
  touched_.clear();
  auto next = std::make_shared<SegmentIndex>(*version_, DeviceOf);
  builder_ = std::thread([this, next = std::move(next)] { Build(next); });
}

void SegmentKeeper::Build(std::shared_ptr<SegmentIndex> next) {
  NameThread("segments-all");
  GiveWayToOthers();
  const absl::Status built = read_copy_([&](const WebHouse& copy) {
    return next->Build(copy, clock_->NowMs(), [this] { return !stopping(); });
  });
  if (!built.ok() && !stopping()) {
    spdlog::error("site {}: segments: {}", site_, built.ToString());
  }
  absl::MutexLock lock(&mutex_);
  if (built.ok()) {
    std::swap(index_, next);  // the one before is let go of without the lock
    queue_.insert(touched_.begin(), touched_.end());
  }
  touched_.clear();
  built_ns_ = Clock::System().SteadyNs();
  if (!built.ok()) built_ns_ -= absl::ToInt64Nanoseconds(kBuildPeriod - kRetryPeriod);
  building_ = false;
}

void SegmentKeeper::UpdateSome(SegmentIndex* index,
                               const absl::flat_hash_set<std::string>& customers) {
  absl::Status failed;
  size_t done = 0;
  for (const std::string& customer : customers) {
    if (++done % kUpdatesPerLook == 0 && stopping()) return;
    const absl::Status updated = index->Update(*house_, customer, clock_->NowMs());
    if (!updated.ok()) failed = updated;
  }
  const absl::Status due = index->UpdateDue(*house_, clock_->NowMs(), kDuePerRound).status();
  if (!due.ok()) failed = due;
  if (!failed.ok()) spdlog::error("site {}: segments: {}", site_, failed.ToString());
}

void SegmentKeeper::Loop() {
  NameThread("segments");
  while (true) {
    absl::flat_hash_set<std::string> customers;
    std::shared_ptr<SegmentIndex> index;
    {
      absl::MutexLock lock(&mutex_);
      working_ = false;
      const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return HasWork(); };
      mutex_.AwaitWithTimeout(absl::Condition(&has_work), kRound);
      if (stopping_) return;
      const int64_t age_ns = Clock::System().SteadyNs() - built_ns_;
      if (wanted_ && !building_ && age_ns > absl::ToInt64Nanoseconds(kBuildPeriod)) {
        all_wanted_ = true;
      }
      if (!wanted_) {
        all_wanted_ = false;
        queue_.clear();
        continue;
      }
      if (all_wanted_ && !building_) BeginBuild();
      index = index_;
      if (building_ && touched_.size() + queue_.size() > limits::kSegmentQueueMax) {
        all_wanted_ = true;  // again, when this one is done
      } else if (building_) {
        touched_.insert(queue_.begin(), queue_.end());
      }
      customers = std::exchange(queue_, {});
      working_ = true;
    }
    if (index != nullptr) UpdateSome(index.get(), customers);
  }
}

Segments SegmentKeeper::Describe() const {
  Segments reply;
  reply.version = *version();
  const std::shared_ptr<const SegmentIndex> now = index();
  if (now == nullptr) {
    if (reply.version.content.segments.empty()) reply.counted = reply.version.version;
    return reply;
  }
  reply.counted = now->version().version;
  reply.customers = now->customers();
  const std::vector<int64_t> sizes = now->Sizes();
  for (size_t s = 0; s < sizes.size(); ++s) {
    SegmentSize& size = reply.sizes.emplace_back();
    size.id = now->version().content.segments[s].id;
    size.customers = sizes[s];
  }
  return reply;
}

absl::StatusOr<SegmentPreview> SegmentKeeper::Preview(const Segment& segment) const {
  const std::shared_ptr<const SegmentSetVersion> now = version();
  RETURN_IF_ERROR(ValidateSegment(segment, now->content));
  SegmentPreview preview;
  RETURN_IF_ERROR(read_copy_([&](const WebHouse& copy) -> absl::Status {
    std::shared_ptr<const FittedWorth> worth;
    if (AsksForWorth(segment)) {
      ASSIGN_OR_RETURN(worth, FitWorth(copy));
    }
    const SegmentPeople people(&copy, &now->content.clusterings, worth, DeviceOf);
    const int64_t now_ms = clock_->NowMs();
    return people.ForEach([&](const std::string& customer, const CustomerProfile& profile) {
      ++preview.customers;
      if (EvaluateSegment(segment, profile, people.world(), now_ms).holds) {
        ++preview.members;
        if (preview.sample.size() < limits::kSegmentSampleMax) preview.sample.push_back(customer);
      }
      return true;
    });
  }));
  return preview;
}

}  // namespace vitrine
