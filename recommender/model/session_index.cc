#include "recommender/model/session_index.h"

#include <bit>
#include <limits>

#include "absl/strings/str_cat.h"

#include "store/base/limits.h"

namespace vitrine {
namespace {

constexpr uint32_t kRingMin = 4;

absl::Status CheckRange(absl::string_view name, size_t value, size_t max) {
  if (value >= 1 && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("session index: ", name, " is ", value, ", not 1 to ", max));
}

// Whether clicks[i] is the product's first click of the session.
bool IsFirst(std::span<const uint32_t> clicks, size_t i) {
  return std::find(clicks.begin(), clicks.begin() + static_cast<ptrdiff_t>(i), clicks[i]) ==
         clicks.begin() + static_cast<ptrdiff_t>(i);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SessionIndex>> SessionIndex::Make(
    const SessionIndexSettings& settings) {
  for (const absl::Status& status :
       {CheckRange("sessions", settings.sessions, limits::kIndexedSessionsMax),
        CheckRange("clicks", settings.clicks, limits::kIndexedClicksMax),
        CheckRange("sessions_per_product", settings.sessions_per_product,
                   limits::kSessionsPerProductMax)}) {
    if (!status.ok()) return status;
  }
  SessionIndexSettings usable = settings;
  usable.clicks = std::max(usable.clicks, limits::kSessionClicksMax);  // room for one session
  return std::unique_ptr<SessionIndex>(new SessionIndex(usable));
}

// Not initialized: what is never written takes no memory.
SessionIndex::SessionIndex(const SessionIndexSettings& settings)
    : settings_(settings),
      start_(new uint32_t[settings.sessions]),
      length_(new uint8_t[settings.sessions]),
      clicks_(new uint32_t[settings.clicks]) {
  static_assert(limits::kSessionClicksMax <= std::numeric_limits<uint8_t>::max());
  static_assert(limits::kIndexedClicksMax <= std::numeric_limits<uint32_t>::max());
  // Never moved, so that no session pays for a catalogue that grows.
  blocks_.reserve(limits::kCatalogueProductsMax / kProductsPerBlock + 1);
}

absl::StatusOr<uint32_t> SessionIndex::Add(std::span<const uint32_t> clicks) {
  if (clicks.empty()) return absl::InvalidArgumentError("session index: a session has no clicks");
  for (const uint32_t product : clicks) {
    if (product >= limits::kCatalogueProductsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "session index: product ", product, " is not below ", limits::kCatalogueProductsMax));
    }
  }
  clicks = clicks.last(std::min(clicks.size(), limits::kSessionClicksMax));
  const absl::WriterMutexLock lock(&mutex_);
  if (end_ == std::numeric_limits<uint32_t>::max()) {
    return absl::ResourceExhaustedError("session index: out of session numbers; build a new one");
  }
  MakeRoom(clicks.size());
  std::copy(clicks.begin(), clicks.end(), clicks_.get() + head_);
  start_[Slot(end_)] = head_;
  length_[Slot(end_)] = static_cast<uint8_t>(clicks.size());
  head_ += static_cast<uint32_t>(clicks.size());
  for (size_t i = 0; i < clicks.size(); ++i) {
    if (IsFirst(clicks, i)) Append(clicks[i], end_);
  }
  repeats_.Count(clicks, 1);
  return end_++;
}

void SessionIndex::Remove(uint32_t session) {
  const absl::WriterMutexLock lock(&mutex_);
  if (session < begin_ || session >= end_) return;
  DropFromProducts(session);
  const auto clicks = Clicks(session);
  std::fill_n(clicks_.get() + start_[Slot(session)], clicks.size(), 0);
  length_[Slot(session)] = 0;
}

size_t SessionIndex::MemoryBytes() const {
  const absl::ReaderMutexLock lock(&mutex_);
  return settings_.sessions * (sizeof(uint32_t) + sizeof(uint8_t)) +
         settings_.clicks * sizeof(uint32_t) + list_bytes_;
}

// Sessions lie in the ring in their order. So where the oldest starts at or after head_, the room
// from head_ ends there; else it ends with the ring.
void SessionIndex::MakeRoom(size_t clicks) {
  if (head_ + clicks > settings_.clicks) {
    while (begin_ < end_ && start_[Slot(begin_)] >= head_) EvictOldest();
    head_ = 0;
  }
  while (begin_ < end_ && start_[Slot(begin_)] >= head_ && start_[Slot(begin_)] < head_ + clicks) {
    EvictOldest();
  }
  if (end_ - begin_ == settings_.sessions) EvictOldest();
}

void SessionIndex::EvictOldest() {
  DropFromProducts(begin_);
  ++begin_;
}

void SessionIndex::DropFromProducts(uint32_t session) {
  const auto clicks = Clicks(session);
  repeats_.Count(clicks, -1);
  for (size_t i = 0; i < clicks.size(); ++i) {
    if (!IsFirst(clicks, i)) continue;
    Product* product = FindOrMake(clicks[i]);
    --product->sessions;
    --pairs_;
    // Numbers ascend from the oldest; the one that leaves by age is at the front, or fell out
    // before.
    const uint32_t mask = product->capacity - 1;
    uint32_t at = 0;
    while (at < product->size && product->ring[(product->oldest + at) & mask] < session) ++at;
    if (at == product->size || product->ring[(product->oldest + at) & mask] != session) continue;
    for (; at > 0; --at) {
      product->ring[(product->oldest + at) & mask] =
          product->ring[(product->oldest + at - 1) & mask];
    }
    product->oldest = (product->oldest + 1) & mask;
    --product->size;
    if (product->size == 0) {
      Resize(product, 0);
    } else if (product->capacity > kRingMin && product->size <= product->capacity / 4) {
      Resize(product, product->capacity / 2);
    }
  }
}

void SessionIndex::Append(uint32_t product, uint32_t session) {
  Product* to = FindOrMake(product);
  ++to->sessions;
  ++pairs_;
  if (to->size == settings_.sessions_per_product) {
    to->oldest = (to->oldest + 1) & (to->capacity - 1);
    --to->size;
  } else if (to->size == to->capacity) {
    Resize(to, std::max(kRingMin, 2 * to->capacity));
  }
  to->ring[(to->oldest + to->size) & (to->capacity - 1)] = session;
  ++to->size;
}

// REQUIRES: a power of two or 0, product->size <= capacity.
void SessionIndex::Resize(Product* product, uint32_t capacity) {
  std::unique_ptr<uint32_t[]> ring(capacity == 0 ? nullptr : new uint32_t[capacity]);
  for (uint32_t i = 0; i < product->size; ++i) {
    ring[i] = product->ring[(product->oldest + i) & (product->capacity - 1)];
  }
  list_bytes_ += (size_t{capacity} - product->capacity) * sizeof(uint32_t);
  product->ring = std::move(ring);
  product->capacity = capacity;
  product->oldest = 0;
}

SessionIndex::Product* SessionIndex::FindOrMake(uint32_t product) {
  const size_t block = product / kProductsPerBlock;
  if (block >= blocks_.size()) blocks_.resize(block + 1);
  if (blocks_[block] == nullptr) {
    blocks_[block] = std::make_unique<Product[]>(kProductsPerBlock);
    list_bytes_ += kProductsPerBlock * sizeof(Product);
  }
  return &blocks_[block][product % kProductsPerBlock];
}

}  // namespace vitrine
