#include "store/ledger.h"

#include <map>
#include <random>

#include "absl/strings/str_cat.h"

#include "store/audit_verify.h"
#include "store/backup.h"
#include "store/privacy.h"
#include "tests/testing/byte_scan.h"
#include "tests/testing/raw_store.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::FilesThatHold;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RawStore;
using testing::TempDir;
using testing::Value;

constexpr int64_t kNow = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 86'400'000;

LedgerAccount Account(const std::string& name, LedgerOwner owner, int64_t limit = 0) {
  LedgerAccount account;
  account.name = name;
  account.owner = owner;
  account.limit = limit;
  return account;
}

LedgerEntry Entry(const std::string& account, int64_t amount) {
  LedgerEntry entry;
  entry.account = account;
  entry.amount = amount;
  return entry;
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    EXPECT_OK(ledger_.Define(Account("budget", OF_SITE, 100)));
    EXPECT_OK(ledger_.Define(Account("uses", OF_CUSTOMER, 2)));
    EXPECT_OK(ledger_.Define(Account("points", OF_EARNER)));
  }

  Ledger::Request Ask(const std::string& id, std::vector<LedgerEntry> entries,
                      const std::string& customer = "ann") {
    return {id, customer, std::move(entries), clock_.NowMs() + kMinute};
  }
  // The account that refused, "" if none did.
  std::string Reserve(const std::string& id, std::vector<LedgerEntry> entries,
                      const std::string& customer = "ann") {
    return Value(ledger_.Reserve(Ask(id, std::move(entries), customer))).refused_by;
  }
  absl::Status Earn(const std::string& id, int64_t amount, int64_t earned_ms,
                    std::optional<int64_t> expires_ms = std::nullopt) {
    return ledger_.Earn({id, "ann", "points", amount, earned_ms, expires_ms});
  }
  LedgerBalance Of(const std::string& account, const std::string& customer = "ann") {
    return Value(ledger_.Balance(account, account == "budget" ? "" : customer));
  }
  // Reserved and used.
  std::pair<int64_t, int64_t> Held(const std::string& account) {
    const LedgerBalance balance = Of(account);
    return {balance.reserved, balance.used};
  }
  using Pair = std::pair<int64_t, int64_t>;

  TempDir dir_;
  SimClock clock_{kNow};
  std::unique_ptr<WebHouse> house_ =
      Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
  Ledger ledger_{house_.get()};
};

// --- Budgets and caps ---

TEST_F(LedgerTest, AReservationIsHeldThenUsedThenGivenBack) {
  EXPECT_EQ(Reserve("r", {Entry("budget", 60), Entry("uses", 1)}), "");
  EXPECT_EQ(Held("budget"), Pair(60, 0));
  EXPECT_EQ(Of("budget").available, 40);
  EXPECT_EQ(Value(ledger_.Commit("r")).state, COMMITTED);
  EXPECT_EQ(Held("budget"), Pair(0, 60));
  EXPECT_EQ(Held("uses"), Pair(0, 1));
  EXPECT_EQ(Value(ledger_.Revert("r")).state, REVERTED);
  EXPECT_EQ(Held("budget"), Pair(0, 0));
  EXPECT_EQ(Of("budget").available, 100);
}

TEST_F(LedgerTest, AllOfItIsReservedOrNone) {
  EXPECT_EQ(Reserve("a", {Entry("uses", 2), Entry("budget", 60)}), "");
  // The budget has it, the cap has not.
  const Ledger::Answer answer =
      Value(ledger_.Reserve(Ask("b", {Entry("budget", 10), Entry("uses", 1)})));
  EXPECT_EQ(answer.refused_by, "uses");
  EXPECT_EQ(answer.available, 0);
  EXPECT_FALSE(answer.reservation.has_value());
  EXPECT_EQ(Held("budget"), Pair(60, 0));
  EXPECT_EQ(Reserve("c", {Entry("budget", 41), Entry("uses", 1)}, "bob"), "budget");
  EXPECT_EQ(Reserve("d", {Entry("budget", 40), Entry("uses", 1)}, "bob"), "");  // a cap each
  EXPECT_TRUE(absl::IsNotFound(ledger_.Find("b").status()));
}

