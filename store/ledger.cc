#include "store/ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "store/base/status_macros.h"
#include "store/codec.h"
#include "store/ledger_rows.h"
#include "store/web_house_impl.h"

namespace vitrine {
namespace {

absl::Status CheckAmount(absl::string_view where, int64_t amount, int64_t least) {
  if (amount >= least && amount <= limits::kLedgerAmountMax) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", amount, " is not between ", least,
                                                 " and ", limits::kLedgerAmountMax));
}

absl::Status CheckRequest(const Ledger::Request& request) {
  RETURN_IF_ERROR(Annotate(ValidId(request.id), "id"));
  if (!request.customer_id.empty()) {
    RETURN_IF_ERROR(Annotate(ValidId(request.customer_id), "customer_id"));
  }
  if (request.entries.empty() || request.entries.size() > limits::kReservationEntriesMax) {
    return absl::InvalidArgumentError(absl::StrCat("entries: ", request.entries.size(),
                                                   " are not between 1 and ",
                                                   limits::kReservationEntriesMax));
  }
  for (const LedgerEntry& entry : request.entries) {
    RETURN_IF_ERROR(Annotate(ValidId(entry.account), "entries: account"));
    RETURN_IF_ERROR(CheckAmount("entries: amount", entry.amount, 1));
  }
  return absl::OkStatus();
}

// InvalidArgument if an account is named twice.
absl::StatusOr<Reservation> ReservationOf(const Ledger::Request& request) {
  Reservation reservation;
  reservation.id = request.id;
  reservation.state = RESERVED;
  if (!request.customer_id.empty()) reservation.__set_customer_id(request.customer_id);
  reservation.entries = request.entries;
  reservation.expires_ms = request.expires_ms;
  std::vector<LedgerEntry>& entries = reservation.entries;
  std::sort(entries.begin(), entries.end(),
            [](const LedgerEntry& a, const LedgerEntry& b) { return a.account < b.account; });
  const auto twice = std::adjacent_find(
      entries.begin(), entries.end(),
      [](const LedgerEntry& a, const LedgerEntry& b) { return a.account == b.account; });
  if (twice == entries.end()) return reservation;
  return absl::InvalidArgumentError(
      absl::StrCat("entries: the account ", twice->account, " is named twice"));
}

// What a request finds that was made before.
absl::Status CheckSame(const Reservation& there, const Reservation& wanted, int64_t now_ms) {
  const bool same = there.entries == wanted.entries && there.customer_id == wanted.customer_id;
  if (!same) return absl::AlreadyExistsError("id: stands for another reservation");
  const bool stands =
      there.state == COMMITTED || (there.state == RESERVED && there.expires_ms > now_ms);
  if (stands) return absl::OkStatus();
  return absl::AlreadyExistsError("id: stands for a reservation that was given back");
}

absl::string_view NameOf(ReservationState state) {
  switch (state) {
    case RESERVED:
      return "reserved";
    case COMMITTED:
      return "committed";
    case RELEASED:
      return "released";
    case LAPSED:
      return "lapsed";
    case REVERTED:
      return "reverted";
  }
  return "unknown";
}

bool MayGo(ReservationState from, ReservationState to) {
  if (to == REVERTED) return from == COMMITTED;
  return from == RESERVED;
}

}  // namespace

absl::Status Ledger::Write(absl::FunctionRef<absl::Status(LedgerRows*)> change) {
  WebHouse::Impl& impl = *house_->impl_;
  absl::MutexLock lock(&impl.commit_mutex);
  RETURN_IF_ERROR(impl.Writable());
  RETURN_IF_ERROR(impl.CheckSpace());
  LedgerRows rows(impl, impl.options.clock->NowMs());
  RETURN_IF_ERROR(change(&rows));
  if (rows.empty()) return absl::OkStatus();
  // Nothing new is due before now, unless the clock was put back.
  impl.ledger_due_from_ms = std::min(impl.ledger_due_from_ms, rows.now_ms());
  rocksdb::WriteBatch batch = NewBatch();
  rows.ApplyTo(&batch);
  return impl.Write(&batch, impl.CurrentTotals());
}

