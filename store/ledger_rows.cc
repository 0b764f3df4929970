#include "store/ledger_rows.h"

#include <algorithm>
#include <memory>
#include <rocksdb/iterator.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "store/base/limits.h"
#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/contact_keys.h"
#include "store/cursor.h"

namespace vitrine {
namespace {

std::string OwnerOf(const LedgerAccount& account, absl::string_view customer) {
  return keys::LedgerOwnerPrefix(account.owner == OF_SITE ? "" : customer);
}

// When something is to be done about the reservation next; none: never.
std::optional<int64_t> DueOf(const Reservation& reservation) {
  switch (reservation.state) {
    case RESERVED:
      return reservation.expires_ms;
    case COMMITTED:
      return std::nullopt;
    default:
      return reservation.closed_ms + limits::kClosedReservationMs;
  }
}

}  // namespace

// --- Rows ---

absl::StatusOr<std::optional<std::string>> LedgerRows::GetBytes(const std::string& key) const {
  const auto changed = changed_.find(key);
  if (changed != changed_.end()) return changed->second;
  rocksdb::PinnableSlice row;
  const absl::Status found = impl_.db->GetRow(Table::kLedger, key, &row);
  if (absl::IsNotFound(found)) return std::nullopt;
  RETURN_IF_ERROR(found);
  return row.ToString();
}

template <typename Record>
absl::StatusOr<std::optional<Record>> LedgerRows::Get(const std::string& key) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, GetBytes(key));
  if (!bytes.has_value()) return std::nullopt;
  Record record;
  RETURN_IF_ERROR(DecodeRecord(*bytes, &record));
  return record;
}

template <typename Record>
void LedgerRows::Put(const std::string& key, const Record& record) {
  changed_[key] = EncodeRecord(record);
}

template absl::StatusOr<std::optional<LedgerAccount>> LedgerRows::Get(const std::string&) const;
template void LedgerRows::Put(const std::string&, const LedgerAccount&);
template absl::StatusOr<std::optional<ContactPreference>> LedgerRows::Get(const std::string&) const;
template void LedgerRows::Put(const std::string&, const ContactPreference&);
template absl::StatusOr<std::optional<PlannedContact>> LedgerRows::Get(const std::string&) const;
template void LedgerRows::Put(const std::string&, const PlannedContact&);

absl::StatusOr<std::map<std::string, std::string>> LedgerRows::Scan(
    const std::string& prefix) const {
  std::map<std::string, std::string> rows;
  Cursor cursor(impl_.db->Scan(Table::kLedger), prefix, prefix);
  for (; cursor.Valid(); cursor.Next()) {
    rows.emplace_hint(rows.end(), std::string(cursor.key()), std::string(cursor.raw()));
  }
  RETURN_IF_ERROR(cursor.Finish());
  for (auto it = changed_.lower_bound(prefix);
       it != changed_.end() && absl::StartsWith(it->first, prefix); ++it) {
    if (it->second.has_value()) {
      rows[it->first] = *it->second;
    } else {
      rows.erase(it->first);
    }
  }
  return rows;
}

void LedgerRows::ApplyTo(rocksdb::WriteBatch* batch) const {
  rocksdb::ColumnFamilyHandle* const table = impl_.db->table(Table::kLedger);
  for (const auto& [key, row] : changed_) {
    CHECK((row.has_value() ? batch->Put(table, key, *row) : batch->Delete(table, key)).ok());
  }
}

// --- Balances ---

absl::StatusOr<LedgerAccount> LedgerRows::AccountOf(absl::string_view name) const {
  ASSIGN_OR_RETURN(std::optional<LedgerAccount> account,
                   Get<LedgerAccount>(keys::LedgerAccountKey(name)));
  if (account.has_value()) return *std::move(account);
  return absl::NotFoundError(absl::StrCat("the ledger has no account ", name));
}

absl::StatusOr<LedgerBalance> LedgerRows::StoredBalance(const std::string& owner,
                                                        const std::string& account) const {
  ASSIGN_OR_RETURN(std::optional<LedgerBalance> balance,
                   Get<LedgerBalance>(keys::LedgerBalanceKey(owner, account)));
  if (balance.has_value()) return *std::move(balance);
  LedgerBalance none;
  none.account = account;
  return none;
}