TEST_F(LedgerTest, RepeatingChangesNothing) {
  const Ledger::Request request = Ask("r", {Entry("budget", 60), Entry("uses", 1)});
  const Reservation first = *Value(ledger_.Reserve(request)).reservation;
  Ledger::Request again = request;
  std::swap(again.entries[0], again.entries[1]);
  clock_.Advance(1000);
  EXPECT_EQ(*Value(ledger_.Reserve(again)).reservation, first);
  EXPECT_EQ(Held("budget"), Pair(60, 0));
  ASSERT_OK(ledger_.Commit("r").status());
  ASSERT_OK(ledger_.Commit("r").status());
  EXPECT_EQ(Value(ledger_.Reserve(request)).reservation->state, COMMITTED);
  EXPECT_EQ(Held("budget"), Pair(0, 60));
  again.entries[0].amount = 2;
  EXPECT_TRUE(absl::IsAlreadyExists(ledger_.Reserve(again).status()));
  again = request;
  again.customer_id = "bob";
  EXPECT_TRUE(absl::IsAlreadyExists(ledger_.Reserve(again).status()));
}

TEST_F(LedgerTest, AReservationGoesItsWayAndNoOther) {
  ASSERT_EQ(Reserve("a", {Entry("budget", 10)}), "");
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Revert("a").status()));
  ASSERT_OK(ledger_.Release("a").status());
  ASSERT_OK(ledger_.Release("a").status());
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Commit("a").status()));
  EXPECT_TRUE(absl::IsAlreadyExists(ledger_.Reserve(Ask("a", {Entry("budget", 10)})).status()));
  ASSERT_EQ(Reserve("b", {Entry("budget", 10)}), "");
  ASSERT_OK(ledger_.Commit("b").status());
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Release("b").status()));
  ASSERT_OK(ledger_.Revert("b").status());
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Commit("b").status()));
  EXPECT_TRUE(absl::IsNotFound(ledger_.Commit("c").status()));
  EXPECT_EQ(Held("budget"), Pair(0, 0));
}

TEST_F(LedgerTest, WhatNobodyCameForIsFreeWhenSomebodyIsShortOfIt) {
  ASSERT_EQ(Reserve("forgotten", {Entry("budget", 100)}), "");
  clock_.Advance(kMinute - 1);
  EXPECT_EQ(Reserve("early", {Entry("budget", 1)}), "budget");
  clock_.Advance(1);
  EXPECT_EQ(Reserve("r", {Entry("budget", 100)}), "");
  EXPECT_EQ(Value(ledger_.Find("forgotten")).state, LAPSED);
  EXPECT_EQ(Held("budget"), Pair(100, 0));
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Commit("forgotten").status()));
  EXPECT_EQ(Held("budget"), Pair(100, 0));
}

TEST_F(LedgerTest, WhoComesTooLateDoesNotUseIt) {
  ASSERT_EQ(Reserve("r", {Entry("budget", 100)}), "");
  clock_.Advance(kMinute);
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Commit("r").status()));
  EXPECT_EQ(Value(ledger_.Find("r")).state, LAPSED);  // by this very call
  EXPECT_EQ(Of("budget").available, 100);
}

TEST_F(LedgerTest, WhatIsDueEndsOldestFirstAndIsForgottenAWeekLater) {
  for (const char* const id : {"a", "b", "c"}) {
    ASSERT_EQ(Reserve(id, {Entry("budget", 10)}), "");
    clock_.Advance(10);
  }
  ASSERT_OK(ledger_.Commit("c").status());
  EXPECT_EQ(Value(ledger_.LapseDue()), 0u);
  clock_.Advance(kMinute);
  EXPECT_EQ(Value(ledger_.LapseDue(1)), 1u);
  EXPECT_EQ(Value(ledger_.Find("a")).state, LAPSED);
  EXPECT_EQ(Value(ledger_.Find("b")).state, RESERVED);
  EXPECT_EQ(Value(ledger_.LapseDue()), 1u);
  EXPECT_EQ(Value(ledger_.LapseDue()), 0u);
  clock_.Advance(limits::kClosedReservationMs);
  EXPECT_EQ(Value(ledger_.LapseDue()), 2u);
  EXPECT_TRUE(absl::IsNotFound(ledger_.Find("a").status()));
  EXPECT_EQ(Value(ledger_.Find("c")).state, COMMITTED);  // what was used stays
  EXPECT_EQ(Held("budget"), Pair(0, 10));
  house_.reset();
  EXPECT_EQ(RawStore(dir_.File("db")).All("ledger").size(),
            3u + 1 + 1 + 1);  // accounts, the budget's balance, "c" and its id
}

