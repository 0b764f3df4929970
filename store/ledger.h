// Budgets, caps and points: what the shop has promised, reserved before it is shown and settled
// when it is used or not.
//
//   Ledger ledger(&house);
//   ASSIGN_OR_RETURN(Ledger::Answer answer,
//                    ledger.Reserve({.id = recommendation, .customer_id = "17850",
//                                    .entries = {{"offers/spring/budget", 500},
//                                                {"offers/spring/uses", 1}},
//                                    .expires_ms = now + 15 * 60'000}));
//   if (!answer.refused_by.empty()) ...        // that account has too little left
//   ledger.Commit(recommendation)              // ordered
//   ledger.Release(recommendation)             // changed their mind
//   ledger.Revert(recommendation)              // the order came back
//
// Of an account OF_SITE and of one OF_CUSTOMER, reserved + used never exceeds the limit, whoever
// asks at the same time and whenever the process is killed; points are taken from what was earned
// first, come back to where they came from, and are worth nothing from their end on, without
// anybody having to look. A reservation that nobody settled in time lapses: what it held is free
// again when somebody else is short of it, and at the latest when LapseDue is called.
//
// Each call is one RocksDB write: whole or not at all, under the audit chain, and behind it
// survives kill -9; loss of power too from the next WebHouse::Sync on. Repeating a call changes
// nothing. What the ledger has of a customer is exported (Privacy::LedgerOf) and goes when they are
// erased; what they used of the site's budgets stays counted.
//
// Errors, beside those named: InvalidArgument if an id, an amount or a time is out of range
// (store/base/limits.h, Ledger); NotFound if there is no such account; FailedPrecondition for a
// customer who was erased later than now; ResourceExhausted and Unavailable as WebHouse::Commit.
//
// Thread-safe. A call waits for a batch of events that is being written: they share the chain.

#ifndef VITRINE_STORE_LEDGER_H_
#define VITRINE_STORE_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "store/offers_types.h"
#include "store/web_house.h"

namespace vitrine {

class LedgerRows;  // store/ledger_rows.h

inline LedgerAccount MakeLedgerAccount(std::string name, LedgerOwner owner, int64_t limit) {
  LedgerAccount account;
  account.name = std::move(name);
  account.owner = owner;
  account.limit = limit;
  return account;
}

inline LedgerEntry MakeLedgerEntry(std::string account, int64_t amount) {
  LedgerEntry entry;
  entry.account = std::move(account);
  entry.amount = amount;
  return entry;
}

class Ledger {
 public:
  // `house` must outlive this object.
  explicit Ledger(WebHouse* house) : house_(house) {}

  // Opens the account, or changes its limit; one below what is reserved and used takes nothing
  // back. FailedPrecondition if it is there with another owner.
  absl::Status Define(const LedgerAccount& account);

  struct Request {
    std::string id;           // 1 to 256 bytes: the idempotency key, unique within the site
    std::string customer_id;  // empty: nobody's, for accounts OF_SITE only
    std::vector<LedgerEntry> entries;  // 1 to 64, each account once, in any order
    int64_t expires_ms = 0;            // after now, by at most limits::kReservationMsMax
  };
  struct Answer {
    // Set if `refused_by` is empty.
    std::optional<Reservation> reservation;
    // The first account, in the order of names, that has too little left, and what is left.
    std::string refused_by;
    int64_t available = 0;
  };
  // All of the entries, or none. The same request again gives the reservation as it stands.
  // AlreadyExists if the id stands for something else, or was given back.
  absl::StatusOr<Answer> Reserve(const Request& request);

  // What was reserved is used. FailedPrecondition if it was given back, or lapses by this call.
  absl::StatusOr<Reservation> Commit(absl::string_view id);
  // What was reserved is free. FailedPrecondition if it is used. A lapsed one stays lapsed.
  absl::StatusOr<Reservation> Release(absl::string_view id);
  // What was used is free. FailedPrecondition if it was not used.
  absl::StatusOr<Reservation> Revert(absl::string_view id);
  absl::StatusOr<Reservation> Find(absl::string_view id) const;  // NotFound

  struct Earning {
    std::string id;  // unique within the customer's
    std::string customer_id;
    std::string account;  // OF_EARNER
    int64_t amount = 0;
    int64_t earned_ms = 0;
    std::optional<int64_t> expires_ms;  // after earned_ms
  };
  // AlreadyExists if the id stands for another earning.
  absl::Status Earn(const Earning& earning);

  // As it is now; of an account that nothing was done with, zeros. `customer` is empty for OF_SITE.
  absl::StatusOr<LedgerBalance> Balance(absl::string_view account,
                                        absl::string_view customer) const;
  // Everything of one customer, as it is now. O(it).
  absl::StatusOr<CustomerLedger> Of(absl::string_view customer) const;
  absl::StatusOr<std::vector<LedgerAccount>> Accounts() const;  // by name

  // Ends what was to end by now: reservations lapse, and those given back limits::
  // kClosedReservationMs ago are forgotten. At most `limit`, oldest first; how many. To be called
  // now and then.
  absl::StatusOr<size_t> LapseDue(size_t limit = limits::kLapsedPerWrite);

 private:
  // Reads and changes rows under the commit mutex, and writes them if the status is OK.
  absl::Status Write(absl::FunctionRef<absl::Status(LedgerRows*)> change);
  absl::StatusOr<Reservation> Settle(absl::string_view id, ReservationState to);

  WebHouse* const house_;
};

}  // namespace vitrine

#endif  // VITRINE_STORE_LEDGER_H_
