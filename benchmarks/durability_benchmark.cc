// What an acknowledgement costs that survives loss of power, and what our own watermark adds to it:
// a durable `Track` of one event against RocksDB alone writing as much and syncing its log, with
// and without the watermark behind it. The three take turns on one disk.
//
//   durability_benchmark [rounds [FOLDER]]      FOLDER: on the disk to be measured

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <rocksdb/db.h>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/db.h"
#include "store/watermark.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::MakeEvent;
using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;
constexpr size_t kRowBytes = 400;  // what a tracked event of one product adds to the log

double Milliseconds(const std::function<void()>& work) {
  const int64_t start_ns = Clock::System().SteadyNs();
  work();
  return static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-6;
}

void Print(const char* what, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  std::printf("  %-44s p50 %7.3f ms   p99 %7.3f ms\n", what, ms[ms.size() / 2],
              ms[ms.size() * 99 / 100]);
}

void Run(int rounds, const std::string& folder) {
  const auto house = Value(WebHouse::Open({.directory = folder + "/site/db"}));
  const auto db =
      Value(Db::Open(folder + "/raw", Db::Mode::kCreate, MakeDbBudget(64 << 20, 64 << 20)));
  const auto watermark = Value(Watermark::Open(folder + "/mark"));
  const std::string value(kRowBytes, 'x');
  const auto write = [&](int round) {
    rocksdb::WriteOptions options;
    CHECK(db->raw()->Put(options, absl::StrCat("key", round), value).ok());
    CHECK(db->raw()->SyncWAL().ok());
  };
  std::vector<double> track, plain, marked;
  for (int round = 0; round < rounds; ++round) {
    const Event event = MakeEvent(absl::StrCat("e", round), "c1", kDay, EventKind::VIEW_ITEM, "p");
    track.push_back(Milliseconds([&] { CHECK(house->Track({event}, {}, Ack::kDurable).ok()); }));
    plain.push_back(Milliseconds([&] { write(round); }));
    marked.push_back(Milliseconds([&] {
      write(round);
      CHECK(watermark->Advance({.version = static_cast<uint64_t>(round) + 1}).ok());
    }));
  }
  std::printf("%d rounds, one caller, in turn\n", rounds);
  Print("RocksDB: one row, log synced", plain);
  Print("RocksDB: the same, and the watermark", marked);
  Print("Track of one event, durable", track);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  int rounds = 500;
  if (argc > 1 && (!absl::SimpleAtoi(argv[1], &rounds) || rounds < 1)) {
    std::fprintf(stderr, "usage: durability_benchmark [rounds [FOLDER]]\n");
    return 2;
  }
  const vitrine::testing::TempDir temporary;
  const std::string folder = argc > 2 ? absl::StrCat(argv[2], "/durability") : temporary.path();
  std::filesystem::create_directories(folder);
  vitrine::Run(rounds, folder);
  if (argc > 2) std::filesystem::remove_all(folder);
  return 0;
}