TEST_F(LedgerTest, ALoweredLimitTakesNothingBack) {
  ASSERT_EQ(Reserve("r", {Entry("budget", 60)}), "");
  ASSERT_OK(ledger_.Define(Account("budget", OF_SITE, 50)));
  EXPECT_EQ(Of("budget").available, 0);
  EXPECT_EQ(Reserve("s", {Entry("budget", 1)}), "budget");
  ASSERT_OK(ledger_.Commit("r").status());
  ASSERT_OK(ledger_.Define(Account("budget", OF_SITE, 61)));
  EXPECT_EQ(Reserve("s", {Entry("budget", 1)}), "");
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Define(Account("budget", OF_CUSTOMER, 9))));
  ASSERT_EQ(Value(ledger_.Accounts()).size(), 3u);
  EXPECT_EQ(Value(ledger_.Accounts())[0], Account("budget", OF_SITE, 61));
}

TEST_F(LedgerTest, WhatMakesNoSenseIsRefused) {
  const auto error = [this](const Ledger::Request& request) {
    return ledger_.Reserve(request).status();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("", {Entry("budget", 1)}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {Entry("budget", 0)}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {Entry("budget", -5)}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {Entry("budget", INT64_MAX)}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {Entry("budget", 1), Entry("budget", 1)}))));
  EXPECT_TRUE(absl::IsInvalidArgument(error(Ask("r", {Entry("uses", 1)}, ""))));
  EXPECT_TRUE(absl::IsNotFound(error(Ask("r", {Entry("nothing", 1)}))));
  Ledger::Request request = Ask("r", {Entry("budget", 1)});
  request.expires_ms = kNow;
  EXPECT_TRUE(absl::IsInvalidArgument(error(request)));
  EXPECT_TRUE(absl::IsInvalidArgument(ledger_.Balance("budget", "ann").status()));
  EXPECT_EQ(Held("budget"), Pair(0, 0));
}

// --- Points ---

TEST_F(LedgerTest, PointsAreTakenFromWhatWasEarnedFirst) {
  ASSERT_OK(Earn("late", 100, kNow - 10));
  ASSERT_OK(Earn("early", 50, kNow - 20));
  EXPECT_EQ(Of("points").available, 150);
  ASSERT_EQ(Reserve("r", {Entry("points", 70)}), "");
  const std::vector<PointsLot> lots = Value(ledger_.Find("r")).lots;
  ASSERT_EQ(lots.size(), 2u);
  EXPECT_EQ(lots[0].id, "early");
  EXPECT_EQ(lots[0].amount, 50);
  EXPECT_EQ(lots[1].amount, 20);
  EXPECT_EQ(Reserve("s", {Entry("points", 81)}), "points");
  EXPECT_EQ(Reserve("s", {Entry("points", 80)}), "");
  EXPECT_EQ(Of("points").available, 0);
  EXPECT_EQ(Reserve("t", {Entry("points", 1)}, "bob"), "points");
}