void LedgerRows::PutBalance(const std::string& owner, LedgerBalance balance) {
  balance.available = 0;  // is worked out when it is read
  Put(keys::LedgerBalanceKey(owner, balance.account), balance);
}

void LedgerRows::Complete(const LedgerAccount& account, const std::vector<PointsLot>& lots,
                          LedgerBalance* balance) const {
  if (account.owner != OF_EARNER) {
    balance->available = std::max<int64_t>(account.limit - balance->reserved - balance->used, 0);
    return;
  }
  balance->available = 0;
  for (const PointsLot& lot : lots) {
    (IsOver(lot) ? balance->expired : balance->available) += lot.amount;
  }
}

absl::StatusOr<LedgerBalance> LedgerRows::BalanceOf(const LedgerAccount& account,
                                                    absl::string_view customer) const {
  const std::string owner = OwnerOf(account, customer);
  ASSIGN_OR_RETURN(LedgerBalance balance, StoredBalance(owner, account.name));
  std::vector<PointsLot> lots;
  if (account.owner == OF_EARNER) {
    ASSIGN_OR_RETURN(lots, LotsOf(owner, account.name));
  }
  Complete(account, lots, &balance);
  return balance;
}

absl::StatusOr<CustomerLedger> LedgerRows::Of(const std::string& customer) const {
  const std::string owner = keys::LedgerOwnerPrefix(customer);
  ASSIGN_OR_RETURN(const auto rows, Scan(owner));
  CustomerLedger all;
  std::map<std::string, std::vector<PointsLot>> lots;  // by account
  for (const auto& [key, row] : rows) {
    switch (key[owner.size()]) {
      case 'b':
        RETURN_IF_ERROR(DecodeRecord(row, &all.balances.emplace_back()));
        break;
      case 'e':
        RETURN_IF_ERROR(DecodeRecord(row, &all.earnings.emplace_back()));
        break;
      case 'r':
        RETURN_IF_ERROR(DecodeRecord(row, &all.reservations.emplace_back()));
        break;
      case 'l':
        RETURN_IF_ERROR(DecodeRecord(row, &all.lots.emplace_back()));
        lots[all.lots.back().account].push_back(all.lots.back());
        break;
      case keys::kPreference:
        all.__isset.preference = true;
        RETURN_IF_ERROR(DecodeRecord(row, &all.preference));
        break;
      case keys::kPlan:
        all.__isset.contacts = true;
        RETURN_IF_ERROR(DecodeRecord(row, &all.contacts.emplace_back()));
        break;
    }
  }
  for (LedgerBalance& balance : all.balances) {
    ASSIGN_OR_RETURN(const LedgerAccount account, AccountOf(balance.account));
    Complete(account, lots[balance.account], &balance);
  }
  std::erase_if(all.lots, [this](const PointsLot& lot) { return IsOver(lot); });
  return all;
}

// --- Lots ---

absl::StatusOr<std::vector<PointsLot>> LedgerRows::LotsOf(const std::string& owner,
                                                          const std::string& account) const {
  ASSIGN_OR_RETURN(const auto rows, Scan(keys::LedgerLotPrefix(owner, account)));
  std::vector<PointsLot> lots;
  for (const auto& [key, row] : rows) RETURN_IF_ERROR(DecodeRecord(row, &lots.emplace_back()));
  return lots;
}

absl::StatusOr<std::vector<PointsLot>> LedgerRows::Sweep(const std::string& owner,
                                                         LedgerBalance* balance) {
  ASSIGN_OR_RETURN(std::vector<PointsLot> lots, LotsOf(owner, balance->account));
  for (PointsLot& lot : lots) {
    if (!IsOver(lot)) continue;
    balance->expired += lot.amount;
    lot.amount = 0;
    PutLot(owner, lot);
  }
  std::erase_if(lots, [](const PointsLot& lot) { return lot.amount == 0; });
  return lots;
}

void LedgerRows::PutLot(const std::string& owner, const PointsLot& lot) {
  const std::string key = keys::LedgerLotKey(owner, lot.account, lot.earned_ms, lot.id);
  if (lot.amount == 0) {
    Delete(key);
  } else {
    Put(key, lot);
  }
}

