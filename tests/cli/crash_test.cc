// kill -9 at any moment of an import, then the same command again: nothing lost, nothing doubled.

#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "store/codec.h"
#include "store/web_house.h"
#include "tests/testing/process.h"

namespace vitrine {
namespace {

using testing::Outcome;
using testing::Process;
using testing::RunProgram;
using testing::TempDir;
using testing::Value;
using testing::Vitrine;

constexpr int kLines = 60'000;
constexpr int kKillsPerImport = 8;

// Purchases of 2,000 customers over a month, some lines twice, some wrong.
void WriteCsv(const std::string& path, std::mt19937* random) {
  std::ofstream file(path);
  file << "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
  std::string line;
  for (int i = 0; i < kLines; ++i) {
    if (i % 50 != 49) {  // else the same line again
      const int quantity = i % 97 == 0 ? 0 : 1 + static_cast<int>((*random)() % 9);
      line = absl::StrFormat("%d,P%d,Thing %d,%d,2011-%02d-%02d %02d:%02d:00,2.55,%d.0,France",
                             500000 + i / 10, (*random)() % 500, i % 7, quantity,
                             1 + (*random)() % 12, 1 + (*random)() % 28, (*random)() % 24,
                             (*random)() % 60, 1000 + (*random)() % 2000);
    }
    file << line << "\n";
  }
}

// Every row that a user can see: events, sessions, customers, products, and the accounting.
std::string Everything(const std::string& data) {
  auto house = Value(WebHouse::Open({.directory = data + "/shop/db", .create = false}));
  std::string all;
  const auto append = [&all](auto cursor) {
    for (; cursor.Valid(); cursor.Next()) absl::StrAppend(&all, EncodeRecord(cursor.value()), "\n");
    EXPECT_OK(cursor.Finish());
  };
  append(house->Events());
  append(house->Sessions());
  append(house->Customers());
  append(house->Products());
  append(house->Sources());
  absl::StrAppend(&all, EncodeRecord(house->GetTotals()));
  EXPECT_TRUE(Value(house->Dirty(1)).empty());
  return all;
}

TEST(KilledImport, EndsLikeAnUndisturbedOne) {
  const unsigned seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  TempDir dir;
  const std::string csv = dir.File("retail.csv");
  WriteCsv(csv, &random);
  const auto ingest = [&](const std::string& data) {
    return Vitrine({"ingest", "--data", data, "--site", "shop", "--mapping", "examples/gifts.toml",
                    "--batch", "500", csv});
  };

  const auto start = std::chrono::steady_clock::now();
  const Outcome undisturbed = RunProgram(ingest(dir.File("calm")));
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.err;
  const auto whole = std::chrono::steady_clock::now() - start;

  const std::string calm = Everything(dir.File("calm"));
  const char* const wanted = std::getenv("VITRINE_CRASH_CYCLES");
  const int kills = wanted == nullptr ? kKillsPerImport : std::atoi(wanted);
  int killed = 0;
  for (int i = 0; i < kills; ++i) {
    if (i % kKillsPerImport == 0) std::filesystem::remove_all(dir.File("stormy"));
    Process process(ingest(dir.File("stormy")));
    // The moment is the point of the test, not something to wait for.
    std::this_thread::sleep_for(whole * (5 + static_cast<int>(random() % 60)) / 100);
    process.Signal(SIGKILL);
    killed += process.Wait().exit_code == 128 + SIGKILL ? 1 : 0;
    if (i % kKillsPerImport != kKillsPerImport - 1 && i + 1 != kills) continue;
    const Outcome last = RunProgram(ingest(dir.File("stormy")));
    ASSERT_EQ(last.exit_code, 0) << last.err;
    ASSERT_EQ(Everything(dir.File("stormy")), calm);
  }
  std::printf("%d of %d imports were killed at work\n", killed, kills);
  EXPECT_GT(killed, 0);

  // And once more: nothing new.
  const std::string before = Everything(dir.File("stormy"));
  ASSERT_EQ(RunProgram(ingest(dir.File("stormy"))).exit_code, 0);
  EXPECT_EQ(Everything(dir.File("stormy")), before);
}

}  // namespace
}  // namespace vitrine