TEST_F(LedgerTest, PointsEndToTheMillisecondWithoutAnybodyLooking) {
  ASSERT_OK(Earn("a", 100, kNow, kNow + 1000));
  ASSERT_OK(Earn("b", 10, kNow));
  clock_.Advance(999);
  EXPECT_EQ(Of("points").available, 110);
  clock_.Advance(1);
  EXPECT_EQ(Of("points").available, 10);
  EXPECT_EQ(Of("points").expired, 100);
  EXPECT_EQ(Reserve("r", {Entry("points", 11)}), "points");
  EXPECT_EQ(Reserve("r", {Entry("points", 10)}), "");
  EXPECT_EQ(Of("points").expired, 100);
  ASSERT_OK(Earn("too late", 5, kNow - 10, kNow - 5));
  EXPECT_EQ(Of("points").expired, 105);
  EXPECT_EQ(Of("points").earned, 115);
}

TEST_F(LedgerTest, PointsComeBackToWhereTheyCameFrom) {
  ASSERT_OK(Earn("a", 100, kNow, kNow + kDay));
  ASSERT_OK(Earn("b", 100, kNow + 1));
  ASSERT_EQ(Reserve("used", {Entry("points", 60)}), "");
  ASSERT_EQ(Reserve("kept", {Entry("points", 60)}), "");  // 40 of a, 20 of b
  ASSERT_OK(ledger_.Commit("used").status());
  ASSERT_OK(ledger_.Release("kept").status());
  EXPECT_EQ(Of("points").available, 140);
  clock_.Advance(kDay);
  ASSERT_OK(ledger_.Revert("used").status());  // back, but over
  const LedgerBalance balance = Of("points");
  EXPECT_EQ(balance.available, 100);
  EXPECT_EQ(balance.expired, 100);
  EXPECT_EQ(balance.used, 0);
  EXPECT_EQ(balance.earned, 200);
}

TEST_F(LedgerTest, AnEarningCountsOnce) {
  ASSERT_OK(Earn("a", 100, kNow));
  ASSERT_OK(Earn("a", 100, kNow));
  EXPECT_EQ(Of("points").earned, 100);
  ASSERT_EQ(Reserve("r", {Entry("points", 100)}), "");
  ASSERT_OK(Earn("a", 100, kNow));  // used up by now
  EXPECT_EQ(Of("points").available, 0);
  EXPECT_TRUE(absl::IsAlreadyExists(Earn("a", 101, kNow)));
  EXPECT_TRUE(absl::IsInvalidArgument(Earn("b", 0, kNow)));
  EXPECT_TRUE(absl::IsInvalidArgument(Earn("b", 1, kNow, kNow)));
  EXPECT_TRUE(absl::IsInvalidArgument(ledger_.Earn({"b", "ann", "uses", 1, kNow, {}})));
}

// --- Kept, sealed, exported, erased ---

TEST_F(LedgerTest, IsThereWhenTheStoreIsOpenedAgainAndInBackups) {
  ASSERT_OK(Earn("a", 100, kNow));
  ASSERT_EQ(Reserve("r", {Entry("budget", 60), Entry("points", 30)}), "");
  const BackupManifest made =
      Value(MakeBackup(*house_, "gifts", dir_.path(), {.directory = dir_.File("backups")}, clock_));
  house_.reset();
  house_ = Value(WebHouse::Open({.directory = dir_.File("db"), .clock = &clock_}));
  EXPECT_EQ(Value(Ledger(house_.get()).Balance("budget", "")).reserved, 60);
  ASSERT_OK(RestoreBackup(dir_.File("backups"), made.id, dir_.File("back"), clock_).status());
  house_ = Value(WebHouse::Open({.directory = dir_.File("back/db"), .clock = &clock_}));
  Ledger ledger(house_.get());
  EXPECT_EQ(Value(ledger.Balance("points", "ann")).available, 70);
  ASSERT_OK(ledger.Commit("r").status());
}

