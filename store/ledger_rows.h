// Rows of the ledger that are read and changed together, and the rules by which amounts move
// between them. Internal to store.

#ifndef VITRINE_STORE_LEDGER_ROWS_H_
#define VITRINE_STORE_LEDGER_ROWS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <rocksdb/write_batch.h>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/offers_types.h"
#include "store/removal.h"
#include "store/web_house_impl.h"

namespace vitrine {

// Changes stay here until ApplyTo; what is read shows them. Not thread-safe.
class LedgerRows {
 public:
  // To change rows, hold the commit mutex from here until they are written.
  LedgerRows(const WebHouse::Impl& impl, int64_t now_ms) : impl_(impl), now_ms_(now_ms) {}

  int64_t now_ms() const { return now_ms_; }

  // --- Rows ---

  template <typename Record>
  absl::StatusOr<std::optional<Record>> Get(const std::string& key) const;
  template <typename Record>
  void Put(const std::string& key, const Record& record);
  void PutBytes(const std::string& key, std::string bytes) { changed_[key] = std::move(bytes); }
  void Delete(const std::string& key) { changed_[key] = std::nullopt; }
  // All whose keys have the prefix, in order, as they were at one moment.
  absl::StatusOr<std::map<std::string, std::string>> Scan(const std::string& prefix) const;
  bool empty() const { return changed_.empty(); }
  void Discard() { changed_.clear(); }
  void ApplyTo(rocksdb::WriteBatch* batch) const;

  // --- Amounts ---

  absl::StatusOr<LedgerAccount> AccountOf(absl::string_view name) const;  // NotFound
  // With what is available, and has expired, as of now.
  absl::StatusOr<LedgerBalance> BalanceOf(const LedgerAccount& account,
                                          absl::string_view customer) const;
  absl::StatusOr<std::optional<Reservation>> FindReservation(absl::string_view id) const;

  // Moves the entries from available to reserved, and keeps the reservation, with the lots it took.
  // Gives the account that has too little; then the changes are to be discarded.
  struct Shortage {
    std::string account;
    int64_t available = 0;
  };
  absl::StatusOr<std::optional<Shortage>> Reserve(Reservation* reservation);
  // REQUIRES: RESERVED goes to COMMITTED, RELEASED or LAPSED; COMMITTED to REVERTED.
  absl::Status Settle(ReservationState to, Reservation* reservation);
  // What of reservations is due, not before `from_ms`, oldest first: they lapse, or are forgotten.
  // How many. REQUIRES: nothing was changed here.
  absl::StatusOr<size_t> LapseDue(int64_t from_ms, size_t limit);

  absl::Status Earn(const std::string& customer, const PointsLot& lot);

  // Everything of one customer as of now, but for the limits of accounts read at one moment.
  absl::StatusOr<CustomerLedger> Of(const std::string& customer) const;

  // Deletes every row of the customer; what they had reserved of accounts of the site is free.
  // REQUIRES: as Removal.
  static absl::Status Erase(const WebHouse::Impl& impl, const std::string& customer,
                            Removal* removal);

 private:
  absl::StatusOr<std::optional<std::string>> GetBytes(const std::string& key) const;
  bool IsOver(const PointsLot& lot) const {
    return lot.__isset.expires_ms && lot.expires_ms <= now_ms_;
  }
  // Fills in what is available, and what has expired, by now.
  void Complete(const LedgerAccount& account, const std::vector<PointsLot>& lots,
                LedgerBalance* balance) const;

  // Oldest first.
  absl::StatusOr<std::vector<PointsLot>> LotsOf(const std::string& owner,
                                                const std::string& account) const;
  // Takes out lots that are worth nothing any more, and gives the others.
  absl::StatusOr<std::vector<PointsLot>> Sweep(const std::string& owner, LedgerBalance* balance);
  void PutLot(const std::string& owner, const PointsLot& lot);
  void TakeLots(const std::string& owner, const LedgerEntry& entry, std::vector<PointsLot> lots,
                Reservation* reservation);
  absl::Status GiveBackLots(const Reservation& reservation);
  absl::StatusOr<LedgerBalance> StoredBalance(const std::string& owner,
                                              const std::string& account) const;
  void PutBalance(const std::string& owner, LedgerBalance balance);
  void PutReservation(const Reservation& reservation);

  const WebHouse::Impl& impl_;
  const int64_t now_ms_;
  std::map<std::string, std::optional<std::string>> changed_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_LEDGER_ROWS_H_
