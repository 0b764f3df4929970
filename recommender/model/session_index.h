// What people clicked in their newest sessions, so that a session going on finds those like it:
// per product the sessions that contain it, per session its clicks. New sessions enter one by one,
// the oldest leave, and the memory stays what it was (Kersbergen, Sprangers, Schelter: "Serenade",
// SIGMOD 2022, section 4, builds its VMIS-kNN index off line and loads it whole).
//
//   newest sessions   |s7|s8|s9|...      a ring; a session's number counts up and is never reused
//   clicks            |3 1|4 4 5|...     a ring, oldest first within a session
//   product 4      -> |...|s3|s8|        ring of the newest `sessions_per_product` numbers
//
// The session's number is the only clock: no time stamps, so no clock that steps back. Whoever adds
// sessions adds them in the order in which they ended. No ids of persons are in here.
//
// Threads: one writer at a time adds or removes (others wait), any number read. A Reader holds the
// writers off while it lives: make one for a request, not for longer. A writer keeps readers
// waiting for the microseconds of one session. What a Reader sees does not change while it lives.

#ifndef VITRINE_RECOMMENDER_MODEL_SESSION_INDEX_H_
#define VITRINE_RECOMMENDER_MODEL_SESSION_INDEX_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "recommender/model/session_repeats.h"

namespace vitrine {

struct SessionIndexSettings {
  size_t sessions = 1'000'000;           // kept; at most limits::kIndexedSessionsMax
  size_t clicks = 8'000'000;             // kept of all of them; at most limits::kIndexedClicksMax
  uint32_t sessions_per_product = 1000;  // at most limits::kSessionsPerProductMax
};

class SessionIndex {
 public:
  class Reader;
  class Sessions;

  // InvalidArgument, naming the setting, if one is out of its range. Takes address space for all of
  // it at once, and memory as it fills.
  static absl::StatusOr<std::unique_ptr<SessionIndex>> Make(const SessionIndexSettings& settings);

  SessionIndex(const SessionIndex&) = delete;
  SessionIndex& operator=(const SessionIndex&) = delete;

  // Takes in the session with these clicks, oldest first, and gives its number; the oldest sessions
  // leave where room is short. Of more than limits::kSessionClicksMax clicks the newest are kept.
  // InvalidArgument without a click or for a product of limits::kCatalogueProductsMax or more;
  // ResourceExhausted after 4 billion sessions: build a new index then. O(clicks^2), a few
  // microseconds. Thread-safe.
  absl::StatusOr<uint32_t> Add(std::span<const uint32_t> clicks);

  // Takes a session out, as if it had never been there, but for its place in the order. Nothing
  // happens if it has left already. O(clicks * (clicks + sessions_per_product)). Thread-safe.
  void Remove(uint32_t session);

  const SessionIndexSettings& settings() const { return settings_; }

  // Bytes held for sessions, clicks and products: address space of the rings, of which what was
  // never written costs no memory, and what the lists of products take. Thread-safe.
  size_t MemoryBytes() const;

 private:
  // The newest sessions of a product, in a ring of a power of two.
  struct Product {
    std::unique_ptr<uint32_t[]> ring;
    uint32_t capacity = 0;
    uint32_t oldest = 0;    // place of the oldest in the ring
    uint32_t size = 0;      // in the ring
    uint32_t sessions = 0;  // of the index that contain the product, in the ring or not
  };

  static constexpr size_t kProductsPerBlock = 4096;

  explicit SessionIndex(const SessionIndexSettings& settings);

  size_t Slot(uint32_t session) const { return session % settings_.sessions; }
  std::span<const uint32_t> Clicks(uint32_t session) const {
    const size_t slot = Slot(session);
    return {clicks_.get() + start_[slot], length_[slot]};
  }
  const Product* Find(uint32_t product) const {
    const size_t block = product / kProductsPerBlock;
    if (block >= blocks_.size() || blocks_[block] == nullptr) return nullptr;
    return &blocks_[block][product % kProductsPerBlock];
  }

  Product* FindOrMake(uint32_t product);
  void EvictOldest();
  void MakeRoom(size_t clicks);
  void Append(uint32_t product, uint32_t session);
  void Resize(Product* product, uint32_t capacity);
  void DropFromProducts(uint32_t session);

  const SessionIndexSettings settings_;
  mutable absl::Mutex mutex_;
  std::unique_ptr<uint32_t[]> start_;   // by slot: place of the first click
  std::unique_ptr<uint8_t[]> length_;   // by slot: clicks; 0: removed
  std::unique_ptr<uint32_t[]> clicks_;  // the ring
  uint32_t head_ = 0;                   // where the next session's clicks go
  uint32_t begin_ = 0;                  // the oldest session
  uint32_t end_ = 0;                    // the next session's number
  uint64_t pairs_ = 0;                  // sum over sessions of their different products
  size_t list_bytes_ = 0;
  std::vector<std::unique_ptr<Product[]>> blocks_;
  RepeatTable repeats_;
};

// The newest sessions that contain a product.
class SessionIndex::Sessions {
 public:
  Sessions() = default;

  size_t size() const { return size_; }
  // The i-th newest. REQUIRES: i < size().
  uint32_t operator[](size_t i) const { return ring_[(newest_ - i) & mask_]; }

 private:
  friend class Reader;
  Sessions(const uint32_t* ring, uint32_t mask, uint32_t newest, uint32_t size)
      : ring_(ring), mask_(mask), newest_(newest), size_(size) {}

  const uint32_t* ring_ = nullptr;
  uint32_t mask_ = 0;
  uint32_t newest_ = 0;
  uint32_t size_ = 0;
};

// All reading goes through one of these. Products that the index has never met are in no session.
class SessionIndex::Reader {
 public:
  explicit Reader(const SessionIndex& index) : index_(index), lock_(&index.mutex_) {}

  // Sessions are numbered [begin(), end()), oldest first; some may have been removed.
  uint32_t begin() const { return index_.begin_; }
  uint32_t end() const { return index_.end_; }
  size_t sessions() const { return index_.end_ - index_.begin_; }
  // Sum over sessions of their different products.
  uint64_t pairs() const { return index_.pairs_; }

  // Oldest first, none of a removed session. REQUIRES: begin() <= session < end().
  std::span<const uint32_t> Clicks(uint32_t session) const { return index_.Clicks(session); }
  // The same, without reaching for the clicks.
  size_t Length(uint32_t session) const { return index_.length_[index_.Slot(session)]; }
  // Tells the processor that Clicks(session) will be asked for, then that they will be read.
  void PrefetchStart(uint32_t session) const {
    __builtin_prefetch(index_.start_.get() + index_.Slot(session));
  }
  void PrefetchClicks(uint32_t session) const {
    __builtin_prefetch(index_.clicks_.get() + index_.start_[index_.Slot(session)]);
  }

  Sessions SessionsOf(uint32_t product) const {
    const Product* found = index_.Find(product);
    if (found == nullptr || found->size == 0) return {};
    const uint32_t mask = found->capacity - 1;
    return {found->ring.get(), mask, (found->oldest + found->size - 1) & mask, found->size};
  }
  // Sessions that contain the product.
  uint32_t SessionCount(uint32_t product) const {
    const Product* found = index_.Find(product);
    return found == nullptr ? 0 : found->sessions;
  }

  const RepeatTable& repeats() const { return index_.repeats_; }

 private:
  const SessionIndex& index_;
  absl::ReaderMutexLock lock_;
};

}  // namespace vitrine

#endif  // VITRINE_RECOMMENDER_MODEL_SESSION_INDEX_H_
