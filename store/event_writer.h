// The rows that a run of events turns into. Internal to store.

#ifndef VITRINE_STORE_EVENT_WRITER_H_
#define VITRINE_STORE_EVENT_WRITER_H_

#include <cstdint>
#include <deque>
#include <rocksdb/write_batch.h>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "store/audit_chain.h"
#include "store/db.h"
#include "store/prepared_events.h"
#include "store/records_types.h"

namespace vitrine {

// Adds to `batch` what `events` change in the tables events, event_ids, conflicts, links, products
// and dirty, judged against what `db` holds. REQUIRES: nobody else writes to `db` until the batch
// is written.
class EventWriter {
 public:
  // `mark` is what the dirty rows will hold. `events` outlives this.
  EventWriter(const Db& db, uint64_t mark, const PreparedEvents& events,
              rocksdb::WriteBatch* batch);

  // Call once.
  absl::StatusOr<CommitResult> Write();

  // Products that Write met for the first time, and all whose rows it changes.
  int64_t new_products() const { return new_products_; }
  int64_t new_conflicts() const { return static_cast<int64_t>(conflicts_.size()); }
  const std::vector<std::string>& changed_products() const { return changed_products_; }
  // Those of the rows that Write put under events, in their order; none without an audit chain.
  std::span<const AuditEntry> audit_entries() const { return audit_entries_; }

 private:
  // Who holds an event id: one of the events, or a row already in the store.
  struct Holder {
    uint64_t digest = 0;
    absl::string_view event_key;
    int64_t event = kStored;
  };
  static constexpr int64_t kStored = -1;

  absl::Status Settle(CommitResult* result);
  absl::Status SettleOne(std::span<const uint32_t> same_id, absl::string_view stored,
                         CommitResult* result);
  absl::Status KeepLoser(absl::string_view id_key, const Holder& loser);
  absl::Status Replace(const Holder& loser);
  void PutWinners();
  void PutLogin(size_t event);
  absl::Status DropLinksWithoutLogin();
  void MarkDirty(absl::string_view person);
  absl::Status PutProducts();
  void Put(Table table, absl::string_view key, absl::string_view value);

  const Db& db_;
  const PreparedEvents& events_;
  rocksdb::WriteBatch* const batch_;
  std::string mark_;
  std::vector<bool> wins_;  // by event
  std::vector<AuditEntry> audit_entries_;
  absl::flat_hash_set<absl::string_view> dirty_;
  std::deque<std::string> gone_;  // whose the losers were, and keys of logins that they were
  absl::flat_hash_set<absl::string_view> gone_logins_;
  absl::flat_hash_set<absl::string_view> new_links_;  // new logins without the tails of their keys
  absl::flat_hash_set<std::string> conflicts_;        // keys of rows that are new
  int64_t new_products_ = 0;
  std::vector<std::string> changed_products_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_EVENT_WRITER_H_
