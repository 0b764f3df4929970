// Sixty-four at once, and killed in the middle of it.

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "store/audit_verify.h"
#include "store/ledger.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::TempDir;
using testing::Value;

constexpr int kThreads = 64;
constexpr int kCustomers = 8;
constexpr int64_t kBudget = 500;
constexpr int64_t kUses = 20;
constexpr int64_t kPoints = 200;
constexpr int64_t kHourMs = 3'600'000;

std::string CustomerName(int i) { return absl::StrCat("customer ", i); }

void Define(WebHouse* house) {
  Ledger ledger(house);
  LedgerAccount account;
  account.name = "budget";
  account.owner = OF_SITE;
  account.limit = kBudget;
  ASSERT_OK(ledger.Define(account));
  account.name = "uses";
  account.owner = OF_CUSTOMER;
  account.limit = kUses;
  ASSERT_OK(ledger.Define(account));
  account.name = "points";
  account.owner = OF_EARNER;
  account.limit = 0;
  ASSERT_OK(ledger.Define(account));
  for (int i = 0; i < kCustomers; ++i) {
    for (int lot = 0; lot < 10; ++lot) {
      ASSERT_OK(ledger.Earn({absl::StrCat("e", lot), CustomerName(i), "points", kPoints / 10,
                             1'600'000'000'000 + lot, std::nullopt}));
    }
  }
}

// One of those who reserve, use, and give back. `told` hears of what is done: "R id", "C id",
// "L id", "V id". Ends at the first error, or after so many rounds.
void Shop(WebHouse* house, const std::string& name, int rounds,
          const std::function<void(const std::string&)>& told) {
  Ledger ledger(house);
  std::mt19937_64 random(std::hash<std::string>()(name));
  for (int i = 0; i < rounds; ++i) {
    const std::string id = absl::StrCat(name, "-", i);
    Ledger::Request request;
    request.id = id;
    request.customer_id = CustomerName(static_cast<int>(random() % kCustomers));
    request.expires_ms = Clock::System().NowMs() + kHourMs;
    for (const char* const account : {"budget", "points", "uses"}) {
      if (random() % 4 == 0) continue;
      LedgerEntry& entry = request.entries.emplace_back();
      entry.account = account;
      entry.amount = account == std::string("uses") ? 1 : 1 + static_cast<int64_t>(random() % 9);
    }
    if (request.entries.empty()) continue;
    const absl::StatusOr<Ledger::Answer> answer = ledger.Reserve(request);
    EXPECT_OK(answer.status());
    if (!answer.ok()) return;
    if (!answer->refused_by.empty()) continue;
    told("R " + id);
    const int what = static_cast<int>(random() % 32);
    if (what == 0) continue;  // forgotten
    const bool releases = what < 16;
    EXPECT_OK((releases ? ledger.Release(id) : ledger.Commit(id)).status());
    told(absl::StrCat(releases ? "L " : "C ", id));
    if (releases || what == 31) continue;  // else it would be used for good
    EXPECT_OK(ledger.Revert(id).status());
    told("V " + id);
  }
}

// Every balance is what the reservations add up to, and within its limit. Gives the states by id.
std::map<std::string, ReservationState> ExpectSound(WebHouse* house) {
  const Ledger ledger(house);
  std::map<std::string, ReservationState> states;
  int64_t reserved = 0;
  int64_t used = 0;
  for (int i = 0; i < kCustomers; ++i) {
    const CustomerLedger all = Value(ledger.Of(CustomerName(i)));
    std::map<std::string, std::pair<int64_t, int64_t>> sums;  // reserved, used
    std::map<std::string, int64_t> taken;                     // of lots, by earning
    for (const Reservation& reservation : all.reservations) {
      states[reservation.id] = reservation.state;
      if (reservation.state != RESERVED && reservation.state != COMMITTED) continue;
      for (const LedgerEntry& entry : reservation.entries) {
        auto& [in_reserve, in_use] = sums[entry.account];
        (reservation.state == RESERVED ? in_reserve : in_use) += entry.amount;
      }
      for (const PointsLot& lot : reservation.lots) taken[lot.id] += lot.amount;
    }
    for (const LedgerBalance& balance : all.balances) {
      EXPECT_EQ(balance.reserved, sums[balance.account].first) << balance.account;
      EXPECT_EQ(balance.used, sums[balance.account].second) << balance.account;
      if (balance.account == "uses") {
        EXPECT_LE(balance.reserved + balance.used, kUses);
      }
      if (balance.account == "points") {
        EXPECT_EQ(balance.available + balance.reserved + balance.used, kPoints);
        EXPECT_GE(balance.available, 0);
      }
    }
    for (const PointsLot& lot : all.lots) taken[lot.id] += lot.amount;
    for (const PointsLot& earned : all.earnings) EXPECT_EQ(taken[earned.id], earned.amount);
    reserved += sums["budget"].first;
    used += sums["budget"].second;
  }
  const LedgerBalance budget = Value(ledger.Balance("budget", ""));
  EXPECT_EQ(budget.reserved, reserved);
  EXPECT_EQ(budget.used, used);
  EXPECT_LE(reserved + used, kBudget);
  return states;
}