TEST_F(LedgerTest, ARowThatSomebodyChangedIsFound) {
  ASSERT_OK(Earn("a", 100, kNow));
  ASSERT_EQ(Reserve("r", {Entry("budget", 60)}), "");
  ASSERT_OK(ledger_.Commit("r").status());
  house_.reset();
  const VerifyOptions options = {dir_.File("db"), dir_.File("audit.key"), {}};
  EXPECT_EQ(Value(VerifyAudit(options)).problems_found, 0u);
  {
    RawStore raw(dir_.File("db"));
    std::map<char, std::pair<std::string, std::string>> rows;  // one of each kind, by what it is
    for (const auto& [key, row] : raw.All("ledger")) {
      if (key[0] == 'c' || key[0] == 's') rows[key[key.find('\0') + 1]] = {key, row};
    }
    ASSERT_EQ(rows.size(), 4u);
    raw.Put("ledger", rows['b'].first, rows['b'].second + '\0');  // a balance
    raw.Put("ledger", rows['l'].first, rows['l'].second + '\0');  // points left
    raw.Delete("ledger", rows['r'].first);                        // a reservation
  }
  std::map<AuditFinding::Kind, int> kinds;
  for (const AuditFinding& found : Value(VerifyAudit(options)).problems) {
    EXPECT_THAT(found.row, HasSubstr("ledger"));
    ++kinds[found.kind];
  }
  EXPECT_EQ(kinds[AuditFinding::Kind::kRowChanged], 2);
  EXPECT_EQ(kinds[AuditFinding::Kind::kRowDropped], 1);
}

TEST_F(LedgerTest, ACustomersPartIsExported) {
  ASSERT_OK(Earn("a", 100, kNow, kNow + kDay));
  ASSERT_EQ(Reserve("r", {Entry("budget", 60), Entry("points", 30), Entry("uses", 1)}), "");
  ASSERT_EQ(Reserve("s", {Entry("budget", 6)}, "bob"), "");
  const CustomerLedger ann = Value(Privacy(house_.get()).LedgerOf("ann"));
  ASSERT_EQ(ann.balances.size(), 2u);
  EXPECT_EQ(ann.balances[0], Of("points"));
  EXPECT_EQ(ann.balances[1], Of("uses"));
  ASSERT_EQ(ann.lots.size(), 1u);
  EXPECT_EQ(ann.lots[0].amount, 70);
  ASSERT_EQ(ann.earnings.size(), 1u);
  EXPECT_EQ(ann.earnings[0].amount, 100);
  ASSERT_EQ(ann.reservations.size(), 1u);
  EXPECT_EQ(ann.reservations[0], Value(ledger_.Find("r")));
  EXPECT_THAT(Value(ledger_.Of("nobody")).balances, IsEmpty());
}

TEST_F(LedgerTest, NoByteOfAnErasedCustomerIsLeftAndTheBudgetIsFreeAgain) {
  const std::string marked = "MARKERx7Q-customer";
  ASSERT_OK(ledger_.Earn({"MARKERx7Q-earning", marked, "points", 100, kNow, {}}));
  ASSERT_EQ(Reserve("MARKERx7Q-open", {Entry("budget", 10), Entry("points", 30)}, marked), "");
  ASSERT_EQ(Reserve("MARKERx7Q-used", {Entry("budget", 20), Entry("uses", 1)}, marked), "");
  ASSERT_EQ(Reserve("MARKERx7Q-back", {Entry("budget", 30)}, marked), "");
  ASSERT_OK(ledger_.Commit("MARKERx7Q-used").status());
  ASSERT_OK(ledger_.Release("MARKERx7Q-back").status());
  ASSERT_EQ(Reserve("bob's", {Entry("budget", 5), Entry("uses", 1)}, "bob"), "");
  ASSERT_FALSE(FilesThatHold(dir_.path(), "MARKERx7Q").empty());
  const Erasure receipt = Value(Privacy(house_.get()).Erase({Person::Customer(marked)}))[0];
  EXPECT_EQ(receipt.rows.at("ledger"), 2 + 1 + 1 + 3);  // balances, lot, earning, reservations
  EXPECT_THAT(FilesThatHold(dir_.path(), "MARKERx7Q"), IsEmpty());
  EXPECT_EQ(Held("budget"), Pair(5, 20));  // what they used stays counted
  EXPECT_EQ(Value(ledger_.Find("bob's")).state, RESERVED);
  EXPECT_TRUE(absl::IsNotFound(ledger_.Commit("MARKERx7Q-open").status()));
  // What was under way then is not written; who returns is welcome.
  EXPECT_TRUE(absl::IsFailedPrecondition(
      ledger_.Reserve(Ask("late", {Entry("uses", 1)}, marked)).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ledger_.Earn({"late", marked, "points", 1, kNow, {}})));
  clock_.Advance(1);
  EXPECT_EQ(Reserve("back", {Entry("uses", 2)}, marked), "");
  clock_.Advance(limits::kReservationMsMax);
  EXPECT_EQ(Value(ledger_.LapseDue()), 2u);  // nothing is due of what was erased
  house_.reset();
  EXPECT_EQ(Value(VerifyAudit({dir_.File("db"), dir_.File("audit.key"), {}})).problems_found, 0u);
}

