// The rows that a run of events turns into. Internal to store.

#ifndef VITRINE_STORE_EVENT_WRITER_H_
#define VITRINE_STORE_EVENT_WRITER_H_

#include <cstdint>
#include <deque>
#include <rocksdb/write_batch.h>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/db.h"
#include "store/records_types.h"

namespace vitrine {

// Adds to `batch` what `events` change in the tables events, event_ids, conflicts, links, products
// and dirty, judged against what `db` holds. REQUIRES: nobody else writes to `db` until the batch
// is written.
class EventWriter {
 public:
  // `mark` is what the dirty rows will hold.
  EventWriter(const Db& db, uint64_t mark, rocksdb::WriteBatch* batch);

  // Call once. Every event was found valid (ValidateEvent). `robots`: ascending positions of those
  // that count as "robot" where others count as "accepted".
  absl::StatusOr<CommitResult> Write(std::span<const Event> events,
                                     std::span<const int32_t> robots = {});

  // Products that Write met for the first time, and all whose rows it changes.
  int64_t new_products() const { return new_products_; }
  int64_t new_conflicts() const { return static_cast<int64_t>(conflicts_.size()); }
  const std::vector<std::string>& changed_products() const { return changed_products_; }

 private:
  // One event, encoded.
  struct Candidate {
    std::string value;
    std::string id_key;
    std::string event_key;
    std::string login_key;    // of an event that names both a customer and a visitor, else empty
    size_t person_size = 0;   // the person at the front of event_key
    size_t visitor_size = 0;  // and the visitor at that of login_key
    uint64_t digest = 0;
  };

  // Who holds an event id: one of the candidates, or a row already in the store.
  struct Holder {
    uint64_t digest = 0;
    absl::string_view event_key;
    int candidate = kStored;
  };
  static constexpr int kStored = -1;

  void Encode(std::span<const Event> events);
  absl::Status Settle(std::span<const int32_t> robots, CommitResult* result);
  absl::Status KeepLoser(absl::string_view id_key, const Holder& loser);
  absl::Status Replace(const Holder& loser);
  void PutWinners();
  void PutLogin(const Candidate& c, absl::string_view customer);
  absl::Status DropLinksWithoutLogin();
  void MarkDirty(absl::string_view person);
  void GatherFacts(const Event& event);
  absl::Status PutProducts();
  void Put(Table table, absl::string_view key, absl::string_view value);

  const Db& db_;
  rocksdb::WriteBatch* const batch_;
  std::string mark_;
  std::vector<Candidate> candidates_;
  std::vector<rocksdb::PinnableSlice> stored_;  // rows of event_ids, by candidate
  absl::flat_hash_map<absl::string_view, Holder> holders_;
  absl::flat_hash_set<absl::string_view> dirty_;
  std::deque<std::string> gone_;  // keys of logins that the losers were
  absl::flat_hash_set<absl::string_view> gone_logins_;
  absl::flat_hash_set<absl::string_view> new_links_;  // new logins without the tails of their keys
  absl::flat_hash_map<std::string, Product> facts_;
  absl::flat_hash_set<std::string> conflicts_;  // keys of rows that are new
  int64_t new_products_ = 0;
  std::vector<std::string> changed_products_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_EVENT_WRITER_H_