absl::Status Ledger::Define(const LedgerAccount& account) {
  RETURN_IF_ERROR(Annotate(ValidId(account.name), "name"));
  if (account.owner < OF_SITE || account.owner > OF_EARNER) {
    return absl::InvalidArgumentError("owner: is none");
  }
  RETURN_IF_ERROR(CheckAmount("limit", account.limit, 0));
  return Write([&account](LedgerRows* rows) -> absl::Status {
    const std::string key = keys::LedgerAccountKey(account.name);
    ASSIGN_OR_RETURN(const std::optional<LedgerAccount> before, rows->Get<LedgerAccount>(key));
    if (before.has_value() && before->owner != account.owner) {
      return absl::FailedPreconditionError(
          absl::StrCat("owner: the account ", account.name, " is there with another one"));
    }
    if (before != account) rows->Put(key, account);
    return absl::OkStatus();
  });
}

absl::StatusOr<Ledger::Answer> Ledger::Reserve(const Request& request) {
  RETURN_IF_ERROR(CheckRequest(request));
  ASSIGN_OR_RETURN(const Reservation wanted, ReservationOf(request));
  while (true) {
    Answer answer;
    const absl::Status written = Write([&](LedgerRows* rows) -> absl::Status {
      ASSIGN_OR_RETURN(answer.reservation, rows->FindReservation(wanted.id));
      if (answer.reservation.has_value()) {
        return CheckSame(*answer.reservation, wanted, rows->now_ms());
      }
      const int64_t ahead_ms = wanted.expires_ms - rows->now_ms();
      if (ahead_ms < 1 || ahead_ms > limits::kReservationMsMax) {
        return absl::InvalidArgumentError("expires_ms: is not after now, or too far from it");
      }
      const bool erased =
          wanted.__isset.customer_id &&
          house_->impl_->IsErased(Person::Customer(wanted.customer_id), rows->now_ms());
      if (erased) return absl::FailedPreconditionError("customer_id: they were erased");
      Reservation reservation = wanted;
      reservation.created_ms = rows->now_ms();
      ASSIGN_OR_RETURN(const std::optional<LedgerRows::Shortage> shortage,
                       rows->Reserve(&reservation));
      if (shortage.has_value()) {
        answer.refused_by = shortage->account;
        answer.available = shortage->available;
        rows->Discard();
      } else {
        answer.reservation = std::move(reservation);
      }
      return absl::OkStatus();
    });
    RETURN_IF_ERROR(written);
    if (answer.refused_by.empty()) return answer;
    // It may be held by what nobody will come for any more.
    ASSIGN_OR_RETURN(const size_t lapsed, LapseDue());
    if (lapsed == 0) return answer;
  }
}

absl::StatusOr<Reservation> Ledger::Settle(absl::string_view id, ReservationState to) {
  std::optional<Reservation> reservation;
  RETURN_IF_ERROR(Write([&](LedgerRows* rows) -> absl::Status {
    ASSIGN_OR_RETURN(reservation, rows->FindReservation(id));
    if (!reservation.has_value()) return absl::NotFoundError("there is no such reservation");
    if (reservation->state == RESERVED && reservation->expires_ms <= rows->now_ms()) {
      return rows->Settle(LAPSED, &*reservation);
    }
    return MayGo(reservation->state, to) ? rows->Settle(to, &*reservation) : absl::OkStatus();
  }));
  const ReservationState state = reservation->state;
  if (state == to || (to == RELEASED && state == LAPSED)) return *std::move(reservation);
  return absl::FailedPreconditionError(
      absl::StrCat("this reservation is ", NameOf(state), ", and cannot be ", NameOf(to)));
}

absl::StatusOr<Reservation> Ledger::Commit(absl::string_view id) { return Settle(id, COMMITTED); }
absl::StatusOr<Reservation> Ledger::Release(absl::string_view id) { return Settle(id, RELEASED); }
absl::StatusOr<Reservation> Ledger::Revert(absl::string_view id) { return Settle(id, REVERTED); }