TEST_F(LedgerTest, WhoIsKnownFromTheLedgerAloneIsErasedFromARestoredBackup) {
  ASSERT_OK(ledger_.Earn({"MARKERx7Q-earning", "MARKERx7Q-customer", "points", 100, kNow, {}}));
  const std::string backups = dir_.File("backups");
  const auto id =
      Value(MakeBackup(*house_, "gifts", dir_.path(), {.directory = backups}, clock_)).id;
  clock_.Advance(1);
  ASSERT_OK(Privacy(house_.get()).Erase({Person::Customer("MARKERx7Q-customer")}).status());
  ASSERT_OK(TellErased(*house_, dir_.path()));
  ASSERT_OK(RestoreBackup(backups, id, dir_.File("back"), clock_).status());
  EXPECT_THAT(FilesThatHold(dir_.File("back"), "MARKERx7Q"), IsEmpty());
}

// --- Beside a plain twin ---

// Everything as a list, summed up whenever it is asked.
struct PlainLedger {
  struct Held {
    std::string customer;
    std::map<std::string, int64_t> entries;
    int64_t expires_ms = 0;
    ReservationState state = RESERVED;
    std::vector<std::pair<size_t, int64_t>> taken;  // of which lot how much
  };
  struct Lot {
    std::string customer;
    int64_t earned_ms, expires_ms, amount, left;
  };
  int64_t now_ms = kNow;
  std::map<std::string, Held> held;
  std::vector<Lot> lots;

  bool Counts(const Held& h, const std::string& account, const std::string& customer) const {
    return h.entries.contains(account) && (account == "budget" || h.customer == customer);
  }
  int64_t Sum(ReservationState state, const std::string& account,
              const std::string& customer) const {
    int64_t sum = 0;
    for (const auto& [id, h] : held) {
      if (h.state == state && Counts(h, account, customer)) sum += h.entries.at(account);
    }
    return sum;
  }
  int64_t Left(const std::string& customer, bool over) const {
    int64_t sum = 0;
    for (const Lot& lot : lots) {
      if (lot.customer == customer && (lot.expires_ms <= now_ms) == over) sum += lot.left;
    }
    return sum;
  }
  int64_t Available(const std::string& account, const std::string& customer) const {
    if (account == "points") return Left(customer, false);
    return (account == "budget" ? 100 : 2) - Sum(RESERVED, account, customer) -
           Sum(COMMITTED, account, customer);
  }
  std::string Reserve(const std::string& id, Held h) {
    for (const auto& [account, amount] : h.entries) {
      if (amount > Available(account, h.customer)) return account;
    }
    int64_t wanted = h.entries.contains("points") ? h.entries["points"] : 0;
    while (wanted > 0) {
      size_t oldest = lots.size();
      for (size_t i = 0; i < lots.size(); ++i) {
        const Lot& lot = lots[i];
        if (lot.customer != h.customer || lot.left == 0 || lot.expires_ms <= now_ms) continue;
        if (oldest == lots.size() || lot.earned_ms < lots[oldest].earned_ms) oldest = i;
      }
      const int64_t taken = std::min(wanted, lots[oldest].left);
      lots[oldest].left -= taken;
      wanted -= taken;
      h.taken.emplace_back(oldest, taken);
    }
    held[id] = std::move(h);
    return "";
  }
  bool Settle(const std::string& id, ReservationState to) {
    const auto it = held.find(id);
    if (it == held.end()) return false;
    Held& h = it->second;
    if (h.state == to || (to == RELEASED && h.state == LAPSED)) return true;
    if (h.state != (to == REVERTED ? COMMITTED : RESERVED)) return false;
    h.state = to;
    if (to == COMMITTED) return true;
    for (const auto& [lot, amount] : h.taken) lots[lot].left += amount;
    return true;
  }
  void Lapse() {
    for (auto& [id, h] : held) {
      if (h.state == RESERVED && h.expires_ms <= now_ms) Settle(id, LAPSED);
    }
  }
};