TEST(LedgerTorture, SixtyFourAtOnceNeverExceedACapOrABudget) {
  TempDir dir;
  const auto house = Value(WebHouse::Open({.directory = dir.File("db")}));
  Define(house.get());
  std::atomic<int> done = 0;
  std::atomic<bool> stop = false;
  std::thread watcher([&] {  // sees only what is within the limits, whenever it looks
    const Ledger ledger(house.get());
    while (!stop) {
      const LedgerBalance budget = Value(ledger.Balance("budget", ""));
      EXPECT_LE(budget.reserved + budget.used, kBudget);
      const LedgerBalance points = Value(ledger.Balance("points", CustomerName(0)));
      EXPECT_EQ(points.available + points.reserved + points.used, kPoints);
      EXPECT_GE(points.available, 0);
    }
  });
  std::vector<std::thread> shoppers;
  for (int t = 0; t < kThreads; ++t) {
    shoppers.emplace_back(
        [&, t] { Shop(house.get(), absl::StrCat("t", t), 40, [&](const auto&) { ++done; }); });
  }
  for (std::thread& shopper : shoppers) shopper.join();
  stop = true;
  watcher.join();
  std::printf("%d calls granted\n", done.load());
  EXPECT_GT(done, kThreads * 10);
  ExpectSound(house.get());
}

// The number of acknowledged calls after which the process is killed.
class KilledLedger : public ::testing::TestWithParam<int> {};

TEST_P(KilledLedger, LosesNothingAcknowledgedAndExceedsNothing) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // which runs this test again in a new process
  constexpr char kFolder[] = "VITRINE_TEST_LEDGER_FOLDER";
  const char* const inherited = std::getenv(kFolder);
  TempDir own;
  const std::string folder = inherited != nullptr ? inherited : own.path();
  if (inherited == nullptr) {
    Define(Value(WebHouse::Open({.directory = folder + "/db"})).get());
    ::setenv(kFolder, folder.c_str(), 1);
  }
  EXPECT_EXIT(
      {
        const auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
        const int fd = ::open((folder + "/told").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        std::atomic<int> told = 0;
        std::vector<std::thread> shoppers;
        for (int t = 0; t < kThreads; ++t) {
          shoppers.emplace_back([&, t] {
            Shop(house.get(), absl::StrCat("t", t), 1'000'000, [&](const std::string& what) {
              const std::string line = what + "\n";
              if (::write(fd, line.data(), line.size()) < 0) ::_exit(1);
              if (++told == GetParam()) ::raise(SIGKILL);
            });
          });
        }
        for (std::thread& shopper : shoppers) shopper.join();
      },
      ::testing::KilledBySignal(SIGKILL), "");
  ::unsetenv(kFolder);

  auto house = Value(WebHouse::Open({.directory = folder + "/db"}));
  const std::map<std::string, ReservationState> states = ExpectSound(house.get());
  std::ifstream file(folder + "/told");
  int told = 0;
  for (std::string line; std::getline(file, line); ++told) {
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    ASSERT_EQ(parts.size(), 2u);
    ASSERT_TRUE(states.contains(parts[1])) << line;
    const ReservationState state = states.at(parts[1]);
    if (parts[0] == "L") {
      EXPECT_EQ(state, RELEASED) << line;
    } else if (parts[0] == "C") {
      EXPECT_TRUE(state == COMMITTED || state == REVERTED) << line;
    } else if (parts[0] == "V") {
      EXPECT_EQ(state, REVERTED) << line;
    }
  }
  EXPECT_GE(told, GetParam());
  // It goes on as if nothing had been.
  Shop(house.get(), "afterwards", 50, [](const auto&) {});
  ExpectSound(house.get());
  house.reset();
  EXPECT_EQ(Value(VerifyAudit({folder + "/db", folder + "/audit.key", {}})).problems_found, 0u);
}

INSTANTIATE_TEST_SUITE_P(AfterCalls, KilledLedger, ::testing::Values(100, 701, 2003));

}  // namespace
}  // namespace vitrine