void LedgerRows::TakeLots(const std::string& owner, const LedgerEntry& entry,
                          std::vector<PointsLot> lots, Reservation* reservation) {
  int64_t wanted = entry.amount;
  for (PointsLot& lot : lots) {
    if (wanted == 0) break;
    PointsLot& taken = reservation->lots.emplace_back(lot);
    taken.amount = std::min(wanted, lot.amount);
    wanted -= taken.amount;
    lot.amount -= taken.amount;
    PutLot(owner, lot);
  }
  CHECK(wanted == 0) << "more points were taken than there are";
}

absl::Status LedgerRows::GiveBackLots(const Reservation& reservation) {
  const std::string owner = keys::LedgerOwnerPrefix(reservation.customer_id);
  for (PointsLot lot : reservation.lots) {
    if (IsOver(lot)) {
      ASSIGN_OR_RETURN(LedgerBalance balance, StoredBalance(owner, lot.account));
      balance.expired += lot.amount;
      PutBalance(owner, std::move(balance));
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<PointsLot> rest,
                     Get<PointsLot>(keys::LedgerLotKey(owner, lot.account, lot.earned_ms, lot.id)));
    if (rest.has_value()) lot.amount += rest->amount;
    PutLot(owner, lot);
  }
  return absl::OkStatus();
}

absl::Status LedgerRows::Earn(const std::string& customer, const PointsLot& lot) {
  ASSIGN_OR_RETURN(const LedgerAccount account, AccountOf(lot.account));
  if (account.owner != OF_EARNER) {
    return absl::InvalidArgumentError(absl::StrCat("account: nothing is earned in ", lot.account));
  }
  const std::string owner = keys::LedgerOwnerPrefix(customer);
  const std::string key = keys::LedgerEarningKey(owner, lot.id);
  ASSIGN_OR_RETURN(const std::optional<PointsLot> before, Get<PointsLot>(key));
  if (before.has_value()) {
    if (*before == lot) return absl::OkStatus();
    return absl::AlreadyExistsError("id: stands for another earning of this customer");
  }
  ASSIGN_OR_RETURN(LedgerBalance balance, StoredBalance(owner, lot.account));
  if (balance.earned > limits::kLedgerAmountMax - lot.amount) {
    return absl::InvalidArgumentError("amount: the account would hold more than is counted");
  }
  balance.earned += lot.amount;
  if (IsOver(lot)) {
    balance.expired += lot.amount;
  } else {
    PutLot(owner, lot);
  }
  PutBalance(owner, std::move(balance));
  Put(key, lot);
  return absl::OkStatus();
}

// --- Reservations ---

absl::StatusOr<std::optional<Reservation>> LedgerRows::FindReservation(absl::string_view id) const {
  ASSIGN_OR_RETURN(const std::optional<std::string> key, GetBytes(keys::LedgerIdKey(id)));
  if (!key.has_value()) return std::nullopt;
  return Get<Reservation>(*key);
}

void LedgerRows::PutReservation(const Reservation& reservation) {
  const std::string key =
      keys::LedgerReservationKey(keys::LedgerOwnerPrefix(reservation.customer_id), reservation.id);
  Put(key, reservation);
  changed_[keys::LedgerIdKey(reservation.id)] = key;
  if (const std::optional<int64_t> due_ms = DueOf(reservation)) {
    changed_[keys::LedgerDueKey(*due_ms, reservation.id)] = key;
  }
}

absl::StatusOr<std::optional<LedgerRows::Shortage>> LedgerRows::Reserve(Reservation* reservation) {
  for (const LedgerEntry& entry : reservation->entries) {
    ASSIGN_OR_RETURN(const LedgerAccount account, AccountOf(entry.account));
    if (account.owner != OF_SITE && !reservation->__isset.customer_id) {
      return absl::InvalidArgumentError(
          absl::StrCat("customer_id: is wanted for the account ", entry.account));
    }
    const std::string owner = OwnerOf(account, reservation->customer_id);
    ASSIGN_OR_RETURN(LedgerBalance balance, StoredBalance(owner, entry.account));
    std::vector<PointsLot> lots;
    if (account.owner == OF_EARNER) {
      ASSIGN_OR_RETURN(lots, Sweep(owner, &balance));
    }
    Complete(account, lots, &balance);
    if (entry.amount > balance.available) return Shortage{entry.account, balance.available};
    if (account.owner == OF_EARNER) TakeLots(owner, entry, std::move(lots), reservation);
    balance.reserved += entry.amount;
    PutBalance(owner, std::move(balance));
  }
  PutReservation(*reservation);
  return std::nullopt;
}

