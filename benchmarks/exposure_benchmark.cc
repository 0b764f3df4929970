// What it costs to keep a shelf that was shown: AddExposures against RocksDB alone, which puts the
// same rows into a store of its own in one write, of the same thread and round.
//
//   exposure_benchmark [shelves [FOLDER]]      FOLDER: on the disk to be measured

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "store/base/check.h"
#include "store/base/clock.h"
#include "store/codec.h"
#include "store/db.h"
#include "store/key_format.h"
#include "store/web_house.h"
#include "tests/testing/testing.h"

namespace vitrine {
namespace {

using testing::Value;

constexpr int64_t kDay = 1'300'000'000'000;
constexpr int kProducts = 20;

Exposure Shelf(int number) {
  Exposure shelf;
  shelf.id = absl::StrCat("6a2b4c5d-", number);
  shelf.time_ms = kDay + number;
  shelf.placement = "product_similar";
  shelf.__set_customer_id(absl::StrCat("customer-", number * 7919 % 100'000));
  shelf.model_id = "2024-03-20T10-11-12";
  for (int i = 0; i < kProducts; ++i) {
    ExposedProduct& product = shelf.products.emplace_back();
    product.product_id = absl::StrCat("product-", (number + i * 31) % 20'000);
    product.source = i % 2 == 0 ? Source::TASTE : Source::THIS_VISIT;
  }
  return shelf;
}

double Microseconds(const std::function<void()>& work) {
  const int64_t start_ns = Clock::System().SteadyNs();
  work();
  return static_cast<double>(Clock::System().SteadyNs() - start_ns) * 1e-3;
}

double Print(const char* what, std::vector<double> us) {
  std::sort(us.begin(), us.end());
  std::printf("  %-44s p50 %7.2f us   p99 %7.2f us\n", what, us[us.size() / 2],
              us[us.size() * 99 / 100]);
  return us[us.size() / 2];
}

void Run(int shelves, const std::string& folder) {
  const auto house = Value(WebHouse::Open({.directory = folder + "/site/db"}));
  const auto db =
      Value(Db::Open(folder + "/raw", Db::Mode::kCreate, MakeDbBudget(256 << 20, 128 << 20)));
  rocksdb::ColumnFamilyHandle* const table = db->table(Table::kExposures);
  std::vector<double> ours, plain;
  size_t bytes = 0;
  for (int i = 0; i < shelves; ++i) {
    const Exposure shelf = Shelf(i);
    const std::string key = keys::ExposureKey(shelf);
    const std::string id_key = keys::ExposureIdKey(shelf.id);
    const std::string value = EncodeRecord(shelf);
    bytes += key.size() * 2 + id_key.size() + value.size();
    ours.push_back(Microseconds([&] { CHECK(house->AddExposures({&shelf, 1}).ok()); }));
    plain.push_back(Microseconds([&] {
      rocksdb::WriteBatch rows;
      CHECK(rows.Put(table, key, value).ok());
      CHECK(rows.Put(table, id_key, key).ok());
      CHECK(db->raw()->Write(rocksdb::WriteOptions(), &rows).ok());
    }));
  }
  std::printf("%d shelves of %d products, %zu bytes each, one thread, in turn\n", shelves,
              kProducts, bytes / static_cast<size_t>(shelves));
  const double raw_us = Print("RocksDB: the same rows, encoded before", plain);
  const double our_us = Print("AddExposures", ours);
  std::printf("  ratio of the medians %.2f\n", our_us / raw_us);
}

}  // namespace
}  // namespace vitrine

int main(int argc, char** argv) {
  int shelves = 200'000;
  if (argc > 1 && (!absl::SimpleAtoi(argv[1], &shelves) || shelves < 1)) {
    std::fprintf(stderr, "usage: exposure_benchmark [shelves [FOLDER]]\n");
    return 2;
  }
  const vitrine::testing::TempDir temporary;
  const std::string folder = argc > 2 ? absl::StrCat(argv[2], "/exposures") : temporary.path();
  std::filesystem::create_directories(folder);
  vitrine::Run(shelves, folder);
  if (argc > 2) std::filesystem::remove_all(folder);
  return 0;
}