absl::StatusOr<Reservation> Ledger::Find(absl::string_view id) const {
  const LedgerRows rows(*house_->impl_, house_->impl_->options.clock->NowMs());
  ASSIGN_OR_RETURN(std::optional<Reservation> reservation, rows.FindReservation(id));
  if (!reservation.has_value()) return absl::NotFoundError("there is no such reservation");
  return *std::move(reservation);
}

absl::Status Ledger::Earn(const Earning& earning) {
  RETURN_IF_ERROR(Annotate(ValidId(earning.id), "id"));
  RETURN_IF_ERROR(Annotate(ValidId(earning.customer_id), "customer_id"));
  RETURN_IF_ERROR(CheckAmount("amount", earning.amount, 1));
  if (earning.earned_ms < limits::kTimeMsMin || earning.earned_ms > limits::kTimeMsMax) {
    return absl::InvalidArgumentError("earned_ms: is out of range");
  }
  if (earning.expires_ms.has_value() && *earning.expires_ms <= earning.earned_ms) {
    return absl::InvalidArgumentError("expires_ms: is not after earned_ms");
  }
  PointsLot lot;
  lot.account = earning.account;
  lot.id = earning.id;
  lot.earned_ms = earning.earned_ms;
  lot.amount = earning.amount;
  if (earning.expires_ms.has_value()) lot.__set_expires_ms(*earning.expires_ms);
  return Write([&](LedgerRows* rows) -> absl::Status {
    if (house_->impl_->IsErased(Person::Customer(earning.customer_id), rows->now_ms())) {
      return absl::FailedPreconditionError("customer_id: they were erased");
    }
    return rows->Earn(earning.customer_id, lot);
  });
}

absl::StatusOr<LedgerBalance> Ledger::Balance(absl::string_view name,
                                              absl::string_view customer) const {
  WebHouse::Impl& impl = *house_->impl_;
  const LedgerRows rows(impl, impl.options.clock->NowMs());
  ASSIGN_OR_RETURN(const LedgerAccount account, rows.AccountOf(name));
  if (customer.empty() != (account.owner == OF_SITE)) {
    return absl::InvalidArgumentError("customer: is wanted for an account of customers, only");
  }
  if (account.owner != OF_EARNER) return rows.BalanceOf(account, customer);  // one row
  absl::MutexLock lock(&impl.commit_mutex);
  return rows.BalanceOf(account, customer);
}

absl::StatusOr<CustomerLedger> Ledger::Of(absl::string_view customer) const {
  RETURN_IF_ERROR(Annotate(ValidId(customer), "customer"));
  const LedgerRows rows(*house_->impl_, house_->impl_->options.clock->NowMs());
  return rows.Of(std::string(customer));
}

absl::StatusOr<std::vector<LedgerAccount>> Ledger::Accounts() const {
  const LedgerRows rows(*house_->impl_, 0);
  ASSIGN_OR_RETURN(const auto found, rows.Scan("a"));
  std::vector<LedgerAccount> accounts;
  for (const auto& [key, row] : found) RETURN_IF_ERROR(DecodeRecord(row, &accounts.emplace_back()));
  return accounts;
}

absl::StatusOr<size_t> Ledger::LapseDue(size_t limit) {
  size_t lapsed = 0;
  const absl::Status written = Write([&](LedgerRows* rows) -> absl::Status {
    WebHouse::Impl& impl = *house_->impl_;
    impl.commit_mutex.AssertHeld();
    if (impl.ledger_due_from_ms > rows->now_ms()) return absl::OkStatus();
    ASSIGN_OR_RETURN(lapsed, rows->LapseDue(impl.ledger_due_from_ms, limit));
    if (lapsed == 0) impl.ledger_due_from_ms = rows->now_ms() + 1;
    return absl::OkStatus();
  });
  RETURN_IF_ERROR(written);
  return lapsed;
}

}  // namespace vitrine