absl::Status LedgerRows::Settle(ReservationState to, Reservation* reservation) {
  for (const LedgerEntry& entry : reservation->entries) {
    ASSIGN_OR_RETURN(const LedgerAccount account, AccountOf(entry.account));
    const std::string owner = OwnerOf(account, reservation->customer_id);
    ASSIGN_OR_RETURN(LedgerBalance balance, StoredBalance(owner, entry.account));
    (reservation->state == RESERVED ? balance.reserved : balance.used) -= entry.amount;
    if (to == COMMITTED) balance.used += entry.amount;
    PutBalance(owner, std::move(balance));
  }
  if (to != COMMITTED) RETURN_IF_ERROR(GiveBackLots(*reservation));
  if (const std::optional<int64_t> due_ms = DueOf(*reservation)) {
    Delete(keys::LedgerDueKey(*due_ms, reservation->id));
  }
  reservation->state = to;
  reservation->__set_closed_ms(now_ms_);
  PutReservation(*reservation);
  return absl::OkStatus();
}

absl::StatusOr<size_t> LedgerRows::LapseDue(int64_t from_ms, size_t limit) {
  std::vector<std::pair<std::string, std::string>> due;  // its key, that of the reservation
  // What was settled in time has left tombstones on either side.
  std::string end = "x";
  AppendBigEndian(&end, static_cast<uint64_t>(now_ms_ + 1));
  const rocksdb::Slice bound = end;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &bound;
  std::string begin = "x";
  AppendBigEndian(&begin, static_cast<uint64_t>(from_ms));
  Cursor cursor(std::unique_ptr<rocksdb::Iterator>(
                    impl_.db->raw()->NewIterator(options, impl_.db->table(Table::kLedger))),
                "x", begin);
  for (; cursor.Valid() && due.size() < limit; cursor.Next()) {
    due.emplace_back(std::string(cursor.key()), std::string(cursor.raw()));
  }
  RETURN_IF_ERROR(cursor.Finish());
  for (const auto& [due_key, key] : due) {
    Delete(due_key);
    ASSIGN_OR_RETURN(std::optional<Reservation> reservation, Get<Reservation>(key));
    if (!reservation.has_value()) continue;
    if (reservation->state == RESERVED) {
      RETURN_IF_ERROR(Settle(LAPSED, &*reservation));
    } else {
      Delete(key);
      Delete(keys::LedgerIdKey(reservation->id));
    }
  }
  return due.size();
}

// --- Erasure ---

absl::Status LedgerRows::Erase(const WebHouse::Impl& impl, const std::string& customer,
                               Removal* removal) {
  LedgerRows rest(impl, 0);
  const std::string owner = keys::LedgerOwnerPrefix(customer);
  const std::string site = keys::LedgerOwnerPrefix("");
  ASSIGN_OR_RETURN(const auto rows, rest.Scan(owner));
  for (const auto& [key, row] : rows) {
    RETURN_IF_ERROR(removal->Delete(Table::kLedger, key));
    if (key[owner.size()] == keys::kPlan) {
      PlannedContact plan;
      RETURN_IF_ERROR(DecodeRecord(row, &plan));
      rest.Delete(keys::PlanQueueKey(plan.time_ms, plan));
    }
    if (key[owner.size()] != 'r') continue;
    Reservation reservation;
    RETURN_IF_ERROR(DecodeRecord(row, &reservation));
    rest.Delete(keys::LedgerIdKey(reservation.id));
    if (const std::optional<int64_t> due_ms = DueOf(reservation)) {
      rest.Delete(keys::LedgerDueKey(*due_ms, reservation.id));
    }
    if (reservation.state != RESERVED) continue;
    for (const LedgerEntry& entry : reservation.entries) {
      ASSIGN_OR_RETURN(const LedgerAccount account, rest.AccountOf(entry.account));
      if (account.owner != OF_SITE) continue;
      ASSIGN_OR_RETURN(LedgerBalance balance, rest.StoredBalance(site, entry.account));
      balance.reserved -= entry.amount;
      rest.PutBalance(site, std::move(balance));
    }
  }
  rest.ApplyTo(removal->batch());
  return absl::OkStatus();
}

}  // namespace vitrine