TEST_F(LedgerTest, CountsAsAPlainTwinDoes) {
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const auto below = [&random](int end) { return static_cast<int>(random() % end); };
  PlainLedger plain;
  int granted = 0;
  int refused = 0;
  for (int step = 0; step < 4000; ++step) {
    SCOPED_TRACE(absl::StrCat("seed ", seed, " step ", step));
    const std::string customer = absl::StrCat("c", below(3));
    const std::string some = absl::StrCat("r", std::max(0, step - below(60)));
    switch (below(8)) {
      case 0: {  // in any order, no two at the same time
        const int64_t earned_ms = kNow - 2'000'000 + step * 7919 % 1'000'003;
        const int64_t expires_ms = plain.now_ms - 1000 + below(30'000);
        const int64_t amount = 1 + below(20);
        ASSERT_OK(ledger_.Earn(
            {absl::StrCat("e", step), customer, "points", amount, earned_ms, expires_ms}));
        plain.lots.push_back({customer, earned_ms, expires_ms, amount, amount});
        break;
      }
      case 1:
        EXPECT_EQ(ledger_.Commit(some).ok(), plain.Settle(some, COMMITTED));
        break;
      case 2:
        EXPECT_EQ(ledger_.Release(some).ok(), plain.Settle(some, RELEASED));
        break;
      case 3: {  // of those that are used, or whichever
        std::string used = some;
        for (const auto& [id, h] : plain.held) {
          if (h.state == COMMITTED && below(4) == 0) used = id;
        }
        EXPECT_EQ(ledger_.Revert(used).ok(), plain.Settle(used, REVERTED));
        break;
      }
      case 4: {
        const int64_t ms = below(1500);
        clock_.Advance(ms);
        plain.now_ms += ms;
        plain.Lapse();
        ASSERT_OK(ledger_.LapseDue(1000).status());
        break;
      }
      default: {
        PlainLedger::Held held;
        held.customer = customer;
        held.expires_ms = plain.now_ms + 1 + below(4000);
        if (below(2) == 0) held.entries["budget"] = 1 + below(40);
        if (below(2) == 0) held.entries["points"] = 1 + below(25);
        if (held.entries.empty() || below(2) == 0) held.entries["uses"] = 1;
        Ledger::Request request{absl::StrCat("r", step), customer, {}, held.expires_ms};
        for (const auto& [account, amount] : held.entries) {
          request.entries.push_back(Entry(account, amount));
        }
        const std::string by = Value(ledger_.Reserve(request)).refused_by;
        ASSERT_EQ(by, plain.Reserve(request.id, held));
        ++(by.empty() ? granted : refused);
      }
    }
    for (const char* const account : {"budget", "uses", "points"}) {
      const LedgerBalance balance = Of(account, customer);
      ASSERT_EQ(balance.available, plain.Available(account, customer)) << account;
      ASSERT_EQ(balance.reserved, plain.Sum(RESERVED, account, customer)) << account;
      ASSERT_EQ(balance.used, plain.Sum(COMMITTED, account, customer)) << account;
      if (account != std::string("points")) continue;
      ASSERT_EQ(balance.expired, plain.Left(customer, true));
      ASSERT_EQ(balance.earned,
                balance.available + balance.reserved + balance.used + balance.expired);
    }
  }
  std::printf("%d granted, %d refused\n", granted, refused);
  EXPECT_GT(granted, 200);
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace vitrine
